// What the driver hands to the kernel to find its thing again. The records in the thing's folder are newer than
// a handle can be (a crash may come between the two), so they win; the handle is what is left without them.

import type { Static } from 'typebox'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import { Type } from '#schema/type.ts'
import { validatorOf } from '#schema/validator.ts'

/**
 * A process, so that no other is ever taken for it. A pid alone comes back; a pid with the moment it started,
 * in one life of the machine, does not.
 */
const Identity = Type.Object(
  {
    pid: Type.Integer({ minimum: 1 }),
    /** When it started, as the system says it: opaque. */
    started: Type.String({ minLength: 1 }),
    /** Which life of the machine: a pid of an earlier one means nothing. */
    boot: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false },
)
export type Identity = Readonly<Static<typeof Identity>>

const Handle = Type.Object(
  {
    version: Type.Literal(1),
    /** Kept over restarts of the instance; null when the image asks for none. */
    port: Type.Unsafe<number | null>({ type: ['integer', 'null'] }),
    /** The last run that was seen to exist. */
    run: Type.Unsafe<KnownRun | null>({
      anyOf: [
        { type: 'null' },
        Type.Object(
          { fence: Type.Integer({ minimum: 1 }), leader: Identity, main: Identity },
          { additionalProperties: false },
        ),
      ],
    }),
  },
  { additionalProperties: false },
)

interface KnownRun {
  readonly fence: number
  readonly leader: Identity
  readonly main: Identity
}
export type Handle = Readonly<Static<typeof Handle>>

export const noHandle: Handle = { version: 1, port: null, run: null }

/** Null is the handle of what was never made. */
export function readHandle(handle: JsonObject | null): Result<Handle, string> {
  if (handle === null) return ok(noHandle)
  if (!validatorOf(Handle).fits(handle)) return err('its handle is not one of the process driver')
  return ok(handle)
}

export const writeHandle = ({
  port,
  run,
}: Omit<Handle, 'version'>): { readonly handle: JsonObject } => ({
  handle: {
    version: 1,
    port,
    run: run && { fence: run.fence, leader: { ...run.leader }, main: { ...run.main } },
  },
})
