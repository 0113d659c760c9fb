import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reads } from '#kernel/ports/plane.ts'
import { offsetPage, walk } from './offset-page.ts'

interface Row {
  readonly id: string
  readonly name: string
}

/** Images in a list: pages after a key, as a store makes them, and a record of what was read. */
function reads(count: number) {
  const rows: readonly Row[] = Array.from({ length: count }, (_, index) => {
    const id = String(index).padStart(6, '0')
    // Many share a name, so that pages end within one.
    return { id, name: `n${Math.floor(index / 700)}` }
  })
  const pages: number[] = []
  const isAfter = (row: Row, after: { readonly id: string; readonly value?: unknown }) =>
    row.name === after.value ? row.id > after.id : row.name > String(after.value)
  const read = {
    count: async () => count,
    list: async (
      _: string,
      query: { readonly limit: number; readonly after?: { readonly id: string } },
    ) => {
      const { after, limit } = query
      const left = after ? rows.filter((row) => isAfter(row, after)) : rows
      const page = left.slice(0, limit)
      pages.push(page.length)
      return page
    },
  } as unknown as Reads // the two reads that are made here
  return { read, rows, pages }
}

const order = { by: 'name', dir: 'asc' } as const

test('a walk meets every row once, in order, over several pages', async () => {
  const { read, rows, pages } = reads(2500)
  const seen: string[] = []
  for await (const { id } of walk(read, 'images', { order })) seen.push(id)
  assert.deepEqual(
    seen,
    rows.map((row) => row.id),
  )
  assert.deepEqual(pages, [1000, 1000, 500])
})

test('a page begins at its record, and no further row is read than it needs', async () => {
  const { read, rows, pages } = reads(5000)
  const page = await offsetPage(read, 'images', { order }, { offset: 1500, limit: 3 })
  assert.equal(page.total, 5000)
  assert.deepEqual(
    page.rows.map((row) => row.id),
    rows.slice(1500, 1503).map((row) => row.id),
  )
  assert.deepEqual(pages, [1000, 1000])
})

test('what the store cannot filter is counted by reading all', async () => {
  const { read } = reads(2000)
  const keep = ({ name }: { readonly name: string }) => name === 'n1'
  const page = await offsetPage(read, 'images', { order }, { offset: 699, limit: 5, keep })
  assert.equal(page.total, 700)
  assert.deepEqual(
    page.rows.map((row) => row.id),
    ['001399'],
  )
})

test('beyond the end there is nothing, and no limit means all', async () => {
  const { read } = reads(10)
  const { rows } = await offsetPage(read, 'images', { order }, { offset: 99, limit: 5 })
  assert.deepEqual(rows, [])
  const limit = Number.POSITIVE_INFINITY
  assert.equal((await offsetPage(read, 'images', { order }, { offset: 0, limit })).rows.length, 10)
})
