// What goes on running when the server does not, and how to end it.

import type { Caller } from '#kernel/caller.ts'
import type { KernelError } from '#kernel/errors.ts'
import type { OperationId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Store } from '#kernel/ports/store.ts'

/** How long one thing may take to end by `--stop-all`; the ladder inside is shorter. */
const endPatienceMs = 60_000

/** Whether it runs, may for all we know, or is on its way to. */
function isLive({ underway, handle, observation }: Instance): boolean {
  const isOver = observation.seen === 'down' || observation.seen === 'absent'
  return underway !== null || (handle !== null && !isOver)
}

async function realThings(store: Pick<Store, 'list'>): Promise<readonly Instance[]> {
  const rows: Instance[] = []
  let after: { id: string } | undefined
  for (;;) {
    const page = await store.list('instances', {
      where: { driver: 'process' },
      limit: 1_000,
      ...(after ? { after } : {}),
    })
    rows.push(...page.filter(isLive))
    const last = page.at(-1)
    if (!last || page.length < 1_000) return rows
    after = { id: last.id }
  }
}

export async function stillRunning(store: Pick<Store, 'list'>): Promise<readonly string[]> {
  return (await realThings(store)).map((row) => `${row.name} (${row.kind} ${row.id})${pidOf(row)}`)
}

const pidOf = (row: Instance): string =>
  typeof row.observation.evidence['pid'] === 'number'
    ? `, pid ${row.observation.evidence['pid']}`
    : ''

/** What came of ending one thing. */
export interface Ending {
  readonly line: string
  /** It is down, now or before. */
  readonly isDown: boolean
}

export async function endAll(plane: Plane, caller: Caller): Promise<readonly Ending[]> {
  const endings: Ending[] = []
  const asked = new Set<string>()
  for (;;) {
    // What ends may make room for what waits in a queue, so it is looked again.
    const things = (await realThings(plane.read)).filter(({ id }) => !asked.has(id))
    if (things.length === 0) return endings
    for (const { id } of things) asked.add(id)
    endings.push(...(await Promise.all(things.map((row) => end(plane, caller, row)))))
  }
}

async function end(plane: Plane, caller: Caller, row: Instance): Promise<Ending> {
  const result = await plane.submit(
    { verb: 'stop', target: { kind: 'any', id: row.id }, rung: 'soft', why: '--stop-all' },
    { caller, door: 'command line', requestId: 'stop-all' },
  )
  const operationId = result.ok ? result.value.operationId : removalOf(result.error)
  if (!result.ok && operationId === undefined)
    return { line: `${row.name}: not stopped, ${result.error.code}`, isDown: false }
  const operation =
    operationId && (await plane.ended(operationId, endPatienceMs, new AbortController().signal))
  const state = operation ? operation.state : 'stopped already'
  return {
    line: `${row.name}: ${state}${pidOf(row)}`,
    isDown: !operation || operation.state === 'succeeded',
  }
}

/** What is being deleted is not stopped besides: its deletion ends it. */
const removalOf = (error: KernelError): OperationId | undefined =>
  error.code === 'Busy' && error.running === 'delete' ? error.operation : undefined
