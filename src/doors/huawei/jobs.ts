// `GET …/jobs/{job_id}`: how far a batch has come, read afresh each time from what was kept of it and from its
// operations. Nothing of it is remembered here, so it is the same before and after a restart.
//
// Source: contract, sections 11.3 and 11.4.

import type { BatchRow } from '#kernel/batch.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { textIn } from '../shared/json-facts.ts'
import type { OperationId } from '#kernel/ids.ts'
import type { Operation } from '#kernel/operation.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import { askedOf } from './actions.ts'
import type { Call } from './call.ts'
import { type Asked, type Fault, speeches, unknownJob, wordsFor } from './faults.ts'
import { actions, type Action, type Family, jobStatuses } from './states.ts'
import { jobObject, type Part } from './wire.ts'

export async function showJob({ exchange, house, project }: Call): Promise<Result<object, Fault>> {
  const id = batchIdIn(exchange.params['job_id'] ?? '')
  const row = id === undefined ? undefined : await house.plane.read.get('batches', id)
  // Another project's job cannot be told from one that never was, not even by an admin.
  if (row?.project !== project) return err(unknownJob)
  const note = noteOf(row)
  if (note === undefined) return err(unknownJob)
  const asked = askedOf[note.action]
  const parts = await Promise.all(
    row.items.map((item) => partOf(house.plane.read, { row, item, family: note.family, asked })),
  )
  return ok(jobObject(row, note, parts))
}

/** A job's id is the batch's without its dashes. */
function batchIdIn(text: string): string | undefined {
  if (!/^[0-9a-f]{32}$/.test(text)) return undefined
  return [8, 12, 16, 20, 32].map((end, at, ends) => text.slice(ends[at - 1] ?? 0, end)).join('-')
}

/** Batches that another door kept are no jobs of this one. */
function noteOf({ note }: BatchRow): { family: Family; action: Action } | undefined {
  const family = textIn(note, 'family')
  const action = actions.find((one) => one === textIn(note, 'action'))
  return action !== undefined && (family === 'bms' || family === 'ecs')
    ? { family, action }
    : undefined
}

interface Item {
  readonly row: BatchRow
  readonly item: BatchRow['items'][number]
  readonly family: Family
  readonly asked: Asked
}

async function partOf(read: Reads, { row, item, family, asked }: Item): Promise<Part> {
  const { name, outcome } = item
  const atOnce = { serverId: name, beginMs: row.atMs, endMs: row.atMs }
  if ('error' in outcome) {
    const failure = wordsFor(family, outcome.error, asked)
    return { ...atOnce, status: 'FAIL', failure, detail: failure.message }
  }
  if (outcome.operation === null)
    return { ...atOnce, status: 'SUCCESS', failure: null, detail: null }
  const operation = await lastOf(read, outcome.operation)
  if (operation === undefined)
    return { ...atOnce, status: 'FAIL', failure: speeches[family].failed(asked), detail: null }
  const status = jobStatuses[operation.state]
  return {
    serverId: name,
    status,
    // A stop that joined a running one began when it was asked for, not when that one did.
    beginMs: Math.max(row.atMs, operation.startedAtMs),
    endMs: operation.finishedAtMs,
    failure: status === 'FAIL' ? speeches[family].failed(asked) : null,
    detail: status === 'FAIL' ? reasonOf(operation) : null,
  }
}

/** A harder request for the same takes over what was asked; its end is the end of both. */
async function lastOf(read: Reads, id: OperationId): Promise<Operation | undefined> {
  let operation = await read.get('operations', id)
  for (let hops = 0; hops < hopsMax && operation?.supersededBy; hops += 1) {
    const next = await read.get('operations', operation.supersededBy)
    if (next === undefined || next.id === operation.id || next.verb !== operation.verb) break
    operation = next
  }
  return operation
}

/** A stop has three rungs and may be forced again; far below this, far above what happens. */
const hopsMax = 64

const reasonOf = ({ failure, state }: Operation): string =>
  failure?.message ?? (state === 'cancelled' ? 'another request took its place' : 'it failed')
