// A test of the tests: for each law, a bug is put between the engine and what is real, and a few walks must find it
// and say which law it broke.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Operation } from '#kernel/operation.ts'
import type { Commit } from '#kernel/ports/store.ts'
import type { Plant } from '#test/harness/mortal-plane.ts'
import { walk } from '#test/harness/plane-walker.ts'

const seedsMax = 25

/** Changes rows on their way to the disk. */
const rewrite = (
  { writes, events }: Commit,
  change: {
    readonly instance?: (row: Instance) => Instance
    readonly operation?: (row: Operation) => Operation
  },
): Commit => ({
  events,
  writes: writes.map((write) => {
    if ('remove' in write) return write
    if (write.table === 'instances')
      return { ...write, row: change.instance?.(write.row) ?? write.row }
    if (write.table === 'operations')
      return { ...write, row: change.operation?.(write.row) ?? write.row }
    return write
  }),
})

/** Each is made anew for each walk: some remember. */
const planted: Readonly<Record<string, () => Plant>> = {
  'law 1: some commits never reach the disk': () => {
    let nth = 0
    return { commit: (commit) => (++nth % 15 === 0 ? null : commit) }
  },
  'law 2: what a crash left is never taken up': () => ({
    store: (store) => ({ ...store, claim: async () => [] }),
  }),
  'law 3: a hard stop becomes a soft one again': () => ({
    commit: (commit) =>
      rewrite(commit, {
        operation: (row) => (row.step > 0 && row.rung === 'hard' ? { ...row, rung: 'soft' } : row),
      }),
  }),
  'law 4: everything is started twice': () => ({
    driver: (driver) => ({
      ...driver,
      start: async (thing, options) => {
        void driver.start(thing, options)
        return await driver.start(thing, options)
      },
    }),
  }),
  'law 5: what cannot be seen is taken for gone': () => ({
    commit: (commit) =>
      rewrite(commit, {
        instance: (row) =>
          row.observation.seen === 'unknown' && row.underway === null
            ? { ...row, handle: null }
            : row,
      }),
  }),
  'law 6: a hold is forgotten at once': () => ({
    commit: (commit) => rewrite(commit, { instance: (row) => ({ ...row, holds: [] }) }),
  }),
  'law 7: doors are shown what was': () => {
    const first = new Map<string, Result<Instance>>()
    return {
      plane: (plane) => ({
        ...plane,
        see: async (ref, caller) => {
          const key = JSON.stringify(ref)
          const seen = first.get(key) ?? (await plane.see(ref, caller))
          if (seen.ok) first.set(key, seen)
          return seen
        },
      }),
    }
  },
  'law 8: states change without a word': () => ({
    commit: ({ writes, events }) => ({
      writes,
      events: events.filter(({ type }) => type !== 'instance.state'),
    }),
  }),
  'law 9: what is refused is half done': () => ({
    plane: (plane) => ({
      ...plane,
      submit: async (request, submission) => {
        const result = await plane.submit(request, submission)
        if (!result.ok && 'target' in request)
          await plane.submit(
            { verb: 'update', target: request.target, description: 'x' },
            submission,
          )
        return result
      },
    }),
  }),
  'law 10: everybody is an administrator': () => ({
    plane: (plane) => ({
      ...plane,
      submit: (request, submission) =>
        plane.submit(request, { ...submission, caller: { ...submission.caller, role: 'admin' } }),
    }),
  }),
}

for (const [name, plant] of Object.entries(planted))
  it(`is found: ${name}`, async () => {
    const law = new RegExp(`${name.slice(0, name.indexOf(':'))}\\b`)
    for (let seed = 1; seed <= seedsMax; seed++) {
      try {
        await walk(seed, { plant: plant() })
      } catch (found) {
        assert.ok(found instanceof Error)
        // What breaks first is often another thing that follows from it; the law itself must be named soon.
        if (law.test(found.message.split('\n').slice(0, 12).join('\n'))) return
      }
    }
    assert.fail(`${seedsMax} walks did not find it`)
  })

it('every law has a bug planted', () => {
  const laws = Object.keys(planted).map((name) => Number(/^law (\d+):/.exec(name)?.[1]))
  assert.deepEqual([...new Set(laws)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})
