// Our errors in Nova's words: an HTTP status, which names the one key of the body, and a sentence.
//
// Clients branch on the status and show the sentence; none parses it. Every kernel error has its row: a new one
// stops the build here.
// Source: contract, sections 3.3, 4.3 and 5.1; openstack/nova nova/api/openstack/wsgi.py, nova/exception.py.

import type { ErrorCode, ErrorOf, KernelError } from '#kernel/errors.ts'
import type { Answer } from '../shared/http.ts'
import { type Precondition, taskStateOf, vmStateOf } from './states.ts'

export interface NovaFault {
  readonly status: number
  readonly message: string
  /** When to come again, for refusals that time alone cures. */
  readonly retryAfterMs?: number
}

/** What was asked, where the sentence names it. */
export interface Asked {
  /** Nova's own verb: stop, reboot, `update metadata`. */
  readonly verb: string
  /** The policy rule that the caller does not meet. */
  readonly rule: string
  /** Says which of vm_state and task_state is to blame. */
  readonly precondition?: Precondition
}

type Faults = { readonly [C in ErrorCode]: (error: ErrorOf<C>, asked: Asked) => NovaFault }

const faults = {
  NotFound: (e) => {
    if (e.what === 'flavor') return { status: 400, message: `Flavor ${e.id} could not be found.` }
    if (e.what === 'image') return { status: 400, message: 'Can not find requested image' }
    return { status: 404, message: `${nounOf(e.what)} ${e.id} could not be found.` }
  },
  AlreadyExists: (e) => conflict(`${nounOf(e.what)} ${e.name} already exists.`),
  BadField: (e) => ({
    status: 400,
    message: `Invalid input for field/attribute ${e.field}. Expected: ${e.expected}.`,
  }),
  Forbidden: (_e, { rule }) => policy(rule),
  WrongState: (e, asked) => wrongState(e, asked),
  Busy: (e, asked) => busy(e, asked),
  Held: (e) =>
    e.hold.kind === 'lock'
      ? conflict(`Instance ${e.id} is locked`)
      : conflict(`Instance ${e.id} is held${because(e.hold.reason)}`),
  // Nova would accept and let the server fail; refusing at once is what the kernel does, and says the same.
  NoCapacity: () => conflict('No valid host was found. There are not enough hosts available.'),
  NotQueueable: (e) => conflict(`Flavor ${e.flavor} does not queue.`),
  StoppedModeSame: (e) => conflict(`Instance ${e.id} is stopped in mode ${e.mode} already.`),
  CannotRelease: (e) => conflict(`Instance ${e.id} cannot release its capacity: ${e.because}.`),
  OwnedByService: (e) => conflict(`Instance ${e.id} belongs to service ${e.service}.`),
  HostUnsupported: (e) => conflict(`The host of instance ${e.id} cannot serve this request.`),
  DeletionProtected: (e) => conflict(`Instance ${e.id} is protected from deletion.`),
  TermUnfinished: (e) => conflict(`Instance ${e.id} is paid for a term that has not ended.`),
  NodeNotReady: (e) => conflict(`Host ${e.node} is ${e.state}.`),
  NotOwner: (_e, { rule }) => policy(rule),
  NotOnNodes: (e) => ({ status: 404, message: `Service ${e.id} has no instances on nodes.` }),
  ServiceBusy: (e) => conflict(`Service ${e.id} is ${e.status}.`),
  ServiceInUse: (e) => conflict(`Service ${e.id} is used by ${e.by}.`),
  ProjectFrozen: (e) => forbidden(`Project ${e.project} is frozen.`),
  BalanceLacking: (e) => forbidden(`Project ${e.project} has no balance left.`),
  FlavorDenied: (e) => forbidden(`Flavor ${e.flavor} is not available to this project.`),
  FlavorMismatch: (e) => ({
    status: 400,
    message: `Image ${e.image} is unacceptable: it does not fit flavor ${e.flavor}.`,
  }),
  Unusable: (e) => conflict(`The ${e.what} ${e.id} cannot be used for it now.`),
  QuotaExceeded: (e) => forbidden(`Quota exceeded for ${e.what}s: the limit is ${e.limit}`),
  Unsupported: (e) => ({ status: 501, message: `Driver ${e.driver} does not support ${e.verb}.` }),
  GenerationChanged: (e) => conflict(`Instance ${e.id} was changed in the meantime.`),
  TokenReused: () => conflict('The Idempotency-Key was used for another request.'),
  TokenInProcess: () => conflict('A request with this Idempotency-Key is being processed.'),
  DriverUnavailable: (e) => ({
    status: 500,
    message: `Driver ${e.driver} is not available${because(e.reason)}`,
  }),
  Overloaded: (e) => ({
    status: 503,
    message: 'The server is busy. Try again later.',
    retryAfterMs: e.retryAfterMs,
  }),
  StoreUnavailable: () => unavailable,
  Fenced: () => unexpected,
} as const satisfies Faults

export function faultOf(error: KernelError, asked: Asked): NovaFault {
  const row = faults[error.code] as (error: KernelError, asked: Asked) => NovaFault // each row takes the error of its own code
  return row(error, asked)
}

function wrongState(error: ErrorOf<'WrongState'>, { verb, precondition }: Asked): NovaFault {
  const vmState = vmStateOf(error.situation)
  // It has the right vm_state, so it was never launched: Nova prints no state then.
  return precondition?.vmStates.includes(vmState)
    ? conflict(`Instance ${error.id} is in an invalid state for '${verb}'`)
    : conflict(`Cannot '${verb}' instance ${error.id} while it is in vm_state ${vmState}`)
}

/**
 * vm_state is looked at first: a server that is starting was stopped, and cannot be stopped for that reason. Both
 * are those that the server shows.
 */
function busy(error: ErrorOf<'Busy'>, { verb, precondition }: Asked): NovaFault {
  const vmState = vmStateOf(error.from ?? error.situation)
  const isStateFit = precondition === undefined || precondition.vmStates.includes(vmState)
  const why = isStateFit
    ? `task_state ${taskStateOf(error.running, error.asked)}`
    : `vm_state ${vmState}`
  return conflict(`Cannot '${verb}' instance ${error.id} while it is in ${why}`)
}

const nounOf = (what: string): string => `${what.charAt(0).toUpperCase()}${what.slice(1)}`
const because = (reason: string | null): string => (reason === null ? '' : `: ${reason}`)

export const badRequest = (message: string): NovaFault => ({ status: 400, message })
export const forbidden = (message: string): NovaFault => ({ status: 403, message })
export const conflict = (message: string): NovaFault => ({ status: 409, message })
export const policy = (rule: string): NovaFault =>
  forbidden(`Policy doesn't allow ${rule} to be performed.`)
export const tooManyFiles = forbidden('Personality file limit exceeded')
export const malformedBody = badRequest('Malformed request body')
export const noSuchRoute: NovaFault = {
  status: 404,
  message: 'The resource could not be found.',
}
export const unavailable: NovaFault = {
  status: 503,
  message: 'Nothing was changed: the store is not usable.',
  retryAfterMs: 1000,
}

export const unexpected: NovaFault = {
  status: 500,
  message: 'Unexpected API Error. The request was not carried out; the log of the server says why.',
}

const names: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
}

export function refusal({ status, message, retryAfterMs }: NovaFault): Answer {
  const wait = retryAfterMs === undefined ? undefined : String(Math.ceil(retryAfterMs / 1000))
  const name = names[status] ?? 'computeFault'
  const retry = name === 'overLimit' && wait !== undefined ? { retryAfter: wait } : {}
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=UTF-8',
      ...(wait === undefined ? {} : { 'retry-after': wait }),
    },
    body: { [name]: { code: status, message, ...retry } },
  }
}
