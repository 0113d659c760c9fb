// Our errors in this cloud's codes and texts, exhaustively. Codes, statuses and texts are the vendor's; which
// code answers which refusal is the vendor's where it says so, else the contract's choice.
// Source: edge inference contract, section 3.

import { type ErrorCode, type ErrorOf, type KernelError } from '#kernel/errors.ts'
import { type Unrouted } from '../shared/http.ts'
import { type Fault } from '../shared/three-keys.ts'

/** What was asked for: some refusals have a code for each. */
export type Asks = 'deploy' | 'update' | 'remove' | 'read'

const fault = (status: number, number: string, message: string): Fault => ({
  status,
  code: `ModelArts.${number}`,
  message,
})

export const badJson = fault(400, '4105', 'Incorrect JSON format of the input data.')
const notAuthorized = (permission: string): Fault =>
  fault(403, '0108', `You are not authorized to perform the (${permission}) operation.`)
export const emptyParameter = (name: string): Fault =>
  fault(400, '3610', `Parameter ${name} cannot be empty.`)
export const badParameter = (name: string, value = ''): Fault =>
  fault(400, '3037', `Parameter (${name}:${value}) is invalid.`)
export const badValues = (...names: readonly string[]): Fault =>
  fault(400, '0107', `The values of the request parameters (${names.join(',')}) are invalid.`)
export const noWorkspace = (id: string): Fault => fault(400, '7005', `workspace:${id} not existed`)
export const noCluster = (id: string): Fault => fault(400, '3547', `Cluster ${id} does not exist.`)

export const notForEdge = (model: string): Fault =>
  fault(400, '3589', `Model ${model} cannot be used to deploy edge service.`)

const noRoute = fault(404, '0015', 'The resource you requested is not exist')
const internal = fault(500, '0010', 'Internal error.')
const tooMany = (api: string, retryAfterMs: number): Fault => ({
  ...fault(429, '4206', `Too many requests, reached api ${api}.`),
  retryAfterMs,
})
const wrongState = fault(
  400,
  '3519',
  'Services only in one of states in [deploying, running, stopping, deleting] can be updated.',
)
const notEnabled = fault(400, '3518', 'The edge service has not been enabled or authorized.')
const policy = (asks: Asks, id: string): Fault =>
  fault(403, '0112', `Policy doesn't allow ${asks} ${id} to be performed.`)

const driverDown = {
  deploy: fault(400, '3586', 'Failed to create the edge application.'),
  update: fault(400, '3584', 'Failed to update the edge application.'),
  remove: fault(400, '3587', 'Failed to delete the edge application.'),
  read: internal,
} as const satisfies Record<Asks, Fault>

const storeDown = {
  deploy: fault(500, '3501', 'Failed to deploy the service.'),
  update: fault(500, '3505', 'Failed to update the service.'),
  remove: fault(500, '3504', 'Failed to delete the service.'),
  read: internal,
} as const satisfies Record<Asks, Fault>

type Faults = { readonly [C in ErrorCode]: (error: ErrorOf<C>, asks: Asks) => Fault }

const faults = {
  NotFound: ({ what, id }) => {
    if (what === 'service') return fault(404, '3502', `Service ${id} does not exist.`)
    if (what === 'image') return fault(404, '3507', `Model ${id} does not exist.`)
    return what === 'flavor' ? badParameter('specification', id) : noRoute
  },
  AlreadyExists: ({ name }) => fault(409, '3503', `Service ${name} already exists.`),
  BadField: ({ field, fault: why, value, expected }) => {
    // JSON, but not an object.
    if (field === '') return badJson
    // An empty text and an empty list are "empty" to this cloud, as much as nothing at all.
    const isEmpty = why === 'missing' || expected === 'minLength' || expected === 'minItems'
    return isEmpty ? emptyParameter(field) : badParameter(field, value)
  },
  Forbidden: ({ needs }) => notAuthorized(needs),
  WrongState: () => wrongState,
  Busy: () => wrongState,
  ServiceBusy: () => wrongState,
  Held: ({ id }, asks) => policy(asks, id),
  OwnedByService: ({ id }, asks) => policy(asks, id),
  DeletionProtected: ({ id }, asks) => policy(asks, id),
  TermUnfinished: ({ id }, asks) => policy(asks, id),
  NoCapacity: () => fault(400, '3952', 'Insufficient resources. Please try later.'),
  NodeNotReady: () => fault(400, '3598', 'Only nodes in the [Running] state can be selected.'),
  NotOwner: ({ name }) =>
    fault(400, '3540', `Operation failed because you are not the owner of service ${name}.`),
  NotOnNodes: ({ id }) => badParameter('service_id', id),
  ProjectFrozen: () => notEnabled,
  BalanceLacking: () => notEnabled,
  FlavorDenied: () => notEnabled,
  FlavorMismatch: ({ image }) => notForEdge(image),
  QuotaExceeded: ({ what, limit }) => {
    if (what === 'node') return fault(400, '3561', 'Insufficient node quota.')
    return what === 'service'
      ? fault(400, '3520', `A maximum of ${limit} edge services are allowed.`)
      : fault(400, '3522', `A maximum of ${limit} edge service instances are allowed.`)
  },
  Unsupported: (_, asks) => driverDown[asks],
  HostUnsupported: (_, asks) => driverDown[asks],
  DriverUnavailable: (_, asks) => driverDown[asks],
  StoreUnavailable: (_, asks) => storeDown[asks],
  TokenReused: () => badValues('Idempotency-Key'),
  TokenInProcess: (_, asks) => tooMany(asks, 1000),
  Overloaded: ({ retryAfterMs }, asks) => tooMany(asks, retryAfterMs),
  // No request of this door can come to these: it names no mode, queue, generation or worker, and no consumers.
  ServiceInUse: () => internal,
  NotQueueable: () => internal,
  StoppedModeSame: () => internal,
  CannotRelease: () => internal,
  GenerationChanged: () => internal,
  Fenced: () => internal,
} as const satisfies Faults

export const faultOf = (error: KernelError, asks: Asks): Fault =>
  (faults[error.code] as (error: KernelError, asks: Asks) => Fault)(error, asks) // the entry under an error's code takes that error

/** What never reached a route. */
export const unrouted = {
  'not-found': noRoute,
  'method-not-allowed': noRoute,
  'too-large': fault(413, '0101', 'Invalid Argument.'),
  malformed: fault(400, '0101', 'Invalid Argument.'),
  overloaded: tooMany('services', 1000),
  internal,
} as const satisfies Record<Unrouted, Fault>
