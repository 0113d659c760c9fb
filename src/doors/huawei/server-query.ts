// Reads the query of a list of servers: which page, and which servers. What the store can find by itself goes
// into its query; the rest is a test of each row that the query finds.
//
// Source: contract, section 10; the services' own pages of these lists.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Query } from '#kernel/ports/store.ts'
import { firstValues } from '../shared/http.ts'
import type { Call } from './call.ts'
import { type Fault, speeches } from './faults.ts'
import { liveStates } from './states.ts'
import { tagsOf } from './surroundings.ts'
import { enterpriseProject } from './wire.ts'

const limitDefault = 25
const limitMax = 1_000

export interface ServerQuery {
  readonly filter: Omit<Query<'instances'>, 'limit' | 'after'>
  /** Undefined: the store's query says it all. */
  readonly keep: ((row: Instance) => boolean) | undefined
  readonly offset: number
  readonly limit: number
}

type Test = (row: Instance) => boolean

export async function readServerQuery(call: Call): Promise<Result<ServerQuery, Fault>> {
  const query = firstValues(call.exchange.rawQuery)
  const { invalid } = speeches[call.family]
  const limit = numberIn(query.get('limit'), { min: 1, max: limitMax }) ?? limitDefault
  // Page 0 is page 1.
  const page = numberIn(query.get('offset'), { min: 0, max: 1_000_000_000 }) ?? 1
  const detail = numberIn(query.get('detail'), { min: 1, max: 5 }) ?? 4
  if (limit === 'bad' || page === 'bad' || detail === 'bad') return err(invalid)
  const tests = await testsOf(query, call)
  return ok({
    filter: {
      where: whereOf(query, call),
      order: { by: 'createdAtMs', dir: 'desc' },
      ...containsOf(query.get('name')),
    },
    keep: tests.length === 0 ? undefined : (row) => tests.every((test) => test(row)),
    offset: (Math.max(1, page) - 1) * limit,
    limit,
  })
}

function numberIn(
  text: string | undefined,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined | 'bad' {
  if (text === undefined || text === '') return undefined
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : 'bad'
}

function whereOf(query: ReadonlyMap<string, string>, { project }: Call) {
  const flavorId = query.get('flavor') ?? ''
  return {
    project,
    kind: 'server',
    state: liveStates,
    ...(flavorId === '' ? {} : { flavorId }),
  }
}

const containsOf = (name = ''): Pick<Query<'instances'>, 'contains'> =>
  name === '' ? {} : { contains: { column: 'name', text: name } }

async function testsOf(query: ReadonlyMap<string, string>, call: Call): Promise<readonly Test[]> {
  const { servers } = call
  const asked = (name: string): string | undefined => query.get(name) || undefined
  const tests: Test[] = []
  const status = asked('status')?.toUpperCase()
  if (status !== undefined) tests.push((row) => servers.statusOf(row) === status)
  const reservation = asked('reservation_id')
  if (reservation !== undefined)
    tests.push((row) => servers.saidOf(row).reservationId === reservation)
  const enterprise = asked('enterprise_project_id')
  if (enterprise !== undefined && enterprise !== 'all_granted_eps')
    tests.push(() => enterprise === enterpriseProject)
  const id = asked('server_id')
  if (id !== undefined) tests.push((row) => row.id === id)
  const [tag, notTag] = [asked('tags'), asked('not-tags')]
  if (tag === undefined && notTag === undefined) return tests
  const tags = await tagsOf(call)
  if (tag !== undefined) tests.push((row) => tags(row).includes(tag))
  if (notTag !== undefined) tests.push((row) => !tags(row).includes(notTag))
  return tests
}
