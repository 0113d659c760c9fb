// What can come of a command, and the exit code that says so to scripts.
//
// 0 ok · 1 all failed · 2 usage · 3 partly failed · 4 refused · 5 wait timed out · 6 conflict · 130
// interrupted

import type { OperationShown, ProblemShown } from '#doors/native/wire.ts'

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  partly: 3,
  refused: 4,
  timedOut: 5,
  conflict: 6,
  interrupted: 130,
} as const
type ExitName = keyof typeof exitCodes
export type ExitCode = (typeof exitCodes)[ExitName]

export type Failure =
  /** The server said no. */
  | { readonly is: 'problem'; readonly problem: ProblemShown }
  /** It was accepted and ended badly. */
  | { readonly is: 'ended'; readonly operation: OperationShown }
  | { readonly is: 'timed-out'; readonly operation: string; readonly afterMs: number }
  | { readonly is: 'interrupted'; readonly operation: string }
  | { readonly is: 'unreachable'; readonly url: string; readonly why: string }
  /** Something answers there that is not runstate. */
  | { readonly is: 'foreign'; readonly url: string; readonly status: number }
  | { readonly is: 'usage'; readonly message: string }

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure }

export const done = <T>(value: T): Outcome<T> => ({ ok: true, value })
export const failed = (failure: Failure): { readonly ok: false; readonly failure: Failure } => ({
  ok: false,
  failure,
})
export const usage = (message: string) => failed({ is: 'usage', message })

/**
 * Whether a refusal is about what is so now (conflict), about the asker or the thing (refused), or
 * ours (failed).
 */
const problemExits = {
  NotFound: 'refused',
  AlreadyExists: 'conflict',
  BadField: 'refused',
  Forbidden: 'refused',
  WrongState: 'conflict',
  Busy: 'conflict',
  Held: 'refused',
  NoCapacity: 'refused',
  NotQueueable: 'refused',
  StoppedModeSame: 'conflict',
  CannotRelease: 'refused',
  OwnedByService: 'refused',
  HostUnsupported: 'refused',
  DeletionProtected: 'refused',
  TermUnfinished: 'refused',
  NodeNotReady: 'refused',
  NotOwner: 'refused',
  NotOnNodes: 'refused',
  ServiceBusy: 'conflict',
  ServiceInUse: 'conflict',
  ProjectFrozen: 'refused',
  BalanceLacking: 'refused',
  FlavorDenied: 'refused',
  FlavorMismatch: 'refused',
  QuotaExceeded: 'refused',
  Unusable: 'refused',
  Unsupported: 'refused',
  GenerationChanged: 'conflict',
  TokenReused: 'conflict',
  TokenInProcess: 'conflict',
  DriverUnavailable: 'failed',
  Overloaded: 'failed',
  StoreUnavailable: 'failed',
  Fenced: 'failed',
  Unauthenticated: 'refused',
  TokenExpired: 'refused',
  Throttled: 'refused',
  ProjectRequired: 'refused',
  NoSuchPath: 'failed',
  MethodNotAllowed: 'failed',
  TooLarge: 'refused',
  NotJson: 'failed',
  Malformed: 'failed',
  TooManyStreams: 'failed',
  Internal: 'failed',
} as const satisfies Record<ProblemShown['code'], ExitName>

function exitName(failure: Failure): ExitName {
  switch (failure.is) {
    case 'problem':
      return problemExits[failure.problem.code]
    case 'ended':
      // What took its place is a request of somebody else's.
      return failure.operation.state === 'cancelled' ? 'conflict' : 'failed'
    case 'timed-out':
      return 'timedOut'
    case 'interrupted':
      return 'interrupted'
    case 'usage':
      return 'usage'
    default:
      return 'failed'
  }
}

/**
 * One code for all targets: of several failures alike theirs, of unlike ones 1, and 3 when some
 * went well.
 */
export function exitOf(outcomes: readonly Outcome<unknown>[]): ExitCode {
  const names = outcomes.flatMap((one) => (one.ok ? [] : [exitName(one.failure)]))
  const [first = 'ok'] = names
  if (names.includes('interrupted')) return exitCodes.interrupted
  if (names.length === 0) return exitCodes.ok
  if (names.length < outcomes.length) return exitCodes.partly
  return names.every((name) => name === first) ? exitCodes[first] : exitCodes.failed
}

/** One line for a person. */
export function sentenceOf(failure: Failure): string {
  switch (failure.is) {
    case 'problem':
      return `${failure.problem.detail} (${failure.problem.code})`
    case 'ended': {
      const { verb, state, failure: why, supersededBy, id } = failure.operation
      if (state === 'cancelled') return `${verb} was overtaken by operation ${supersededBy ?? '?'}`
      return `${verb} failed: ${why?.message ?? 'no reason given'} (operation ${id})`
    }
    case 'timed-out':
      return `not done within ${failure.afterMs / 1000} s; it goes on: runstate ops ${failure.operation}`
    case 'interrupted':
      return `no longer waited for; it goes on: runstate ops ${failure.operation}`
    case 'unreachable':
      return `no server answers at ${failure.url} (${failure.why}); start one with: runstate serve`
    case 'foreign':
      return `what answers at ${failure.url} is not runstate (status ${failure.status})`
    default:
      return failure.message
  }
}
