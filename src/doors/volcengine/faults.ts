// Our errors in this cloud's codes and texts, exhaustively. Codes, statuses and texts are the vendor's to the
// letter, grammar included; which code answers which refusal is the contract's table.
// Source: contracts/volcengine-ecs.md sections 5 (gateway), 6.4 (StopInstance) and 7 (siblings).

import type { ErrorCode, ErrorOf, KernelError } from '#kernel/errors.ts'
import type { Unrouted } from '#doors/shared/http.ts'

export interface Fault {
  readonly status: number
  readonly code: string
  /** Gateway errors have a number; business errors must not have one. */
  readonly codeN?: number
  readonly message: string
  /** Becomes the header Retry-After. */
  readonly retryAfterMs?: number
}

const fault = (status: number, code: string, message: string): Fault => ({ status, code, message })
const numbered = (status: number, code: string, codeN: number, message: string): Fault => ({
  status,
  code,
  codeN,
  message,
})

/** What is answered before any rule about instances is looked at. Source: section 5. */
export const gateway = {
  missingParameter: (name: 'Action' | 'Version') =>
    numbered(400, 'MissingParameter', 100002, `The request is missing ${name} parameter.`),
  missingAuthenticationToken: numbered(
    401,
    'MissingAuthenticationToken',
    100003,
    'Request is missing Authentication Token',
  ),
  missingRequestInfo: (what: string) =>
    numbered(400, 'MissingRequestInfo', 100004, `The request is missing ${what} information.`),
  missingSignature: numbered(401, 'MissingSignature', 100005, 'The request is missing signature.'),
  invalidTimestamp: numbered(
    400,
    'InvalidTimestamp',
    100006,
    'The Signature of the request is expired.',
  ),
  serviceNotFound: (service: string) =>
    numbered(404, 'ServiceNotFound', 100007, `This service[${service}] not found.`),
  invalidActionOrVersion: (action: string, version: string) =>
    numbered(
      404,
      'InvalidActionOrVersion',
      100008,
      `Could not find operation ${action} for version ${version}.`,
    ),
  invalidAccessKey: (id: string) =>
    numbered(
      401,
      'InvalidAccessKey',
      100009,
      `The accesskey [${id}] included in the request is invalid.`,
    ),
  signatureDoesNotMatch: numbered(
    401,
    'SignatureDoesNotMatch',
    100010,
    'The request signature we calculated does not match the signature you provided. Check your Secret Access Key and signing method. Consult the service documentation for details.',
  ),
  lackPolicy: numbered(
    403,
    'LackPolicy',
    100012,
    'Request was rejected because of lack of policy.',
  ),
  accessDenied: (action: string) =>
    numbered(
      403,
      'AccessDenied',
      100013,
      `User is not authorized to perform: ecs:${action} on resource: .`,
    ),
  internalError: numbered(
    500,
    'InternalError',
    100014,
    'Service has some internal Error. Pls Contact With Admin.',
  ),
  invalidAuthorization: numbered(
    400,
    'InvalidAuthorization',
    100024,
    "Invalid 'Authorization' header, Pls check your authorization header.",
  ),
  invalidCredential: numbered(
    400,
    'InvalidCredential',
    100025,
    "Invalid credential in 'Authorization', Pls check credential in authorization header.",
  ),
  invalidSecretToken: (why: string) =>
    numbered(401, 'InvalidSecretToken', 100026, `Invalid secret token, msg: ${why}.`),
  flowLimitExceeded: (retryAfterMs: number): Fault => ({
    ...fault(429, 'FlowLimitExceeded', "You've reach the limit on request rate of resources."),
    retryAfterMs,
  }),
  methodNotAllowed: fault(405, 'MethodNotAllowed', 'Http method is not allowed.'),
} as const

/** The complete list of StopInstance, which its siblings share. Source: section 6.4. */
export const business = {
  stoppedModeMalformed: fault(
    400,
    'InvalidStoppedMode.Malformed',
    'The specified StoppedMode is malformed.',
  ),
  scheduledUnsupported: fault(
    400,
    'InvalidStoppedModeForScheduledInstance.Unsupported',
    'The specified scheduled instance does not support stop charging.',
  ),
  hostUnsupported: fault(
    400,
    'InvalidDedicatedHostStatus.Unsupported',
    'The status of the specified dedicated host does not support this request.',
  ),
  clientTokenMalformed: fault(
    400,
    'InvalidClientToken.Malformed',
    'The specified ClientToken is malformed.',
  ),
  invalidArgument: fault(400, 'InvalidArgument', 'The specified argument is invalid.'),
  tokenReused: fault(
    400,
    'IdempotentParameterMismatch',
    'The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical.',
  ),
  invalidStatus: fault(
    400,
    'InvalidInstanceStatus',
    'The status of the specified instance does not support this request.',
  ),
  instanceNotFound: fault(
    404,
    'InvalidInstance.NotFound',
    'The specified instance does not exist.',
  ),
  stoppedModeConflict: fault(
    409,
    'InvalidStoppedMode.Conflict',
    'The specified StoppedMode conflicts with instance status.',
  ),
  locked: fault(
    412,
    'OperationDenied.ResourceLocked',
    'The specified operation is denied as your resource is locked for another operation.',
  ),
  createdByOtherService: fault(
    412,
    'OperationDenied.ResourceCreatedByOtherService',
    'The specified operation is denied as your resource is created by other service. You can check system tags to find the service.',
  ),
  creatingImage: fault(
    412,
    'OperationDenied.InstanceIsCreatingImage',
    'The specified operation is denied as your instance is creating image.',
  ),
  instanceTypeMismatch: fault(
    412,
    'InvalidStoppedMode.InstanceTypeMismatch',
    "The specified StopCharging mismatch instance's InstanceType.",
  ),
  chargeTypeMismatch: fault(
    412,
    'InvalidStoppedMode.ChargeTypeMismatch',
    "The specified StopCharging mismatch instance's ChargeType.",
  ),
  dryRun: fault(412, 'DryRunOperation', 'Your request has been validated by the DryRunOperation.'),
  tokenInProcess: fault(
    412,
    'IdempotentProcessing',
    'The request uses the same client token as a previous one that is still in process.',
  ),
  noCapacity: fault(
    500,
    'Insufficient.InstanceCapacity',
    'There is not enough capacity to fulfill your request.',
  ),
  internalError: fault(500, 'InternalError', 'An internal error has occurred.'),

  // The siblings' own.
  balanceLacking: fault(
    400,
    'Insufficient.Balance',
    'The request is denied due to the lack of balance.',
  ),
  chargeTypeInvalid: fault(
    400,
    'InvalidChargeType',
    'The specified ChargeType is not valid, is unsupported, or cannot be used.',
  ),
  instanceChargeTypeInvalid: fault(
    400,
    'InvalidInstanceChargeType',
    'The specified InstanceChargeType is not valid, is unsupported, or cannot be used.',
  ),
  deletionProtected: fault(
    412,
    'OperationDenied.DeletionProtection',
    'The specified operation is denied as deletion protection is enabled for your instance.',
  ),
  imageNotFound: fault(404, 'InvalidImage.NotFound', 'The specified image does not exist.'),
  zoneNotFound: fault(404, 'InvalidZone.NotFound', 'The specified zone does not exist.'),
  instanceTypeNotFound: fault(
    404,
    'InvalidInstanceType.NotFound',
    'The specified instance type does not exist.',
  ),
  resourceNotFound: fault(
    404,
    'InvalidResourceId.NotFound',
    'The specified ResourceId does not exist.',
  ),
  tagsExceeded: fault(
    400,
    'LimitExceeded.Resource',
    "You've reached the limit on the number of Tags that you can set.",
  ),
  regionIdsExceeded: fault(
    400,
    'LimitExceeded.MaximumRegionIds',
    'The number of specified RegionIds exceeds the maximum limit.',
  ),
} as const

/** Source: section 7, the message templates. */
export const missing = (name: string): Fault =>
  fault(400, `MissingParameter.${name}`, `The required parameter ${name} is not supplied.`)
export const malformed = (name: string): Fault =>
  fault(400, `Invalid${name}.Malformed`, `The specified ${name} is malformed.`)
export const tooMany = (name: string): Fault =>
  fault(
    400,
    `LimitExceeded.Maximum${name}`,
    `You've reached the limit on the number of ${name} that you can set.`,
  )
export const outOfSize = (name: string): Fault =>
  fault(400, `LimitExceeded.${name}`, `The specified ${name} exceeds the limit.`)

type Faults = { readonly [C in ErrorCode]: (error: ErrorOf<C>, action: string) => Fault }

const notFound = {
  instance: business.instanceNotFound,
  flavor: business.instanceTypeNotFound,
  image: business.imageNotFound,
} as const

const cannotRelease = {
  charge: business.chargeTypeMismatch,
  flavor: business.instanceTypeMismatch,
  scheduled: business.scheduledUnsupported,
} as const satisfies Record<ErrorOf<'CannotRelease'>['because'], Fault>

/** What this door never asks for, so no answer of its contract fits. */
const neverAsked = () => business.internalError

const faults = {
  NotFound: ({ what }) =>
    what in notFound ? notFound[what as keyof typeof notFound] : business.internalError, // just asked
  Forbidden: (_, action) => gateway.accessDenied(action),
  WrongState: ({ situation }) =>
    situation === 'imaging' ? business.creatingImage : business.invalidStatus,
  Busy: ({ running }) => (running === 'capture' ? business.creatingImage : business.invalidStatus),
  Held: () => business.locked,
  NoCapacity: () => business.noCapacity,
  StoppedModeSame: () => business.stoppedModeConflict,
  CannotRelease: ({ because }) => cannotRelease[because],
  OwnedByService: () => business.createdByOtherService,
  HostUnsupported: () => business.hostUnsupported,
  DeletionProtected: () => business.deletionProtected,
  TermUnfinished: () => business.chargeTypeInvalid,
  BalanceLacking: () => business.balanceLacking,
  // Neither an account in arrears nor a type it may not use has a code of its own: it may not, so it is denied.
  ProjectFrozen: (_, action) => gateway.accessDenied(action),
  FlavorDenied: (_, action) => gateway.accessDenied(action),
  FlavorMismatch: () => business.invalidArgument,
  QuotaExceeded: ({ what }) => (what === 'label' ? business.tagsExceeded : tooMany('Instances')),
  BadField: () => business.invalidArgument,
  TokenReused: () => business.tokenReused,
  TokenInProcess: () => business.tokenInProcess,
  DriverUnavailable: () => business.internalError,
  StoreUnavailable: () => business.internalError,
  Unsupported: () => business.internalError,
  Overloaded: ({ retryAfterMs }) => gateway.flowLimitExceeded(retryAfterMs),
  AlreadyExists: neverAsked,
  NotQueueable: neverAsked,
  NodeNotReady: neverAsked,
  Unusable: neverAsked,
  NotOwner: neverAsked,
  NotOnNodes: neverAsked,
  ServiceBusy: neverAsked,
  ServiceInUse: neverAsked,
  GenerationChanged: neverAsked,
  Fenced: neverAsked,
} as const satisfies Faults

export const faultOf = (error: KernelError, action: string): Fault =>
  (faults[error.code] as (error: KernelError, action: string) => Fault)(error, action) // the entry under an error's code takes that error

/** What never reached a route, once it is known that the path is the right one. */
export const unrouted = {
  'not-found': gateway.missingParameter('Action'),
  'method-not-allowed': gateway.methodNotAllowed,
  'too-large': business.invalidArgument,
  malformed: business.invalidArgument,
  overloaded: gateway.flowLimitExceeded(1000),
  unavailable: business.internalError,
  internal: gateway.internalError,
} as const satisfies Record<Unrouted, Fault>
