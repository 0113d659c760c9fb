// Our errors in this registry's codes and texts, exhaustively. Messages are constants of the wire; the HTTP status
// is the first three digits of the code.
// Source: contracts/cse-registry.md section 7, and section 9.1 for the two extra keys.

import type { ErrorCode, ErrorOf, KernelError } from '#kernel/errors.ts'

/** The codes that this door gives out. */
export const messages = {
  '400001': 'Invalid parameter(s)',
  '400002': 'Server is Unhealthy',
  '400010': 'Micro-service already exists',
  '400012': 'Micro-service does not exist',
  '400013': 'Micro-service has deployed instance(s)',
  '400016': 'Schema does not exist',
  '400017': 'Instance does not exist',
  '400018': 'Tag does not exist',
  '400023': 'Consumer(s) depends on this micro-service',
  '400026': 'Micro-service version does not exist',
  '400100': 'Not enough quota',
  '400200': 'Account not exists',
  '400201': 'Role not exists',
  '400202': 'Account has invalid role(s)',
  '400203': 'No quota to create account',
  '400204': 'No quota to create role',
  '400205': 'Role is bound to some user(s)',
  '400206': 'New password is bad',
  '401201': 'Request unauthorized',
  '401202': 'User name or password is wrong',
  '401204': 'No authorization header',
  '401205': 'Token is expired',
  '401206': 'The account that owns the token is deleted',
  '401207': 'Password is wrong',
  '403001': 'Forbidden',
  '403201': 'Account blocked',
  '403202': 'Forbid to operate build-in account(s)',
  '403203': 'Forbid to operate build-in role(s)',
  '403204': 'Forbid to operate your own account',
  '403205': 'No permission(s)',
  '409200': 'account name is duplicated',
  '409201': 'role name is duplicated',
  // Not in the vendor's table, which has no rate limit; clients know the HTTP status 429 and keep their cache.
  '429001': 'Too many requests',
  '500003': 'Internal server error',
  '500011': 'Registry service is unavailable',
} as const

export interface Fault {
  readonly code: keyof typeof messages
  /** '' leaves it out. */
  readonly detail: string
  /** Becomes the header Retry-After. */
  readonly retryAfterMs?: number
}

export const fault = (code: Fault['code'], detail = ''): Fault => ({ code, detail })
export const httpStatus = ({ code }: Fault): number => Number(code.slice(0, 3))

export const invalid = (detail: string): Fault => fault('400001', detail)
export const unmarshal = invalid('Unmarshal error')
export const tooLarge = invalid('http: request body too large')

/** What a call says of things it does not find: the vendor's details differ from call to call. */
export interface Asks {
  readonly service?: string
  readonly instance?: string
}

type Faults = { readonly [C in ErrorCode]: (error: ErrorOf<C>, asks: Asks) => Fault }

/** A refusal that no request of this door can meet: the registry's instances have no driver, capacity or operations. */
const unmet = (): Fault => fault('500003')

const faults: Faults = {
  NotFound: ({ what }, asks) =>
    what === 'service'
      ? fault('400012', asks.service ?? 'Service does not exist.')
      : fault('400017', asks.instance ?? 'Service instance does not exist.'),
  AlreadyExists: () =>
    fault('400010', 'ServiceID conflict or found the same service with different id.'),
  BadField: ({ field, expected }) => invalid(`${field} must be ${expected}`),
  Forbidden: () => fault('403001'),
  Held: () => fault('403001', 'The instance is held and must not be changed.'),
  ProjectFrozen: () => fault('403001', 'The project is frozen.'),
  ServiceInUse: ({ by }) => fault(by === 'consumers' ? '400023' : '400013'),
  QuotaExceeded: ({ what, limit }) => fault('400100', `The limit is ${limit} ${what}s.`),
  TokenReused: () => invalid('The Idempotency-Key was used for another request.'),
  TokenInProcess: () => ({
    code: '429001',
    detail: 'A request with this Idempotency-Key is under way.',
    retryAfterMs: 1_000,
  }),
  Overloaded: ({ retryAfterMs }) => ({ code: '429001', detail: '', retryAfterMs }),
  StoreUnavailable: () => fault('500011'),
  GenerationChanged: unmet,
  WrongState: unmet,
  Busy: unmet,
  NoCapacity: unmet,
  NotQueueable: unmet,
  StoppedModeSame: unmet,
  CannotRelease: unmet,
  OwnedByService: unmet,
  HostUnsupported: unmet,
  DeletionProtected: unmet,
  TermUnfinished: unmet,
  NodeNotReady: unmet,
  Unusable: unmet,
  NotOwner: unmet,
  NotOnNodes: unmet,
  ServiceBusy: unmet,
  BalanceLacking: unmet,
  FlavorDenied: unmet,
  FlavorMismatch: unmet,
  Unsupported: unmet,
  DriverUnavailable: unmet,
  Fenced: unmet,
}

export function faultOf(error: KernelError, asks: Asks = {}): Fault {
  const say = faults[error.code] as (error: KernelError, asks: Asks) => Fault // each code's entry takes that code's error
  return say(error, asks)
}
