// Two stores that are told the same things say the same things: model tests run on the one in memory, and what
// they find must hold for the one on disk.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { unreachable } from '#kernel/assert.ts'
import type { EventDraft } from '#kernel/event.ts'
import { type FacetTest, hasFacet, hasText, labelName, without } from '#kernel/facets.ts'
import { instanceId, operationId, projectId, serviceId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import {
  type Commit,
  type EventQuery,
  type Query,
  type Store,
  StoreError,
  type Write,
} from '#kernel/ports/store.ts'
import { type Column, type ColumnName, columns } from '#kernel/tables.ts'
import { memoryStore } from '#stores/memory/store.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'
import { eventDraft, rows } from './rows.ts'

/** Few values, so that rows share them, and among them what sorts or compares oddly. */
const word = fc.constantFrom('', 'a', 'B', 'b', 'ab', 'é', '\u{ffff}', '😀', 'f/x', '%')
const timeMs = fc.integer({ min: 0, max: 6 })
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 3 })
const id = word.map((text) => `id-${text}`)

const instance: fc.Arbitrary<Instance> = fc
  .record({
    id: id.map(instanceId),
    project: fc.constantFrom('p', 'q').map(projectId),
    kind: fc.constantFrom('server', 'notebook', 'edge-instance'),
    state: fc.constantFrom('running', 'stopped', 'failed', 'deleted', 'queued'),
    name: word,
    flavorId: maybe(word),
    nodeId: maybe(word),
    driver: maybe(word),
    createdAtMs: timeMs,
    failure: maybe(
      fc.constantFrom('start', 'stop', 'run').map((verb) => ({
        verb,
        message: '',
        atMs: 0,
        evidence: {},
      })),
    ),
    queue: maybe(
      timeMs.map((ticket) => ({ poolId: 'p', awaits: 'start', sinceMs: 0, ticket }) as const),
    ),
    aliases: fc.constantFrom({}, { ecs: 'i-1' }, { lab: 'x', devenv: 'y' }),
    charge: fc.constantFrom('PostPaid', 'PrePaid'),
    labels: fc.dictionary(word, word, { maxKeys: 2 }),
    attributes: fc.constantFrom({}, { ecs: { zoneId: 'a' } }, { ecs: { zoneId: 5 } }),
  } satisfies { [K in keyof Instance]?: unknown })
  .map((change) => rows.instances(change as Partial<Instance>)) // some are illegal on purpose: `queued` servers

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 6, arbitrary: instance.map((row): Write => ({ table: 'instances', row })) },
  {
    weight: 3,
    arbitrary: fc
      .record({
        id: id.map(operationId),
        instanceId: id.map(instanceId),
        state: fc.constantFrom('running', 'succeeded', 'failed'),
        startedAtMs: timeMs,
        leaseUntilMs: timeMs,
        notBeforeMs: maybe(timeMs),
      })
      .map((change): Write => ({ table: 'operations', row: rows.operations(change) })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ id: id.map(serviceId), key: fc.constantFrom('k1', 'k2'), name: word })
      .map((change): Write => ({ table: 'services', row: rows.services(change) })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      table: fc.constantFrom('instances', 'operations', 'services'),
      remove: id,
    }),
  },
)

const draft: fc.Arbitrary<EventDraft> = fc
  .record({
    subject: id,
    instanceId: maybe(id),
    project: maybe(fc.constantFrom('p', 'q').map(projectId)),
    type: fc.constantFrom('instance.state', 'operation.step', 'pool.changed'),
    atMs: timeMs,
  })
  .map(eventDraft)

const commit: fc.Arbitrary<Commit> = fc.record({
  writes: fc.array(write, { maxLength: 6 }),
  events: fc.array(draft, { maxLength: 3 }),
})

const column = fc.constantFrom(...(Object.keys(columns.instances) as ColumnName<'instances'>[])) // keys of a const table
const values = fc.oneof(
  word,
  fc.constantFrom('p', 'q', 'server', 'running', 'failed/start'),
  timeMs,
)
const wanted = fc.oneof(maybe(values), fc.array(maybe(values), { maxLength: 3 }))
const optional = <T extends object>(part: fc.Arbitrary<T>): fc.Arbitrary<T | object> =>
  fc.oneof(fc.constant({}), part)

/** Types meet as SQLite has them: texts in text columns and numbers in the others. */
const isFitting = (by: ColumnName<'instances'>, value: unknown): boolean =>
  value === null ||
  (Array.isArray(value)
    ? value.every((one) => isFitting(by, one))
    : (typeof value === 'number') === /AtMs|UntilMs|Ticket|facetKey/.test(by))

const facet: fc.Arbitrary<FacetTest> = fc
  .constantFrom(
    hasFacet('charge', 'PostPaid'),
    hasFacet('ecs.zoneId', 'a'),
    hasFacet('ecs.zoneId', 5),
    hasText('ecs.zoneId'),
    hasFacet(labelName('a'), 'b'),
    hasText(labelName('é')),
    hasText(labelName('f/x')),
  )
  .filter((one) => one !== undefined)
  .chain((one) => fc.constantFrom(one, without(one)))

const such = fc
  .tuple(
    optional(
      fc
        .dictionary(column, wanted, { maxKeys: 3 })
        .filter((where) =>
          Object.entries(where).every(
            ([by, value]) => isFitting(by as ColumnName<'instances'>, value), // the dictionary's own keys
          ),
        )
        .map((where) => ({ where })),
    ),
    optional(
      fc.record({
        contains: fc.record({ column: fc.constantFrom('name', 'flavorId'), text: word }),
      }),
    ),
    optional(
      fc.record({
        range: fc.record(
          { column: fc.constantFrom('createdAtMs', 'queueTicket'), min: timeMs, max: timeMs },
          { requiredKeys: ['column'] },
        ),
      }),
    ),
    optional(fc.record({ facets: fc.array(fc.array(facet, { maxLength: 2 }), { maxLength: 2 }) })),
    // What sets of facets answer, so that it is asked often.
    optional(
      fc.record({
        where: fc.record({
          project: fc.constantFrom('p', 'q'),
          kind: fc.constant('server'),
          state: fc.subarray(['running', 'stopped', 'failed'], { minLength: 1 }),
        }),
      }),
    ),
  )
  .map((parts) => Object.assign({}, ...parts) as Omit<Query<'instances'>, 'limit'>) // the optional parts of a query

const order = fc.record({ by: column, dir: fc.constantFrom('asc', 'desc') })
const eventQuery: fc.Arbitrary<EventQuery> = fc.record(
  {
    after: fc.nat(20),
    project: fc.constantFrom('p', 'q'),
    instanceId: id,
    subject: id,
    types: fc.subarray(['instance.state', 'pool.changed']),
    newestFirst: fc.boolean(),
    before: fc.nat(30),
    during: fc.record({ sinceMs: timeMs, untilMs: timeMs }, { requiredKeys: [] }),
    limit: fc.integer({ min: 1, max: 10 }),
  },
  { requiredKeys: ['after', 'limit'] },
)

/** Data, not functions: a failure then shows what was asked. */
type Ask =
  | { readonly ask: 'commit'; readonly commit: Commit }
  | { readonly ask: 'list'; readonly query: Query<'instances'> }
  | { readonly ask: 'count'; readonly query: Omit<Query<'instances'>, 'limit'> }
  | { readonly ask: 'events'; readonly query: EventQuery }
  | { readonly ask: 'find'; readonly by: ColumnName<'instances'>; readonly value: Column }
  | { readonly ask: 'claim'; readonly nowMs: number; readonly limit: number }

const ask: fc.Arbitrary<Ask> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ask: fc.constant('commit'), commit }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(such, optional(fc.record({ order })), fc.integer({ min: 1, max: 4 }))
      .map(([query, by, limit]): Ask => ({ ask: 'list', query: { ...query, ...by, limit } })),
  },
  { weight: 3, arbitrary: fc.record({ ask: fc.constant('count'), query: such }) },
  { weight: 1, arbitrary: fc.record({ ask: fc.constant('events'), query: eventQuery }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ask: fc.constant('find'),
      by: fc.constantFrom('name', 'nodeId', 'nameKey'),
      value: maybe(word),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ask: fc.constant('claim'),
      nowMs: timeMs,
      limit: fc.integer({ min: 1, max: 3 }),
    }),
  },
)

function answer(store: Store, asked: Ask): Promise<unknown> {
  switch (asked.ask) {
    case 'commit':
      return store.commit(asked.commit)
    case 'list':
      return walk(store, asked.query)
    case 'count':
      return store.count('instances', asked.query)
    case 'events':
      return store.events(asked.query)
    case 'find':
      return store.find('instances', asked.by, asked.value)
    case 'claim':
      return store.claim('w', asked.nowMs, 2, asked.limit)
    default:
      return unreachable(asked)
  }
}

async function walk(store: Store, query: Query<'instances'>): Promise<readonly Instance[]> {
  const all: Instance[] = []
  for (;;) {
    const last = all.at(-1)
    const value = last && query.order ? { value: columns.instances[query.order.by](last) } : {}
    const page = await store.list('instances', {
      ...query,
      ...(last ? { after: { id: last.id, ...value } } : {}),
    })
    all.push(...page)
    if (page.length < query.limit) return all
  }
}

/** What it says, or the code with which it refuses. */
const saidBy = (store: Store, one: Ask): Promise<unknown> =>
  answer(store, one).catch((error: unknown) => {
    if (error instanceof StoreError) return error.code
    throw error
  })

async function whole(store: Store): Promise<readonly unknown[]> {
  const tables = ['instances', 'operations', 'services'] as const
  const all = tables.map((table) => store.list(table, { limit: 1_000 }))
  return [...(await Promise.all(all)), await store.events({ after: 0, limit: 1_000 })]
}

test('a store in memory and one on disk cannot be told apart', async (t) => {
  const seed = Number(process.env['RUNSTATE_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`replay with RUNSTATE_TEST_SEED=${seed}`)
  const property = fc.asyncProperty(
    fc.array(ask, { minLength: 1, maxLength: 120, size: 'max' }),
    async (asks) => {
      const folder = mkdtempSync(join(tmpdir(), 'runstate-twins-'))
      const opened = await openSqliteStore(folder, { fewMax: 1 })
      assert.ok(opened.ok)
      const twins = [memoryStore(), opened.value] as const
      try {
        for (const one of asks) {
          const [memory, disk] = await Promise.all(twins.map((store) => saidBy(store, one)))
          assert.deepEqual(disk, memory)
        }
        assert.deepEqual(await whole(twins[1]), await whole(twins[0]))
      } finally {
        await Promise.all(twins.map((store) => store.close()))
        rmSync(folder, { recursive: true })
      }
    },
  )
  await fc.assert(property, { seed, numRuns: Number(process.env['RUNSTATE_TEST_RUNS'] ?? 25) })
})
