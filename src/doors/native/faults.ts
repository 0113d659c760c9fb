// Every refusal in this door's words: problem details of RFC 9457. A caller branches on `code`;
// `title` and `detail` are for people, and what else the kernel knows stands beside them.
//
// By status: 409 something else is so now and may change, 422 it can never be done to this thing,
// 423 a person forbade it, 412 the caller's picture is old, 503 come again.

import { type ErrorCode, type ErrorOf, type KernelError, unusables } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'

export interface Fault {
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly field?: string
  readonly data?: JsonObject
  readonly retryAfterMs?: number
}

type Told = Omit<Fault, 'code' | 'status' | 'title'>
interface Entry<Code extends ErrorCode> {
  readonly status: number
  readonly title: string
  readonly tell: (error: ErrorOf<Code>) => Told
}
type Faults = { readonly [Code in ErrorCode]: Entry<Code> }

/** Nothing, or the text with what leads to it. */
const after = (lead: string, text: string | null): string => (text === null ? '' : lead + text)
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** What the kernel refuses. */
export const faults = {
  NotFound: {
    status: 404,
    title: 'There is no such thing, or it is not yours to see.',
    tell: ({ what, id }) => ({ detail: `There is no ${what} ${id}.`, data: { what, id } }),
  },
  AlreadyExists: {
    status: 409,
    title: 'The name is taken.',
    tell: ({ what, name, id }) => ({
      detail: `A ${what} named ${name} exists already: ${id}.`,
      data: { what, name, id },
    }),
  },
  BadField: {
    status: 400,
    title: 'A field, parameter or header is not as it must be.',
    tell: ({ field, fault, expected }) => ({
      detail:
        fault === 'missing' ? `${field} is missing.` : `${field} must be ${expected || 'another'}.`,
      field,
    }),
  },
  Forbidden: {
    status: 403,
    title: 'You may not do this.',
    tell: ({ needs }) => ({ detail: `Your role does not allow it: ${needs}.`, data: { needs } }),
  },
  WrongState: {
    status: 409,
    title: 'Not in a state from which this may be asked.',
    tell: ({ id, verb, situation, allowed }) => ({
      detail: `${verb} is not possible while it is ${situation}; possible while ${allowed.join(', ') || 'never'}.`,
      data: { id, verb, situation, allowed },
    }),
  },
  Busy: {
    status: 409,
    title: 'Another operation is under way.',
    tell: ({ id, verb, operation, running, situation }) => ({
      detail: `${verb} has to wait: ${running} is under way (operation ${operation}).`,
      data: { id, verb, operation, running, situation },
    }),
  },
  Held: {
    status: 423,
    title: 'Somebody holds it.',
    tell: ({ id, hold }) => ({
      detail: `It is held${after(': ', hold.reason)} (${hold.kind} ${hold.id}${after(' until ', iso(hold.untilMs))}).`,
      data: {
        id,
        hold: { id: hold.id, kind: hold.kind, reason: hold.reason, until: iso(hold.untilMs) },
      },
    }),
  },
  NoCapacity: {
    status: 409,
    title: 'Its pool has no place left.',
    tell: ({ pool, units }) => ({
      detail: `Pool ${pool} has not ${units} free now.`,
      data: { pool, units },
    }),
  },
  NotQueueable: {
    status: 422,
    title: 'Only free flavors queue.',
    tell: ({ flavor }) => ({ detail: `Flavor ${flavor} has no queue.`, data: { flavor } }),
  },
  StoppedModeSame: {
    status: 409,
    title: 'It is stopped in that mode already.',
    tell: ({ id, mode }) => ({ detail: `Its stopped mode is ${mode}.`, data: { id, mode } }),
  },
  CannotRelease: {
    status: 422,
    title: 'It cannot give its capacity back while stopped.',
    tell: ({ id, because }) => ({
      detail: `Its ${because === 'scheduled' ? 'schedule' : because} does not allow to release.`,
      data: { id, because },
    }),
  },
  OwnedByService: {
    status: 403,
    title: 'Another service owns it.',
    tell: ({ id, service }) => ({
      detail: `It belongs to ${service}, which alone may change it.`,
      data: { id, service },
    }),
  },
  HostUnsupported: {
    status: 422,
    title: 'Its dedicated host cannot serve requests.',
    tell: ({ id }) => ({ detail: 'The host that it runs on takes no requests.', data: { id } }),
  },
  DeletionProtected: {
    status: 423,
    title: 'It is protected against deletion.',
    tell: ({ id }) => ({
      detail: 'Its condition deletionProtected is set; unset it first.',
      data: { id },
    }),
  },
  TermUnfinished: {
    status: 422,
    title: 'It is paid for a term.',
    tell: ({ id }) => ({ detail: 'It is PrePaid and its term has not ended.', data: { id } }),
  },
  NodeNotReady: {
    status: 409,
    title: 'Its node is not in contact.',
    tell: ({ node, state }) => ({ detail: `Node ${node} is ${state}.`, data: { node, state } }),
  },
  NotOwner: {
    status: 403,
    title: 'Somebody else of your project owns it.',
    tell: ({ what, id, name }) => ({
      detail: `Only the owner of the ${what} ${name} or an admin may change it.`,
      data: { what, id, name },
    }),
  },
  NotOnNodes: {
    status: 422,
    title: 'The service does not run on nodes.',
    tell: ({ id }) => ({ detail: `Service ${id} has no instances on nodes.`, data: { id } }),
  },
  ServiceBusy: {
    status: 409,
    title: 'The service is under way to something else.',
    tell: ({ id, status }) => ({
      detail: `Service ${id} is ${status}.`,
      data: { id, serviceStatus: status },
    }),
  },
  ServiceInUse: {
    status: 409,
    title: 'The service is in use.',
    tell: ({ id, by }) => ({ detail: `Service ${id} still has ${by}.`, data: { id, by } }),
  },
  ProjectFrozen: {
    status: 403,
    title: 'The project is frozen.',
    tell: ({ project }) => ({ detail: `Project ${project} is frozen.`, data: { project } }),
  },
  BalanceLacking: {
    status: 402,
    title: 'The account lacks balance.',
    tell: ({ project }) => ({
      detail: `The balance of project ${project} does not cover it.`,
      data: { project },
    }),
  },
  FlavorDenied: {
    status: 403,
    title: 'Your project may not use this flavor.',
    tell: ({ flavor }) => ({ detail: `Flavor ${flavor} is denied.`, data: { flavor } }),
  },
  FlavorMismatch: {
    status: 422,
    title: 'Flavor and image do not fit.',
    tell: ({ flavor, image }) => ({
      detail: `Image ${image} needs other hardware than flavor ${flavor} has.`,
      data: { flavor, image },
    }),
  },
  QuotaExceeded: {
    status: 403,
    title: 'A quota is used up.',
    tell: ({ what, limit, quota = null }) => ({
      detail: `At most ${limit} of ${quota ?? what} are allowed.`,
      data: { what, limit, quota },
    }),
  },
  Unusable: {
    status: 422,
    title: 'What is named cannot be used for this.',
    tell: ({ what, id, name, because }) => ({
      detail: `${unusables[because]} (${what} ${name})`,
      data: { what, id, name, because },
    }),
  },
  Unsupported: {
    status: 422,
    title: 'This cannot be done to a thing of its kind.',
    tell: ({ verb, driver }) => ({
      detail: `${driver || 'its driver'} does not know ${verb}.`,
      data: { verb, driver },
    }),
  },
  GenerationChanged: {
    status: 412,
    title: 'Somebody changed it since you looked.',
    tell: ({ id, expected, actual }) => ({
      detail: `You expected generation ${expected}; it is ${actual}.`,
      data: { id, expected, actual },
    }),
  },
  TokenReused: {
    status: 422,
    title: 'The key was used for another request.',
    tell: () => ({
      detail: 'This Idempotency-Key came with a different request before.',
      field: 'Idempotency-Key',
    }),
  },
  TokenInProcess: {
    status: 409,
    title: 'The first request with this key is still in process.',
    tell: () => ({
      detail: 'Ask again with the same Idempotency-Key to get its answer.',
      field: 'Idempotency-Key',
      retryAfterMs: 1000,
    }),
  },
  DriverUnavailable: {
    status: 503,
    title: 'The driver cannot be used now.',
    tell: ({ driver, reason, part = null }) => ({
      detail: `Driver ${driver} is not available${after(': ', reason)}.`,
      data: { driver, reason, part },
    }),
  },
  Overloaded: {
    status: 503,
    title: 'Too many requests are waiting.',
    tell: ({ retryAfterMs }) => ({ detail: 'Nothing was changed; come again.', retryAfterMs }),
  },
  StoreUnavailable: {
    status: 503,
    title: 'The store cannot be used.',
    tell: () => ({ detail: 'Nothing was changed; come again.', retryAfterMs: 1000 }),
  },
  Fenced: {
    status: 503,
    title: 'Another worker has taken over.',
    tell: () => ({ detail: 'Nothing was changed; come again.', retryAfterMs: 1000 }),
  },
} as const satisfies Faults

/** What this door refuses before the kernel is asked. */
export const ownFaults = {
  Unauthenticated: { status: 401, title: 'A token is needed.' },
  TokenExpired: { status: 401, title: 'The token has expired.' },
  Throttled: { status: 429, title: 'Too many failed attempts.' },
  ProjectRequired: { status: 403, title: 'The token has no project.' },
  NoSuchPath: { status: 404, title: 'There is nothing at this path.' },
  MethodNotAllowed: { status: 405, title: 'The path does not know this method.' },
  TooLarge: { status: 413, title: 'The body is too large.' },
  NotJson: { status: 415, title: 'The body must be JSON and say so.' },
  Malformed: { status: 400, title: 'The request cannot be read.' },
  TooManyStreams: { status: 503, title: 'Too many event streams are open.' },
  Internal: { status: 500, title: 'A bug of ours; the log has the rest.' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>

export type OwnCode = keyof typeof ownFaults
export type ProblemCode = ErrorCode | OwnCode
export const problemCodes = [
  ...Object.keys(faults),
  ...Object.keys(ownFaults),
] as readonly ProblemCode[] // the keys of both tables

/** The status and title of every code, for the document. */
export const problemHeads: Readonly<
  Record<ProblemCode, { readonly status: number; readonly title: string }>
> = { ...faults, ...ownFaults }

export function faultOf(error: KernelError): Fault {
  const { status, title, tell } = faults[error.code] as Entry<typeof error.code> // TypeScript does not pair the entry with its own error
  return { code: error.code, status, title, ...tell(error as never) } // as above: the entry of this very code
}

export const ownFault = (code: OwnCode, told: Told): Fault => ({
  code,
  ...ownFaults[code],
  ...told,
})
