// Our errors in this cloud's codes and texts, exhaustively. Codes, statuses and texts are the vendor's; which
// code answers which refusal is the vendor's where it says so, else the contract's choice.
// Source: edge inference contract, section 3.

import type { DriverPart } from '#kernel/catalogue.ts'
import type { ErrorCode, ErrorOf, KernelError } from '#kernel/errors.ts'
import type { Quotas } from '#kernel/project.ts'
import type { Unrouted } from '../shared/http.ts'
import type { Fault } from '../shared/three-keys.ts'

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
const policy = (right: string, id: string): Fault =>
  fault(403, '0112', `Policy doesn't allow ${right} ${id} to be performed.`)

const createFailed = fault(400, '3586', 'Failed to create the edge application.')
const updateFailed = fault(400, '3584', 'Failed to update the edge application.')
const lookupFailed = fault(400, '3594', 'Failed to query IEF instances.')
const payloadFailed = (verb: string, cause: string | null): Fault =>
  fault(
    400,
    '3612',
    `Failed to ${verb} the service payload due to error code ${cause ?? 'unknown'}. Please try later or submit a service ticket for professional technical support.`,
  )

type PartFaults = { readonly [P in DriverPart]: (reason: string | null) => Fault }

/** What stands behind a driver is one piece here; in this cloud each part of it fails with a code of its own. */
const partsOfDeploy = {
  certificates: () => fault(500, '3581', 'Failed to create edge certificates.'),
  configurations: () => fault(400, '3582', 'Failed to create edge configurations.'),
  backend: () => fault(400, '3583', 'Failed to create the edge application due to IEF error.'),
  volumes: () => fault(400, '3588', 'Failed to create edge volumes and environments.'),
  lookup: () => lookupFailed,
  network: () => fault(400, '3595', 'Failed to create the IEF application mesh.'),
  payload: (reason) => payloadFailed('create', reason),
} as const satisfies PartFaults

const partsOfUpdate = {
  ...partsOfDeploy,
  backend: () => updateFailed,
  network: () => fault(400, '3596', 'Failed to update the IEF application mesh.'),
  payload: (reason) => payloadFailed('update', reason),
} as const satisfies PartFaults

type DriverDown = Pick<ErrorOf<'DriverUnavailable'>, 'reason' | 'part'>

const driverDown = {
  deploy: ({ part, reason }) => (part ? partsOfDeploy[part](reason) : createFailed),
  update: ({ part, reason }) => (part ? partsOfUpdate[part](reason) : updateFailed),
  remove: () => fault(400, '3587', 'Failed to delete the edge application.'),
  read: () => internal,
} as const satisfies Record<Asks, (error: DriverDown) => Fault>

/** A driver that cannot do what is asked at all. */
const whole: DriverDown = { reason: null }

const storeDown = {
  deploy: fault(500, '3501', 'Failed to deploy the service.'),
  update: fault(500, '3505', 'Failed to update the service.'),
  remove: fault(500, '3504', 'Failed to delete the service.'),
  read: internal,
} as const satisfies Record<Asks, Fault>

/** What a read that the store cannot serve is answered with, where this cloud has a code for it. */
export const unreadable = {
  monitor: fault(500, '3508', 'Failed to query the service monitoring information.'),
  nodes: fault(500, '3509', 'Failed to query edge nodes.'),
  tags: fault(500, '3511', 'Failed to query edge tags.'),
  list: internal,
} as const

type Unused = ErrorOf<'Unusable'>
const unusable: {
  readonly [B in Unused['because']]: (error: Unused, asks: Asks, right: string) => Fault
} = {
  publishing: ({ id }) =>
    fault(
      400,
      '3515',
      `The model ${id} cannot be used for deploying services because it is still being published.`,
    ),
  'no-gpu': () => fault(400, '3533', 'The selected edge node does not support GPU.'),
  'no-npu': () => fault(400, '3533', 'The selected edge node does not support NPU.'),
  'port-taken': () =>
    fault(400, '3585', 'The host port has been used by another edge application.'),
  shared: ({ name }) =>
    fault(400, '3525', `Forbidden to update service ${name} because it is a shared service.`),
  associated: ({ id, name }) =>
    fault(
      400,
      '3953',
      `Failed to delete online service ${id} because it has been associated with AI service ${name}. Please disassociate it and try again.`,
    ),
  abnormal: ({ id }, _asks, right) =>
    fault(
      400,
      '7004',
      `the status of workspace: ${id} is abnormal, can not execute [action: ${right}]`,
    ),
  denied: ({ id }, _asks, right) => policy(right, id),
}

const quotaFaults = {
  services: (most) => fault(400, '3520', `A maximum of ${most} edge services are allowed.`),
  runningServices: (most) =>
    fault(400, '3521', `A maximum of ${most} edge services in running status are allowed.`),
  serviceInstances: (most) =>
    fault(400, '3522', `A maximum of ${most} edge service instances are allowed.`),
  nodes: () => fault(400, '3561', 'Insufficient node quota.'),
} as const satisfies { readonly [Q in keyof Quotas]-?: (most: number) => Fault }

type Faults = { readonly [C in ErrorCode]: (error: ErrorOf<C>, asks: Asks, right: string) => Fault }

const faults = {
  NotFound: ({ what, id }) => {
    if (what === 'service') return fault(404, '3502', `Service ${id} does not exist.`)
    if (what === 'image') return fault(404, '3507', `Model ${id} does not exist.`)
    if (what === 'workspace') return noWorkspace(id)
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
  Forbidden: (_error, _asks, right) => notAuthorized(right),
  WrongState: () => wrongState,
  Busy: () => wrongState,
  ServiceBusy: () => wrongState,
  Held: ({ id }, _asks, right) => policy(right, id),
  OwnedByService: ({ id }, _asks, right) => policy(right, id),
  DeletionProtected: ({ id }, _asks, right) => policy(right, id),
  TermUnfinished: ({ id }, _asks, right) => policy(right, id),
  NoCapacity: () => fault(400, '3952', 'Insufficient resources. Please try later.'),
  NodeNotReady: () => fault(400, '3598', 'Only nodes in the [Running] state can be selected.'),
  NotOwner: ({ name }) =>
    fault(400, '3540', `Operation failed because you are not the owner of service ${name}.`),
  NotOnNodes: ({ id }) => badParameter('service_id', id),
  ProjectFrozen: () => notEnabled,
  BalanceLacking: () => notEnabled,
  FlavorDenied: () => notEnabled,
  FlavorMismatch: ({ image }) => notForEdge(image),
  // Labels have no limit here: every quota that is met is one of the project's.
  QuotaExceeded: ({ quota, limit }) => (quota ? quotaFaults[quota](limit) : internal),
  Unusable: (error, asks, right) => unusable[error.because](error, asks, right),
  Unsupported: (_, asks) => driverDown[asks](whole),
  HostUnsupported: (_, asks) => driverDown[asks](whole),
  DriverUnavailable: (error, asks) => driverDown[asks](error),
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

/** @param right  what this cloud calls the right to the operation that was asked for. */
export const faultOf = (error: KernelError, asks: Asks, right: string): Fault =>
  (faults[error.code] as (error: KernelError, asks: Asks, right: string) => Fault)(
    error,
    asks,
    right,
  ) // the entry under an error's code takes that error

/** A field of a body or query. */
export const fieldFault = (error: ErrorOf<'BadField'>): Fault => faults.BadField(error)

/** What never reached a route. */
export const unrouted = {
  'not-found': noRoute,
  'method-not-allowed': noRoute,
  'too-large': fault(413, '0101', 'Invalid Argument.'),
  malformed: fault(400, '0101', 'Invalid Argument.'),
  overloaded: tooMany('services', 1000),
  unavailable: internal,
  internal,
} as const satisfies Record<Unrouted, Fault>
