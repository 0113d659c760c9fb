// What a row may hold: plain JSON, so that every store keeps the same thing.

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Facts that are named replace those of before; one that is null takes its fact away. */
export const mergedFacts = (before: JsonObject, change: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, fact]) => fact !== null))

/** Nobody changes it from now on, nor anything in it. What is frozen already is taken to be so all through. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) freezeDeep(inner)
  return Object.freeze(value)
}
