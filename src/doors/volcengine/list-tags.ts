// ListTagsForResources and DescribeTags: one row per tag, newest instance first, tags of one instance by key.
// A page may end in the midst of an instance; its token names the last tag, so that nothing that comes or goes
// meanwhile moves the rest.
// Source: contracts/volcengine-ecs.md section 7.9. The size of a page is not published; 50 of at most 100 here.

import { err, ok } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { type Call, isHere, type Outcome } from './call.ts'
import { business } from './faults.ts'
import { facetsOf, tagFilters } from './filters.ts'
import { namedRows, newestFirst, type RowQuery, rowsWhere } from './instance-rows.ts'
import { type Cursor, isAfter } from './paging.ts'
import { idsMax, instanceType, readType } from './tag-parameters.ts'
import { tagEntries } from './wire.ts'

interface TagCursor extends Cursor {
  readonly key: string
}

export async function listTags(call: Call): Promise<Outcome> {
  const { reading } = call
  readType(reading)
  const ids = reading.list('ResourceIds', { max: idsMax })
  const filters = tagFilters(reading)
  const limit = reading.integer('MaxResults', { min: 1, max: 100 }) ?? 50
  const token = reading.text('NextToken')
  const after = cursorIn(token)
  if (token !== undefined && after === undefined) reading.fail(business.invalidArgument)
  if (reading.fault) return err(reading.fault)
  const found: { readonly cursor: TagCursor; readonly value: string; readonly id: string }[] = []
  for await (const row of await rowsOf(call, ids, facetsOf(filters))) {
    const tags = tagEntries(row).toSorted((one, other) => (one.Key < other.Key ? -1 : 1))
    if (!filters.every(({ fitsTags }) => fitsTags(tags))) continue
    for (const { Key: key, Value: value } of tags) {
      const cursor = { createdAtMs: row.createdAtMs, id: row.id, key }
      if (after === undefined || isBehind(cursor, after))
        found.push({ cursor, value, id: row.aliases['ecs'] ?? '' })
    }
    if (found.length > limit) break
  }
  const page = found.slice(0, limit)
  const TagResources = page.map(({ id, cursor, value }) => ({
    ResourceId: id,
    ResourceType: instanceType,
    TagKey: cursor.key,
    TagValue: value,
  }))
  const last = found.length > limit ? page.at(-1) : undefined
  return ok({ TagResources, NextToken: last === undefined ? '' : tokenOf(last.cursor) })
}

async function rowsOf(
  call: Call,
  ids: readonly string[],
  facets: RowQuery['facets'],
): Promise<AsyncIterable<Instance> | Iterable<Instance>> {
  if (!isHere(call)) return []
  return ids.length > 0
    ? await namedRows(call, ids)
    : newestFirst(call, rowsWhere(call, { facets }))
}

const isBehind = (one: TagCursor, after: TagCursor): boolean =>
  one.id === after.id ? one.key > after.key : isAfter(one, after)

const tokenOf = ({ createdAtMs, id, key }: TagCursor): string =>
  Buffer.from(`${createdAtMs}/${id}/${key}`, 'utf8').toString('base64url')

const cursorText = /^(\d{1,15})\/([0-9a-f-]{36})\/([^]+)$/

function cursorIn(token: string | undefined): TagCursor | undefined {
  const text = Buffer.from(token ?? '', 'base64url').toString('utf8')
  const [, createdAtMs, id, key] = cursorText.exec(text) ?? []
  if (createdAtMs === undefined || id === undefined || key === undefined) return undefined
  return { createdAtMs: Number(createdAtMs), id, key }
}
