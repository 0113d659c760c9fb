/**
 * How long DescribeInstances takes in the server, with four filters and more, over a large fleet:
 * `node bench/describe.ts`; RUNSTATE_BENCH_FLEET sets how many instances. Decision record 0009 has figures.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { schemes } from '#kernel/aliases.ts'
import { instanceId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Store } from '#kernel/ports/store.ts'
import { decodeQuery } from '#doors/shared/signature.ts'
import type { Call } from '#doors/volcengine/call.ts'
import { describeInstances } from '#doors/volcengine/describe-instances.ts'
import { parametersOf } from '#doors/volcengine/parameters.ts'
import { Reading } from '#doors/volcengine/reading.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'
import { project, rows } from '#test/contract/rows.ts'

const fleet = Number(process.env['RUNSTATE_BENCH_FLEET'] ?? 100_000)
const rounds = 9
const batch = 2_000
const zones = ['cn-beijing-a', 'cn-beijing-b']

/** Half of them in each zone, a few flavors, owners and environments; one in a thousand is stopped. */
function nth(n: number, own: boolean): Instance {
  const id = instanceId(crypto.randomUUID())
  return rows.instances({
    id,
    name: `web-${n}`,
    state: n % 1000 === 0 ? 'stopped' : 'running',
    createdAtMs: 1_700_000_000_000 + n,
    flavorId: `ecs.g3i.${n % 3}`,
    aliases: { ecs: schemes.ecs.make(id) },
    labels: {
      env: n % 3 === 0 ? 'prod' : 'dev',
      owner: `team-${n % 5}`,
      ...(own ? { serial: String(n) } : {}),
    },
    attributes: { ecs: { zoneId: zones[n % 2] ?? '', vpcId: `vpc-${n % 7}` } },
  })
}

const four = 'Status=RUNNING&ZoneId=cn-beijing-b&InstanceTypeIds.1=ecs.g3i.1'
const queries: Readonly<Record<string, string>> = {
  'no filter': '',
  'four filters, many fit': `${four}&TagFilters.1.Key=env&TagFilters.1.Values.1=dev`,
  'four filters, page of 100': `${four}&TagFilters.1.Key=env&MaxResults=100`,
  'four filters, few fit': `Status=STOPPED&ZoneId=cn-beijing-a&VpcId=vpc-3&TagFilters.1.Key=env`,
  'four filters, none fit': `${four}&VpcId=vpc-9`,
  'six filters': `${four}&VpcId=vpc-1&TagFilters.1.Key=owner&TagFilters.1.Values.1=team-1&InstanceChargeType=PostPaid`,
  'four filters and part of a name': `${four}&TagFilters.1.Key=env&InstanceName=web-77`,
}

function call(store: Store, query: string): Call {
  const pairs = decodeQuery(query, 'space')
  const parameters = parametersOf({ method: 'GET', headers: {}, body: Buffer.alloc(0) }, pairs)
  if (!parameters.ok) throw new Error(query)
  return {
    plane: { read: store },
    place: { region: 'r', zones },
    region: 'r',
    principal: { account: project },
    action: 'DescribeInstances',
    requestId: '',
    reading: new Reading(parameters.value),
  } as unknown as Call // reads alone are asked of it
}

for (const own of [false, true]) {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-bench-'))
  const opened = await openSqliteStore(folder)
  if (!opened.ok) throw new Error(JSON.stringify(opened.error))
  const store = opened.value
  for (let n = 0; n < fleet; n += batch) {
    const some = Array.from({ length: Math.min(batch, fleet - n) }, (_, at) => nth(n + at, own))
    await store.commit({ writes: some.map((row) => ({ table: 'instances', row })), events: [] })
  }
  console.log(`${fleet} instances${own ? ', each with a tag of its own' : ''}: ms p50, max; total`)
  for (const [name, query] of Object.entries(queries)) {
    const times: number[] = []
    let total: unknown
    for (let round = 0; round < rounds; round += 1) {
      const startMs = performance.now()
      const outcome = await describeInstances(call(store, query))
      times.push(performance.now() - startMs)
      total = outcome.ok && 'TotalCount' in outcome.value ? outcome.value.TotalCount : 'refused'
    }
    const sorted = times.toSorted((a, b) => a - b)
    const at = (index: number): string => (sorted[index] ?? 0).toFixed(1).padStart(8)
    console.log(`${at(rounds >> 1)}${at(rounds - 1)}  ${name}; ${String(total)}`)
  }
  await store.close()
  rmSync(folder, { recursive: true, force: true })
}
