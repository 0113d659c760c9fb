// Our errors in this API's words: a code and a sentence per service. Of a whole request they come with a status;
// of one server they stand in the job, where no status is.
//
// - Never a fault of the native API: the vendor's libraries read neither code nor sentence out of one.
// - The bare-metal service documents 400 for nearly everything, also for what is not there.
// Source: contract, sections 11.2 and 15; the services' own tables of codes.

import { compact } from '#kernel/ids.ts'
import type { ErrorCode, ErrorOf, KernelError } from '#kernel/errors.ts'
import type { Verb } from '#kernel/kinds.ts'
import type { Answer, Exchange } from '../shared/http.ts'
import type { Family } from './states.ts'

export interface Words {
  readonly code: string
  readonly message: string
}

export interface Fault extends Words {
  readonly status: number
  readonly retryAfterMs?: number
}

const words = (code: string, message: string): Words => ({ code, message })
const at = (status: number, said: Words): Fault => ({ status, ...said })

/** What is asked, as sentences name it. */
export type Asked = 'start' | 'stop' | 'reboot' | 'show' | 'update'

type Rows = { readonly [C in ErrorCode]: (error: ErrorOf<C>, asked: Asked) => Words }

const bmsFailed = words('BMS.0006', 'Fail to operate baremetal server.')
const bmsInvalid = words('BMS.0018', 'Request parameter is invalid.')
const bmsPoor = words(
  'BMS.0005',
  'Role check fail, reason: You do not have permission or your balance is insufficient.',
)
const bmsNoRoom = words('BMS.3037', 'Insufficient resources or failed to start the BMS.')
const bmsLocked = words('BMS.0605', 'the BMS is locked.')
const bmsDenied = (action: string): Words =>
  words('BMS.0288', `Policy doesn't allow ${action} to be performed.`)

const powering = {
  create: ['BMS.0035', 'powering on'],
  start: ['BMS.0035', 'powering on'],
  stop: ['BMS.0036', 'powering off'],
  delete: ['BMS.0036', 'powering off'],
  restart: ['BMS.0037', 'rebooting'],
} as const satisfies Partial<Record<Verb, readonly [string, string]>>

function bmsBusy({ running }: ErrorOf<'Busy'>, asked: Asked): Words {
  if (!Object.hasOwn(powering, running)) return bmsFailed
  const [code, doing] = powering[running as keyof typeof powering] // an own key of the table
  return words(code, `Server is ${doing}, not allow to ${asked}.`)
}

function bmsWrongState({ situation }: ErrorOf<'WrongState'>, asked: Asked): Words {
  if (situation === 'stopped') return words('BMS.0039', `Server is stopped, not allow to ${asked}.`)
  if (situation === 'running') return words('BMS.0038', `Server is running, not allow to ${asked}.`)
  return bmsFailed
}

const bmsRows = {
  NotFound: () => words('BMS.0040', 'The server does not exist.'),
  WrongState: bmsWrongState,
  Busy: bmsBusy,
  Held: () => bmsLocked,
  OwnedByService: () => bmsLocked,
  Forbidden: (_e, asked) => bmsDenied(`bms:servers:${asked}`),
  NotOwner: (_e, asked) => bmsDenied(`bms:servers:${asked}`),
  ProjectFrozen: () => bmsPoor,
  BalanceLacking: () => bmsPoor,
  NoCapacity: () => bmsNoRoom,
  NodeNotReady: () => bmsNoRoom,
  BadField: () => bmsInvalid,
  TokenReused: () => bmsInvalid,
  TokenInProcess: () => bmsInvalid,
  Overloaded: () => bmsFailed,
  StoreUnavailable: () => bmsFailed,
  AlreadyExists: () => bmsFailed,
  NotQueueable: () => bmsFailed,
  StoppedModeSame: () => bmsFailed,
  CannotRelease: () => bmsFailed,
  HostUnsupported: () => bmsFailed,
  DeletionProtected: () => bmsFailed,
  TermUnfinished: () => bmsFailed,
  NotOnNodes: () => bmsFailed,
  ServiceBusy: () => bmsFailed,
  ServiceInUse: () => bmsFailed,
  FlavorDenied: () => bmsFailed,
  FlavorMismatch: () => bmsFailed,
  QuotaExceeded: () => bmsFailed,
  Unusable: () => bmsFailed,
  Unsupported: () => bmsFailed,
  GenerationChanged: () => bmsFailed,
  DriverUnavailable: () => bmsFailed,
  Fenced: () => bmsFailed,
} as const satisfies Rows

const ecsFailed = words(
  'Ecs.0002',
  'A system exception occurred. Try again later or contact customer service.',
)
const ecsInvalid = words('Ecs.0005', 'request body is illegal.')
const ecsWrongState = words(
  'Ecs.0100',
  'The ECS status does not meet requirements. Make the ECS in the required status and try again.',
)
const ecsPoor = words(
  'Ecs.0003',
  'You do not have permission to perform this operation. Contact customer service to obtain permission.',
)
const ecsDenied = words('Ecs.0110', 'Contact the main account to obtain permission.')
const ecsNoRoom = words('Ecs.0319', 'Insufficient resources for this flavor. Try another flavor.')
const ecsLocked = words('Ecs.0605', 'ECS locked.')

const ecsRows = {
  NotFound: () => words('Ecs.0114', 'The ECS does not exist.'),
  WrongState: () => ecsWrongState,
  Busy: () => ecsWrongState,
  Held: () => ecsLocked,
  OwnedByService: () => ecsLocked,
  Forbidden: () => ecsDenied,
  NotOwner: () => ecsDenied,
  ProjectFrozen: () => ecsPoor,
  BalanceLacking: () => ecsPoor,
  NoCapacity: () => ecsNoRoom,
  NodeNotReady: () => ecsNoRoom,
  BadField: () => ecsInvalid,
  TokenReused: () => ecsInvalid,
  TokenInProcess: () => ecsInvalid,
  Overloaded: () => ecsFailed,
  StoreUnavailable: () => ecsFailed,
  AlreadyExists: () => ecsFailed,
  NotQueueable: () => ecsFailed,
  StoppedModeSame: () => ecsFailed,
  CannotRelease: () => ecsFailed,
  HostUnsupported: () => ecsFailed,
  DeletionProtected: () => ecsFailed,
  TermUnfinished: () => ecsFailed,
  NotOnNodes: () => ecsFailed,
  ServiceBusy: () => ecsFailed,
  ServiceInUse: () => ecsFailed,
  FlavorDenied: () => ecsFailed,
  FlavorMismatch: () => ecsFailed,
  QuotaExceeded: () => ecsFailed,
  Unusable: () => ecsFailed,
  Unsupported: () => ecsFailed,
  GenerationChanged: () => ecsFailed,
  DriverUnavailable: () => ecsFailed,
  Fenced: () => ecsFailed,
} as const satisfies Rows

const rows = { bms: bmsRows, ecs: ecsRows } as const satisfies Record<Family, Rows>

/** Of one server, or of the whole request. */
export function wordsFor(family: Family, error: KernelError, asked: Asked): Words {
  const row = rows[family][error.code] as (error: KernelError, asked: Asked) => Words // each row takes the error of its own code
  return row(error, asked)
}

export function faultFor(family: Family, error: KernelError, asked: Asked): Fault {
  const said = wordsFor(family, error, asked)
  if (error.code === 'Forbidden' || error.code === 'NotOwner') return at(403, said)
  if (error.code === 'NotFound') return speeches[family].notFound
  const wait = error.code === 'Overloaded' ? { retryAfterMs: error.retryAfterMs } : {}
  return { ...at(400, said), ...wait }
}

interface Speech {
  readonly notJson: (reason: string) => Fault
  readonly invalid: Fault
  /** More servers than one request may name. */
  readonly tooMany: Fault
  readonly otherProject: Fault
  /** @param action  as the vendor's policies name it. */
  readonly denied: (action: string) => Fault
  readonly notFound: Fault
  readonly badName: (name: string, why: string) => Fault
  /** What was accepted and then failed, by what was asked. */
  readonly failed: (asked: Asked) => Words
}

export const otherTenant: Fault = at(
  400,
  words('Common.0018', 'tenantId in token is not the same with in URL.'),
)
export const unknownJob: Fault = at(400, words('Common.0011', 'Failed to query system tasks.'))
export const partsFailed = words('Common.0021', 'Sub job fail!')

export const speeches = {
  bms: {
    notJson: (reason) => at(400, words('BMS.0001', `Fail to parse request, reason: ${reason}.`)),
    invalid: at(400, bmsInvalid),
    tooMany: at(
      400,
      words('BMS.0205', 'The number of baremetal servers is out of range for one quest.'),
    ),
    otherProject: otherTenant,
    denied: (action) => at(403, bmsDenied(action)),
    notFound: at(400, words('BMS.0040', 'The server does not exist.')),
    badName: (name, why) =>
      at(400, words('BMS.0206', `The length of baremetal server name[${name}] is ${why}.`)),
    failed: (asked) => (asked === 'stop' ? bmsFailed : bmsNoRoom),
  },
  ecs: {
    notJson: () => at(400, ecsInvalid),
    invalid: at(400, ecsInvalid),
    tooMany: at(400, ecsInvalid),
    otherProject: at(
      400,
      words('Ecs.0023', 'project_id in token mismatches with project_id in url.'),
    ),
    denied: () => at(403, ecsDenied),
    // Source: the service's table of codes, which has 404 for this one.
    notFound: at(404, words('Ecs.0114', 'The ECS does not exist.')),
    badName: () => at(400, ecsInvalid),
    failed: (asked) =>
      asked === 'start'
        ? words('Ecs.0226', 'Failed to start.')
        : asked === 'reboot'
          ? words('Ecs.0227', 'Failed to reboot.')
          : words('Ecs.0611', 'Batch operation failed.'),
  },
} as const satisfies Record<Family, Speech>

export const refusal = (
  exchange: Pick<Exchange, 'requestId'>,
  { status, code, message, retryAfterMs }: Fault,
): Answer => ({
  status,
  headers: {
    'content-type': 'application/json',
    'x-request-id': compact(exchange.requestId),
    ...(retryAfterMs === undefined
      ? {}
      : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
  },
  body: { error: { code, message } },
})
