// Which page is asked for, and the token that leads to the next one.
//
// A token names the last row of its page by what orders the list, so rows that come or go meanwhile move
// nothing. It is no secret and grants nothing: with it one gets the rows that one would get anyway.
// Source: contracts/volcengine-ecs.md sections 7.5 and 7.6.

import type { Instance } from '#kernel/instance.ts'
import { business } from './faults.ts'
import type { Reading } from './reading.ts'

export interface Cursor {
  readonly createdAtMs: number
  readonly id: string
}

export interface Page {
  readonly size: number
  /** Only rows behind this one. */
  readonly after: Cursor | undefined
  /** Rows to pass over; only when pages are counted. */
  readonly skip: number
  /** The token after this page, '' on the last one. @param found  the page, and one row more if there is one. */
  readonly next: (found: readonly Instance[]) => string
}

export const cursorOf = ({ createdAtMs, id }: Pick<Instance, 'createdAtMs' | 'id'>): Cursor => ({
  createdAtMs,
  id,
})

/** Newest first, and among those of one millisecond the greater id first: the store's order. */
export const isAfter = (row: Cursor, cursor: Cursor): boolean =>
  row.createdAtMs < cursor.createdAtMs ||
  (row.createdAtMs === cursor.createdAtMs && row.id < cursor.id)

const pagesMax = 1_000_000

/**
 * Either tokens or page numbers, which no document mentions but Terraform sends. Both together contradict each
 * other, so they are refused.
 */
export function pageOf(
  reading: Reading,
  { size, max }: { readonly size: number; readonly max: number },
): Page {
  const results = reading.integer('MaxResults', { min: 1, max })
  const token = reading.text('NextToken')
  const after = cursorIn(token)
  if (token !== undefined && after === undefined) reading.fail(business.invalidArgument)
  const number = reading.integer('PageNumber', { min: 1, max: pagesMax })
  const numberedSize = reading.integer('PageSize', { min: 1, max })
  const isNumbered = number !== undefined || numberedSize !== undefined
  if (isNumbered && (results !== undefined || token !== undefined))
    reading.fail(business.invalidArgument)
  const rows = (isNumbered ? numberedSize : results) ?? size
  return {
    size: rows,
    after,
    skip: ((number ?? 1) - 1) * rows,
    next: (found) => {
      const last = found.length > rows && !isNumbered ? found[rows - 1] : undefined
      return last === undefined ? '' : tokenOf(cursorOf(last))
    },
  }
}

const tokenOf = ({ createdAtMs, id }: Cursor): string =>
  Buffer.from(`${createdAtMs}/${id}`, 'utf8').toString('base64url')

const cursorText = /^(\d{1,15})\/([0-9a-f-]{36})$/

function cursorIn(token: string | undefined): Cursor | undefined {
  const [, createdAtMs, id] =
    cursorText.exec(Buffer.from(token ?? '', 'base64url').toString('utf8')) ?? []
  return createdAtMs === undefined || id === undefined
    ? undefined
    : { createdAtMs: Number(createdAtMs), id }
}

/** A page of a short list that is in memory, ordered by what `idOf` gives. */
export function pageOfList<Row>(
  reading: Reading,
  rows: readonly Row[],
  {
    size,
    max,
    idOf,
  }: { readonly size: number; readonly max: number; readonly idOf: (row: Row) => string },
): { readonly rows: readonly Row[]; readonly next: string } {
  const limit = reading.integer('MaxResults', { min: 1, max }) ?? size
  const token = reading.text('NextToken')
  const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString('utf8')
  if (
    token !== undefined &&
    (after === '' || Buffer.from(after, 'utf8').toString('base64url') !== token)
  ) {
    reading.fail(business.invalidArgument)
  }
  const rest = rows
    .filter((row) => idOf(row) > after)
    .toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : 1))
  const page = rest.slice(0, limit)
  const last = rest.length > limit ? page.at(-1) : undefined
  return {
    rows: page,
    next: last === undefined ? '' : Buffer.from(idOf(last), 'utf8').toString('base64url'),
  }
}
