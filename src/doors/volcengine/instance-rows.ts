// Which rows are the account's instances here, and the one order in which every list has them.

import { aliasKey } from '#kernel/aliases.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Query } from '#kernel/ports/store.ts'
import { walk } from '#doors/shared/offset-page.ts'
import type { Call } from './call.ts'
import { cursorOf, isAfter } from './paging.ts'
import { shownStates } from './states.ts'

export type RowQuery = Pick<Query<'instances'>, 'where' | 'contains' | 'facets' | 'order'>

/** Newest first; among those of one millisecond by id. */
export function rowsWhere(
  { principal }: Call,
  {
    where,
    contains,
    facets,
  }: {
    readonly where?: RowQuery['where']
    readonly contains?: RowQuery['contains'] | undefined
    readonly facets?: RowQuery['facets'] | undefined
  } = {},
): RowQuery {
  const own = { project: principal.account, kind: 'server', schemes: 'ecs', state: shownStates }
  return {
    where: { ...own, ...where },
    ...(contains === undefined ? {} : { contains }),
    ...(facets === undefined ? {} : { facets }),
    order: { by: 'createdAtMs', dir: 'desc' },
  }
}

export const newestFirst = (call: Call, query = rowsWhere(call)): AsyncIterable<Instance> =>
  walk(call.plane.read, 'instances', query)

/** Those of these ids that the account has; the others are passed over. */
export async function namedRows(
  { plane, principal }: Call,
  ids: readonly string[],
): Promise<readonly Instance[]> {
  const rows = await Promise.all(
    [...new Set(ids)].map(async (id) => {
      const alias = await plane.read.get('aliases', aliasKey('ecs', id))
      return alias && (await plane.read.get('instances', alias.instanceId))
    }),
  )
  const isShown = ({ project, state }: Instance) =>
    project === principal.account && (shownStates as readonly string[]).includes(state) // widened: a row's state is of any kind
  return rows
    .filter((row) => row !== undefined)
    .filter(isShown)
    .toSorted((one, other) => (isAfter(other, cursorOf(one)) ? -1 : 1))
}
