// What goes on running when the server does not, and how to end it.

import type { Caller } from '#kernel/caller.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Store } from '#kernel/ports/store.ts'

/** How long one thing may take to end by `--stop-all`; the ladder inside is shorter. */
const endPatienceMs = 60_000

async function realThings(store: Pick<Store, 'list'>): Promise<readonly Instance[]> {
  const rows: Instance[] = []
  let after: { id: string } | undefined
  for (;;) {
    const page = await store.list('instances', {
      where: { driver: 'process' },
      limit: 1_000,
      ...(after ? { after } : {}),
    })
    rows.push(...page.filter((row) => row.observation.seen === 'up'))
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

export async function endAll(plane: Plane, caller: Caller): Promise<readonly string[]> {
  const things = await realThings(plane.read)
  return Promise.all(
    things.map(async (row) => {
      const result = await plane.submit(
        { verb: 'stop', target: { kind: 'any', id: row.id }, rung: 'soft', why: '--stop-all' },
        { caller, door: 'command line', requestId: 'stop-all' },
      )
      if (!result.ok) return `${row.name}: not stopped, ${result.error.code}`
      const operation =
        result.value.operationId &&
        (await plane.ended(result.value.operationId, endPatienceMs, new AbortController().signal))
      return `${row.name}: ${operation ? operation.state : 'stopped already'}${pidOf(row)}`
    }),
  )
}
