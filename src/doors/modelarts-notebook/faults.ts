// Our errors in this cloud's codes, exhaustively, once for each of its two families: they share most codes and
// differ where one has a code of its own. A state that refuses a request is looked up in states.ts.
// Source: notebook contract, section 3.

import { storages } from '#kernel/catalogue.ts'
import type { ErrorCode, ErrorOf, KernelError } from '#kernel/errors.ts'
import type { Unrouted } from '../shared/http.ts'
import type { Fault } from '../shared/three-keys.ts'
import {
  badPayload,
  bucketDenied,
  bucketFailed,
  bucketUnsuited,
  busy,
  devenvField,
  fault,
  flavorDenied,
  flavorRefused,
  frozen,
  internalDevenv,
  internalLab,
  misconfigured,
  noBackground,
  notAuthorized,
  noResources,
  noRoute,
  noVolume,
  noWorkspace,
  refusals,
  workspaceAbnormal,
} from './codes.ts'
import {
  devenvVerbs,
  type DevenvVerb,
  devenvWords,
  labRows,
  type NotebookSituation,
  refusalCode,
} from './states.ts'

/** What was asked for, as far as refusals need it. */
export interface Asks {
  readonly verb: DevenvVerb | 'create' | 'read'
  /** What the cloud calls the right to it. */
  readonly permission?: string
  /** Named by refusals of an update. */
  readonly parameter?: string
  readonly flavor?: string
  /** Of the notebook, as the caller named it. */
  readonly id?: string
}

type Faults = { readonly [C in ErrorCode]: (error: ErrorOf<C>, asks: Asks) => Fault }

const later = (answer: Fault, retryAfterMs: number): Fault => ({ ...answer, retryAfterMs })
const brings = ({ verb }: Asks): boolean =>
  verb === 'create' || verb === 'start' || verb === 'restart'
const driverDown = (asks: Asks): Fault => (brings(asks) ? noBackground : misconfigured)

/** What runs it, or what would store its files, is not to be had. */
function unavailable(
  { driver, reason, fault: why = 'down' }: ErrorOf<'DriverUnavailable'>,
  asks: Asks,
): Fault {
  if (driver === 'evs') return noVolume
  if (storages.some((one) => one === driver)) {
    if (why === 'denied') return bucketDenied
    return why === 'unsuited' ? bucketUnsuited : bucketFailed(reason ?? why)
  }
  if (why === 'initializing') return refusals['6355']
  if (why === 'full' && asks.verb === 'create') return noResources
  return why === 'denied' || why === 'unsuited' ? misconfigured : driverDown(asks)
}
const policy = (id: string, asks: Asks): Fault =>
  fault(403, '0112', `Policy doesn't allow ${asks.verb} ${id} to be performed.`)

/** What both families say alike. */
const common = {
  Forbidden: ({ needs }, asks) => notAuthorized(asks.permission ?? needs),
  // Only its workspace.
  Unusable: ({ id, because }, asks) =>
    because === 'abnormal' ? workspaceAbnormal(id, asks.verb) : policy(`workspace:${id}`, asks),
  NotOwner: (_, asks) => notAuthorized(asks.permission ?? asks.verb),
  Held: ({ id }, asks) => policy(id, asks),
  OwnedByService: ({ id }, asks) => policy(id, asks),
  DeletionProtected: ({ id }, asks) => policy(id, asks),
  TermUnfinished: ({ id }, asks) => policy(id, asks),
  NotQueueable: () => flavorRefused,
  ProjectFrozen: () => frozen,
  BalanceLacking: () => frozen,
  FlavorDenied: () => flavorDenied,
  HostUnsupported: (_, asks) => driverDown(asks),
  DriverUnavailable: unavailable,
  Unsupported: (_, asks) => driverDown(asks),
  TokenInProcess: () => later(busy, 1000),
  Overloaded: ({ retryAfterMs }) => later(busy, retryAfterMs),
} as const satisfies Partial<Faults>

/** No request about a notebook comes to these: it names no service, no node, no mode, no generation, no worker. */
const impossible = (internal: Fault) =>
  ({
    NodeNotReady: () => internal,
    NotOnNodes: () => internal,
    ServiceBusy: () => internal,
    ServiceInUse: () => internal,
    StoppedModeSame: () => internal,
    CannotRelease: () => internal,
    GenerationChanged: () => internal,
    Fenced: () => internal,
  }) as const satisfies Partial<Faults>

const isNotebook = (situation: string): situation is NotebookSituation =>
  Object.hasOwn(labRows, situation)

/** The matrix has the code; an update is told which parameter may not change in which status. */
function devenvState({ situation }: { readonly situation: string }, asks: Asks): Fault {
  const verb = devenvVerbs.find((one) => one === asks.verb)
  if (verb === undefined || !isNotebook(situation)) return refusals['6357']
  const code = refusalCode(verb, situation)
  if (code !== '6347') return refusals[code]
  return devenvField.frozenParameter(devenvWords[situation], asks.parameter ?? '')
}

function devenvBadField({ field, fault: why, expected }: ErrorOf<'BadField'>): Fault {
  // JSON, but not an object.
  if (field === '') return devenvField.badBody
  // The vendor's texts name the property alone, not the way to it.
  const name = field.split('.').at(-1) ?? field
  if (why === 'missing') return devenvField.missing(name)
  return why === 'type' ? devenvField.type(name, expected) : devenvField.value(name)
}

const devenvFaults = {
  ...common,
  ...impossible(internalDevenv),
  NotFound: ({ what, id }) => {
    if (what === 'workspace') return noWorkspace(id)
    if (what === 'flavor') return flavorRefused
    return what === 'image' ? devenvField.value('profile_id') : refusals['6309']
  },
  AlreadyExists: () => fault(400, '6301', 'The instance already exists.'),
  BadField: devenvBadField,
  WrongState: devenvState,
  Busy: devenvState,
  NoCapacity: () =>
    fault(400, '6329', 'Sorry, this flavor specification is sold out. Please try others.'),
  FlavorMismatch: () =>
    fault(
      400,
      '6330',
      'The flavor type of profile does not match the type of flavor. Please check it.',
    ),
  QuotaExceeded: ({ what, limit }) =>
    what === 'workspace'
      ? fault(400, '0113', `Create Notebook failed. Quota: ${limit} is exhausted.`)
      : fault(400, '6302', 'The instance count already reaches the maximum value.'),
  TokenReused: () => devenvField.value('Idempotency-Key'),
  StoreUnavailable: () => internalDevenv,
} as const satisfies Faults

function labState({ situation }: { readonly situation: string }, asks: Asks): Fault {
  if (asks.verb !== 'delete' || !isNotebook(situation)) return refusals['6357']
  const code = labRows[situation].delete
  return refusals[code === 'ok' ? '6357' : code]
}

const notSwitchable = ({ id = '', flavor = '' }: Asks): Fault =>
  fault(
    400,
    '6792',
    `Instance ${id} does not support to update flavor to ${flavor}, please try another flavor.`,
  )

/** Of one notebook, where the other family names the policy. */
const noPermission = ({ id }: { readonly id: string }, { verb }: Asks): Fault =>
  fault(403, '6407', `You do not have the permission to ${verb} notebook ${id}.`)

const labFaults = {
  ...common,
  Held: noPermission,
  OwnedByService: noPermission,
  DeletionProtected: noPermission,
  TermUnfinished: noPermission,
  ...impossible(internalLab),
  NotFound: ({ what, id }) => {
    if (what === 'workspace') return noWorkspace(id)
    if (what === 'flavor') return badPayload('flavor')
    return what === 'image'
      ? fault(400, '6797', `Specified image ${id} cannot be found.`)
      : fault(400, '6404', `Notebook ${id} not found.`)
  },
  // Names may repeat in this family.
  AlreadyExists: () => internalLab,
  BadField: ({ field }) => badPayload(field === '' ? 'body' : field),
  WrongState: labState,
  Busy: labState,
  NoCapacity: (_, { flavor = '' }) =>
    fault(400, '6716', `The specified flavor ${flavor} is already sold out.`),
  FlavorMismatch: ({ flavor, image }, asks) =>
    asks.verb === 'update'
      ? notSwitchable(asks)
      : fault(
          400,
          '6870',
          `Specified flavor ${flavor} does not support current instance feature ${image}.`,
        ),
  // What its driver cannot run is no flavor for it.
  Unsupported: (_, asks) => (asks.verb === 'update' ? notSwitchable(asks) : driverDown(asks)),
  QuotaExceeded: ({ what }) =>
    what === 'label'
      ? fault(400, '0116', 'The expected tags exceeds the quota limit.')
      : fault(400, '0118', 'QuotaInsufficient'),
  TokenReused: () => badPayload('Idempotency-Key'),
  StoreUnavailable: () => internalLab,
} as const satisfies Faults

type Table = (error: KernelError, asks: Asks) => Fault

export const devenvFault: Table = (error, asks) => (devenvFaults[error.code] as Table)(error, asks) // the entry under an error's code takes that error

export const labFault: Table = (error, asks) => (labFaults[error.code] as Table)(error, asks) // as above

/** What never reached a route. */
export const unrouted = {
  'not-found': noRoute,
  'method-not-allowed': noRoute,
  'too-large': { ...devenvField.badBody, status: 413 },
  malformed: devenvField.badBody,
  overloaded: later(busy, 1000),
  unavailable: internalLab,
  internal: internalLab,
} as const satisfies Record<Unrouted, Fault>
