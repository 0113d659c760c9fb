// SQLite explains each hot query: all of them start at their place in an index, and none of them sorts.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { hasFacet, hasText, labelName, without } from '#kernel/facets.ts'
import { meteredTypes } from '#kernel/meter.ts'
import type { EventQuery, Query } from '#kernel/ports/store.ts'
import type { ColumnName, TableName } from '#kernel/tables.ts'
import { dueSql } from './database.ts'
import { migrate, migrations } from './migrate.ts'
import { countSql, eventsSql, facetSumsSql, fewSql, findSql, listSql, type Sql } from './sql.ts'

const db = new DatabaseSync(':memory:')
migrate(db, migrations())

/** One line per step of the plan. */
const explain = ({ text, values }: Sql): readonly string[] =>
  db
    .prepare(`EXPLAIN QUERY PLAN ${text}`)
    .all(...values, ...(text.includes('LIMIT ?') ? [1] : []))
    .map(({ detail }) => String(detail))

/** Reading lists that came as JSON, and what was merged already, is not reading the table. */
const reads = (plan: readonly string[]): readonly string[] =>
  plan.filter((line) => /^(SCAN|SEARCH|USE TEMP)/.test(line) && !/json_each|subquery/.test(line))

/** What fills a page: the statement for rows without a value is another matter, and is empty nearly always. */
const pageSql = <T extends TableName>(table: T, query: Omit<Query<T>, 'limit'>): Sql => {
  const statements = listSql(table, { ...query, limit: 100 })
  const [only] = statements.filter(
    ({ text }) => !/"(createdAtMs|startedAtMs|queueTicket|name)" IS NULL/.test(text),
  )
  assert.ok(only)
  return only
}

const newest = { by: 'createdAtMs', dir: 'desc' } as const
const started = { by: 'startedAtMs', dir: 'desc' } as const
const after = { id: 'x', value: 1 }
const live = ['running', 'stopped', 'failed', 'starting']
const own = { project: 'p', kind: 'server' }
const walk = 'SEARCH instances USING INDEX'

const pages: readonly (readonly [Omit<Query<'instances'>, 'limit'>, string | readonly string[]])[] =
  [
    [{ where: own, order: newest }, `${walk} instances_project_kind (project=? AND kind=?)`],
    [
      { where: own, order: newest, after },
      `${walk} instances_project_kind (project=? AND kind=? AND (createdAtMs,id)<(?,?))`,
    ],
    [{ where: { project: 'p' }, order: newest }, `${walk} instances_project (project=?)`],
    [{ where: { kind: 'server' }, order: newest }, `${walk} instances_kind (kind=?)`],
    [{ order: newest }, 'SCAN instances USING INDEX instances_created'],
    [{ order: newest, after }, `${walk} instances_created ((createdAtMs,id)<(?,?))`],
    [
      { where: { ...own, state: 'running', flavorId: 'f' }, order: newest },
      `${walk} instances_state (project=? AND kind=? AND state=?)`,
    ],
    [
      { where: { ...own, situation: 'failed/start' }, order: newest },
      `${walk} instances_state (project=? AND kind=? AND state=?)`,
    ],
    [
      { where: { ...own, state: live }, order: newest },
      live.map(() => `${walk} instances_state (project=? AND kind=? AND state=?)`),
    ],
    [
      {
        where: { ...own, situation: ['running', 'failed/start', 'failed/stop'] },
        order: newest,
        after,
      },
      ['running', 'failed'].map(
        () =>
          `${walk} instances_state (project=? AND kind=? AND state=? AND (createdAtMs,id)<(?,?))`,
      ),
    ],
    [
      { where: { kind: ['server', 'notebook'] }, order: newest },
      [`${walk} instances_kind (kind=?)`, `${walk} instances_kind (kind=?)`],
    ],
    [
      { where: own, order: { by: 'name', dir: 'asc' } },
      `${walk} instances_name (project=? AND kind=?)`,
    ],
    [
      { where: { serviceId: 's', state: live }, order: newest },
      `${walk} instances_service (serviceId=?)`,
    ],
    [
      { where: { nodeId: 'n', kind: 'edge-instance' }, order: newest },
      `${walk} instances_node (nodeId=?)`,
    ],
    [
      { where: { queuePool: 'q' }, order: { by: 'queueTicket', dir: 'asc' } },
      `${walk} instances_queue (queuePool=? AND queueTicket>?)`,
    ],
    [
      { where: { driver: ['a', 'b'], state: live }, after: { id: 'x' } },
      [
        `${walk} instances_driver (driver=? AND id>?)`,
        `${walk} instances_driver (driver=? AND id>?)`,
      ],
    ],
    [
      { where: { project: 'p', state: live }, after: { id: 'x' } },
      `${walk} instances_project_id (project=? AND id>?)`,
    ],
    [
      { where: own, order: { by: 'kind', dir: 'desc' }, after: { id: 'x', value: 'server' } },
      `${walk} instances_project_id (project=? AND id<?)`,
    ],
    [{ after: { id: 'x' } }, `${walk} sqlite_autoindex_instances_1 (id>?)`],
  ]

test('a page of instances is a walk of one index, or of a few at once', () => {
  for (const [query, wanted] of pages) {
    const plan = reads(explain(pageSql('instances', query)))
    assert.deepEqual(plan, [wanted].flat(), JSON.stringify(query))
  }
})

test('a page of operations and of services is a walk of one index', () => {
  const operations = (where: Query<'operations'>['where']): readonly string[] =>
    reads(explain(pageSql('operations', { order: started, ...(where ? { where } : {}) })))
  const search = 'SEARCH operations USING INDEX'
  assert.deepEqual(operations({ project: 'p' }), [`${search} operations_project (project=?)`])
  assert.deepEqual(operations({ instanceId: 'i', state: 'failed' }), [
    `${search} operations_instance (instanceId=?)`,
  ])
  assert.deepEqual(operations(undefined), ['SCAN operations USING INDEX operations_started'])
  const services = pageSql('services', {
    where: { project: 'p', kind: 'inference' },
    order: newest,
  })
  assert.deepEqual(reads(explain(services)), [
    'SEARCH services USING INDEX services_project (project=? AND kind=?)',
  ])
})

test('few rows are found by an index and then sorted', () => {
  const named = explain(pageSql('instances', { where: { ...own, name: 'a' }, order: newest }))
  assert.match(named[0] ?? '', /instances_name \(project=\? AND kind=\? AND name=\?\)/)
  const asked = explain(pageSql('operations', { where: { requestId: 'r' }, order: started }))
  assert.match(asked[0] ?? '', /operations_request \(requestId=\?\)/)
  const running = explain(pageSql('operations', { where: { state: 'running' }, order: started }))
  assert.match(running[0] ?? '', /USING INDEX operations_running/)
  const wake = { range: { column: 'wakeAtMs', max: 1 } } as const
  assert.match(explain(pageSql('instances', wake))[0] ?? '', /instances_wake \(wakeAtMs<\?\)/)
  const pass = { range: { column: 'passAtMs', max: 1 } } as const
  assert.match(explain(pageSql('pools', pass))[0] ?? '', /pools_pass \(passAtMs<\?\)/)
  const old = { range: { column: 'expiresAtMs', max: 1 } } as const
  assert.match(explain(pageSql('tokens', old))[0] ?? '', /tokens_expiry \(expiresAtMs<\?\)/)
  assert.match(explain(pageSql('idempotency', old))[0] ?? '', /idempotency_expiry/)
  assert.match(explain(pageSql('batches', old))[0] ?? '', /batches_expiry/)
  assert.deepEqual(explain(dueSql(1)), [
    'SEARCH operations USING INDEX operations_running (claimAtMs<?)',
  ])
})

const lookups: { readonly [T in TableName]?: readonly ColumnName<T>[] } = {
  instances: ['nameKey', 'serviceId', 'nodeId', 'queuePool', 'driver'],
  operations: ['instanceId', 'requestId'],
  services: ['key'],
  dependencies: ['serviceId', 'provider'],
  aliases: ['instanceId'],
  flavors: ['name'],
  images: ['name'],
  nodes: ['name'],
  projects: ['name'],
  keyPairs: ['userId'],
  users: ['name'],
  grants: ['userId', 'project'],
  accessKeys: ['userId'],
  appCredentials: ['userId'],
  tokens: ['userId'],
}

test('every column that decisions look up by has an index', () => {
  for (const [table, columns] of Object.entries(lookups)) {
    for (const column of columns) {
      const [first = ''] = explain(findSql(table as TableName, column, 'x')) // keys of the table above
      assert.match(first, new RegExp(`^SEARCH ${table} USING .*INDEX \\S+ \\(${column}=\\?\\)`))
    }
  }
})

test('a total reads tallies, or an index alone', () => {
  const plan = (query: Parameters<typeof countSql<'instances'>>[1]): readonly string[] =>
    reads(explain(countSql('instances', query)))
  const tallies = 'SEARCH instanceTallies USING INDEX instanceTallies_sort'
  assert.deepEqual(plan({ where: own }), [`${tallies} (project=? AND kind=?)`])
  assert.deepEqual(plan({ where: { ...own, state: live, flavorId: 'f' } }), [
    `${tallies} (project=? AND kind=? AND state=?)`,
  ])
  assert.deepEqual(plan({ where: { kind: 'server' } }), ['SCAN instanceTallies'])
  assert.deepEqual(plan({ where: own, contains: { column: 'name', text: 'x' } }), [
    'SEARCH instances USING COVERING INDEX instances_project_kind (project=? AND kind=?)',
  ])
  const running = explain(countSql('operations', { where: { state: 'running' } }))
  assert.deepEqual(reads(running), ['SCAN operations USING COVERING INDEX operations_running'])
})

test('a search by facets reads their sets once, and rows for its page alone', () => {
  const zone = hasFacet('ecs.zoneId', 'a')
  const tag = hasFacet(labelName('env'), 'prod')
  assert.ok(zone && tag)
  const facets = [[zone, without(hasText('ecs.zoneId'))], [tag]]
  const where = { ...own, state: live, schemes: 'ecs', flavorId: ['f', 'g'] }
  const sets = 'SEARCH facetTallies USING PRIMARY KEY (project=? AND kind=?)'
  const plan = (sql: Sql | undefined): readonly string[] =>
    sql === undefined ? [] : reads(explain(sql)).filter((line) => line !== 'SCAN sets')
  const query = { where, facets, order: newest, limit: 100 }
  assert.deepEqual(plan(facetSumsSql('instances', query)), [sets])
  const state = `${walk} instances_state (project=? AND kind=? AND state=?)`
  const [first, ...others] = live.map(() => state)
  assert.deepEqual(plan(pageSql('instances', query)), [first, sets, ...others])
  assert.deepEqual(plan(fewSql('instances', query)), [
    `${walk} instances_facets (project=? AND kind=? AND facetKey=?)`,
    sets,
    'USE TEMP B-TREE FOR ORDER BY',
  ])
  const named = { where, facets, contains: { column: 'name', text: 'x' } } as const
  assert.deepEqual(plan(countSql('instances', named)), [
    state.replace('USING INDEX', 'USING COVERING INDEX'),
    sets,
  ])
})

test('events are read along one index, from the cursor on', () => {
  const plan = (query: Partial<EventQuery>): readonly string[] =>
    reads(explain(eventsSql({ after: 5, limit: 9, ...query })))
  const search = 'SEARCH events USING'
  assert.deepEqual(plan({}), [`${search} INTEGER PRIMARY KEY (rowid>?)`])
  assert.deepEqual(plan({ project: 'p' }), [
    `${search} INDEX events_project (project=? AND rowid>?)`,
  ])
  assert.deepEqual(plan({ subject: 's', newestFirst: true, before: 9 }), [
    `${search} INDEX events_subject (subject=? AND rowid<?)`,
  ])
  assert.deepEqual(plan({ instanceId: 'i', project: 'p' }), [
    `${search} INDEX events_subject (subject=? AND rowid>?)`,
    `${search} INDEX events_instance (instanceId=? AND rowid>?)`,
  ])
})

test('a meter is read from its own index, and a usage passes over what ended before it', () => {
  const during = { sinceMs: 1, untilMs: 9 }
  const meter = { after: 0, limit: 9, instanceId: 'i', types: meteredTypes }
  const search = 'SEARCH events USING INDEX events_meter'
  assert.deepEqual(explain(eventsSql({ ...meter, during })), [
    `${search} (instanceId=? AND atMs>? AND atMs<?)`,
  ])
  const last = { ...meter, during: { untilMs: 1 }, newestFirst: true } as const
  assert.deepEqual(explain(eventsSql(last)), [`${search} (instanceId=? AND atMs<?)`])
  const lived = pageSql('instances', {
    where: own,
    range: [
      { column: 'createdAtMs', max: 9 },
      { column: 'livedUntilMs', min: 1 },
    ],
    order: { by: 'createdAtMs', dir: 'asc' },
  })
  assert.deepEqual(reads(explain(lived)), [
    `${walk} instances_project_kind (project=? AND kind=? AND createdAtMs<?)`,
  ])
})
