// Reads facts out of rows' free-form JSON (a node's host facts, an image's names, what a door kept). Such JSON
// is configuration or older than the code that reads it, so a fact that is missing or of another type is as if
// nobody had said it.

import { isJsonObject, type Json, type JsonObject } from '#kernel/json.ts'

export const textIn = (facts: JsonObject, name: string): string | undefined => {
  const value = facts[name]
  return typeof value === 'string' ? value : undefined
}

export const numberIn = (facts: JsonObject, name: string): number | undefined => {
  const value = facts[name]
  return typeof value === 'number' ? value : undefined
}

export const flagIn = (facts: JsonObject, name: string): boolean | undefined => {
  const value = facts[name]
  return typeof value === 'boolean' ? value : undefined
}

export const objectIn = (facts: JsonObject, name: string): JsonObject | undefined => {
  const value = facts[name]
  return isJsonObject(value) ? value : undefined
}

export const listIn = (facts: JsonObject, name: string): readonly Json[] | undefined => {
  const value = facts[name]
  return Array.isArray(value) ? value : undefined
}

export const textsIn = (facts: JsonObject, name: string): readonly string[] =>
  (listIn(facts, name) ?? []).filter((one) => typeof one === 'string')
