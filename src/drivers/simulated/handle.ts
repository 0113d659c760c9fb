// All there is of a simulated thing: what it was last told and when. What it looks like at some moment follows
// from this and the scenario (observe.ts), so it goes on "running" while the server is away.

import type { Static } from 'typebox'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import { Type } from '#schema/type.ts'
import { validatorOf } from '#schema/validator.ts'

const strict = { additionalProperties: false }

const Handle = Type.Object(
  {
    version: Type.Literal(1),
    /** The latest attempt that acted; an older one is refused. */
    attempt: Type.Integer(),
    /** False once it was removed. */
    isMade: Type.Boolean(),
    want: Type.Enum(['up', 'down', 'paused', 'suspended']),
    /** When it was last told to start or stop, or made. */
    sinceMs: Type.Integer(),
    /** When it is what it was told to be. */
    settlesAtMs: Type.Integer(),
    /** Whether it was up when it was told to stop, and so still is until then. */
    wasUp: Type.Boolean(),
    imagedUntilMs: Type.Integer(),
    starts: Type.Integer({ minimum: 0 }),
    /** How often each act has failed, for those that fail only so many times. */
    failures: Type.Record(Type.String(), Type.Integer({ minimum: 1 })),
  },
  strict,
)
export type Handle = Readonly<Static<typeof Handle>>

export const made = (attempt: number, nowMs: number): Handle => ({
  version: 1,
  attempt,
  isMade: true,
  want: 'down',
  sinceMs: nowMs,
  settlesAtMs: nowMs,
  wasUp: false,
  imagedUntilMs: 0,
  starts: 0,
  failures: {},
})

/** Null is the handle of what was never made. */
export function readHandle(handle: JsonObject | null): Result<Handle | null, string> {
  if (handle === null) return ok(null)
  if (!validatorOf(Handle).fits(handle)) return err('its handle is not one of the simulated driver')
  return ok(handle)
}

export const writeHandle = (handle: Handle): { readonly handle: JsonObject } => ({
  handle: { ...handle, failures: { ...handle.failures } },
})
