// Our states in the words of this cloud's two families, exhaustively, and what each call does in each status.
// The first family's table is the contract's matrix cell by cell; the states from which the kernel may accept a
// request, and the code of every refusal, both follow from it.
// Source: notebook contract, sections 2.1 to 2.3, 2.6 and 2.7.

import { type Instance, situationOf } from '#kernel/instance.ts'
import type { SituationOf } from '#kernel/kinds.ts'

export type NotebookSituation = SituationOf<'notebook'>

/** Every status of the first family. Nothing resizes a notebook here, so nothing is ever shown as the last two. */
export const devenvStatuses = [
  'CREATE_QUEUING',
  'CREATING',
  'CREATE_FAILED',
  'START_QUEUING',
  'READY_TO_START',
  'STARTING',
  'RESTARTING',
  'START_FAILED',
  'RUNNING',
  'STOPPING',
  'STOPPED',
  'UNAVAILABLE',
  'DELETED',
  'RESIZING',
  'RESIZE_FAILED',
] as const
export type DevenvStatus = (typeof devenvStatuses)[number]

/** `queued` has two words; this is the one for an instance that exists, see `devenvStatus`. */
export const devenvWords = {
  provisioning: 'CREATING',
  running: 'RUNNING',
  stopped: 'STOPPED',
  queued: 'START_QUEUING',
  reserved: 'READY_TO_START',
  starting: 'STARTING',
  stopping: 'STOPPING',
  restarting: 'RESTARTING',
  // There is no word for being deleted: it is gone as soon as that is accepted.
  deleting: 'DELETED',
  deleted: 'DELETED',
  'failed/create': 'CREATE_FAILED',
  'failed/start': 'START_FAILED',
  'failed/restart': 'START_FAILED',
  // Faulty, and the platform does not know what became of it.
  'failed/stop': 'UNAVAILABLE',
  'failed/delete': 'UNAVAILABLE',
  'failed/run': 'UNAVAILABLE',
  // Nothing captures a notebook.
  'failed/capture': 'UNAVAILABLE',
} as const satisfies Record<NotebookSituation, DevenvStatus>

/** @param awaits  what a queued instance waits for. */
export function devenvStatus(
  situation: NotebookSituation,
  awaits: 'create' | 'start' | undefined,
): DevenvStatus {
  return situation === 'queued' && awaits === 'create' ? 'CREATE_QUEUING' : devenvWords[situation]
}

/** A notebook's own situation: the kind rules the others out. */
export const notebookSituation = (instance: Instance): NotebookSituation =>
  situationOf(instance) as NotebookSituation // only asked of instances of this kind

export const devenvStatusOf = (instance: Instance): DevenvStatus =>
  devenvStatus(notebookSituation(instance), instance.queue?.awaits)

/** The situations shown as a status; `queued` counts under both of its words. */
export const situationsShownAs = (status: DevenvStatus): readonly NotebookSituation[] =>
  status === 'CREATE_QUEUING' ? ['queued'] : situations.filter((one) => devenvWords[one] === status)

const situations = Object.keys(devenvWords) as readonly NotebookSituation[] // keys of a const table

/** All but those that the first family calls gone. */
export const livingSituations = situations.filter((one) => devenvWords[one] !== 'DELETED')

export const devenvVerbs = [
  'start',
  'stop',
  'restart',
  'queue',
  'dequeue',
  'delete',
  'update',
] as const
export type DevenvVerb = (typeof devenvVerbs)[number]

/** ok: accepted; else the number of the code that refuses it. */
type Cell =
  | 'ok'
  | '6304'
  | '6305'
  | '6306'
  | '6307'
  | '6308'
  | '6309'
  | '6327'
  | '6333'
  | '6347'
  | '6357'
type Row = Readonly<Record<DevenvVerb, Cell>>

const row = (
  start: Cell,
  stop: Cell,
  restart: Cell,
  queue: Cell,
  dequeue: Cell,
  remove: Cell,
  update: Cell,
): Row => ({ start, stop, restart, queue, dequeue, delete: remove, update })

const always = (cell: Cell, update: Cell): Row => row(cell, cell, cell, cell, cell, cell, update)

/** Section 2.3. Columns: start, stop, restart, queue, dequeue, delete, update. */
export const matrix = {
  STOPPED: row('ok', '6307', '6327', 'ok', '6357', 'ok', 'ok'),
  START_FAILED: row('ok', '6327', '6327', 'ok', '6357', 'ok', 'ok'),
  CREATE_FAILED: row('6357', '6327', '6327', '6357', '6357', 'ok', '6347'),
  RESIZE_FAILED: row('ok', '6327', '6327', '6357', '6357', 'ok', 'ok'),
  CREATING: always('6357', '6347'),
  STARTING: always('6306', '6347'),
  RESTARTING: always('6357', '6347'),
  RUNNING: row('6305', 'ok', 'ok', '6305', '6357', '6304', 'ok'),
  STOPPING: always('6308', '6347'),
  CREATE_QUEUING: row('6357', '6357', '6357', '6357', 'ok', '6357', 'ok'),
  START_QUEUING: row('6357', '6357', '6357', '6357', 'ok', '6357', 'ok'),
  READY_TO_START: row('ok', '6357', '6357', '6357', 'ok', '6357', 'ok'),
  UNAVAILABLE: row('6333', 'ok', 'ok', '6357', '6357', '6304', '6347'),
  RESIZING: always('6357', '6347'),
  DELETED: always('6309', '6309'),
} as const satisfies Record<DevenvStatus, Row>

/** Where the first family accepts a verb from. */
export const devenvFrom = (verb: DevenvVerb): readonly NotebookSituation[] =>
  situations.filter((one) => matrix[devenvWords[one]][verb] === 'ok')

export const refusalCode = (
  verb: DevenvVerb,
  situation: NotebookSituation,
): Exclude<Cell, 'ok'> => {
  const cell = matrix[devenvWords[situation]][verb]
  // The matrix allows it and the kernel did not: somebody else's operation has just begun.
  return cell === 'ok' ? '6357' : cell
}

/** Every status of the second family. `INIT` may be skipped; nothing takes a snapshot of a notebook here. */
export const labStatuses = [
  'INIT',
  'CREATING',
  'RUNNING',
  'STOPPING',
  'STOPPED',
  'STARTING',
  'SNAPSHOTTING',
  'DELETING',
  'DELETED',
  'CREATE_FAILED',
  'START_FAILED',
  'DELETE_FAILED',
  'ERROR',
  'FROZEN',
] as const
export type LabStatus = (typeof labStatuses)[number]

/** What may be asked of a notebook of the second family, and the code that refuses it; null: accepted. */
interface LabRow {
  readonly status: LabStatus
  readonly start: boolean
  readonly stop: boolean
  /** Never 6357 unless it is really going away: one client reads that as "already deleted". */
  readonly delete: 'ok' | '6306' | '6308' | '6355' | '6357'
}

const lab = (
  status: LabStatus,
  accepts: 'start' | 'stop' | 'neither',
  remove: LabRow['delete'],
): LabRow => ({
  status,
  start: accepts === 'start',
  stop: accepts === 'stop',
  delete: remove,
})

/** Sections 1.11, 1.15 and 2.6. There is no queue in this family: who waits for a place has not begun. */
export const labRows = {
  provisioning: lab('CREATING', 'neither', '6355'),
  running: lab('RUNNING', 'stop', 'ok'),
  stopped: lab('STOPPED', 'start', 'ok'),
  queued: lab('INIT', 'neither', 'ok'),
  reserved: lab('STOPPED', 'start', 'ok'),
  starting: lab('STARTING', 'neither', '6306'),
  restarting: lab('STARTING', 'neither', '6306'),
  stopping: lab('STOPPING', 'neither', '6308'),
  deleting: lab('DELETING', 'neither', '6357'),
  deleted: lab('DELETED', 'neither', '6357'),
  'failed/create': lab('CREATE_FAILED', 'neither', 'ok'),
  'failed/start': lab('START_FAILED', 'start', 'ok'),
  'failed/restart': lab('START_FAILED', 'start', 'ok'),
  'failed/stop': lab('ERROR', 'neither', 'ok'),
  'failed/run': lab('ERROR', 'neither', 'ok'),
  'failed/delete': lab('DELETE_FAILED', 'neither', 'ok'),
  'failed/capture': lab('ERROR', 'neither', 'ok'),
} as const satisfies Record<NotebookSituation, LabRow>

export const livingInLab = situations.filter((one) => labRows[one].status !== 'DELETED')

/**
 * Where the second family accepts a call. `rename` stands for what may change while it runs, `update` for the rest;
 * a lease is renewed while it runs.
 */
const labAccepts = {
  start: (row: LabRow) => row.start,
  stop: (row: LabRow) => row.stop,
  delete: (row: LabRow) => row.delete === 'ok',
  renew: (row: LabRow) => row.status === 'RUNNING',
  rename: (row: LabRow) => row.status === 'RUNNING' || row.status === 'STOPPED',
  update: (row: LabRow) => row.status === 'STOPPED',
} as const
export type LabVerb = keyof typeof labAccepts

export const labFrom = (verb: LabVerb): readonly NotebookSituation[] =>
  situations.filter((one) => labAccepts[verb](labRows[one]))

export const labSituationsShownAs = (status: LabStatus): readonly NotebookSituation[] =>
  situations.filter((one) => labRows[one].status === status)
