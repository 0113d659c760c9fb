// Store contract: the event log.

import assert from 'node:assert/strict'
import type { EventDraft } from '#kernel/event.ts'
import { projectId } from '#kernel/ids.ts'
import type { EventQuery } from '#kernel/ports/store.ts'
import type { Laws } from './laws.ts'
import { eventDraft, project, rows } from './rows.ts'

export const eventLaws: Laws = {
  'events are numbered from 1, without gaps, in the order of their commits': async (store) => {
    assert.equal(await store.lastEvent(), 0)
    assert.equal(await store.commit({ writes: [], events: [] }), 1)
    const draft = (n: number): EventDraft => eventDraft({ data: { n } })
    assert.equal(await store.commit({ writes: [], events: [draft(1), draft(2)] }), 1)
    const none = { writes: [{ table: 'nodes', row: rows.nodes() }], events: [] } as const
    assert.equal(await store.commit(none), 3)
    assert.equal(await store.commit({ writes: [], events: [draft(3)] }), 3)
    assert.equal(await store.lastEvent(), 3)
    const all = await store.events({ after: 0, limit: 10 })
    assert.deepEqual(
      all,
      [1, 2, 3].map((seq) => ({ ...draft(seq), seq })),
    )
  },

  'commits made at once share no number and leave none out': async (store) => {
    const commits = Array.from({ length: 40 }, (_, n) =>
      store.commit({
        writes: [],
        events: Array.from({ length: n % 3 }, () => eventDraft({ data: { n } })),
      }),
    )
    const firsts = await Promise.all(commits)
    const all = await store.events({ after: 0, limit: 100 })
    assert.deepEqual(
      all.map(({ seq }) => seq),
      all.map((_, at) => at + 1),
    )
    for (const [n, first] of firsts.entries())
      for (let at = 0; at < n % 3; at += 1) assert.equal(all[first - 1 + at]?.data['n'], n)
  },

  'a reader that resumes gets every event once': async (store) => {
    const seen: number[] = []
    for (let round = 0; round < 10; round += 1) {
      await store.commit({ writes: [], events: Array.from({ length: round }, () => eventDraft()) })
      const page = await store.events({ after: seen.at(-1) ?? 0, limit: 4 })
      seen.push(...page.map(({ seq }) => seq))
    }
    while (seen.length < 45)
      seen.push(...(await store.events({ after: seen.length, limit: 7 })).map(({ seq }) => seq))
    assert.deepEqual(
      seen,
      seen.map((_, at) => at + 1),
    )
    assert.deepEqual(await store.events({ after: 45, limit: 7 }), [])
  },

  'events are filtered by project, instance, subject and type': async (store) => {
    const drafts = [
      eventDraft({ subject: 'a', instanceId: 'a', type: 'instance.created' }),
      eventDraft({ subject: 'b', instanceId: 'b', project: projectId('other') }),
      eventDraft({ subject: 'op', instanceId: 'a', type: 'operation.step' }),
      eventDraft({ subject: 'pool', instanceId: null, project: null, type: 'pool.changed' }),
      eventDraft({ subject: 'a', instanceId: 'b', type: 'operation.joined' }),
      eventDraft({ subject: 'a', instanceId: 'a', type: 'instance.state' }),
      eventDraft({ subject: 'a', instanceId: null, type: 'service.state' }),
    ]
    await store.commit({ writes: [], events: drafts })
    const seqs = async (query: Partial<EventQuery>): Promise<readonly number[]> =>
      (await store.events({ after: 0, limit: 100, ...query })).map(({ seq }) => seq)
    const newest = { newestFirst: true } as const
    assert.deepEqual(await seqs({ project }), [1, 3, 5, 6, 7])
    assert.deepEqual(await seqs({ project: 'other' }), [2])
    assert.deepEqual(await seqs({ instanceId: 'a' }), [1, 3, 6])
    assert.deepEqual(await seqs({ instanceId: 'b' }), [2, 5])
    assert.deepEqual(await seqs({ instanceId: 'a', ...newest }), [6, 3, 1])
    assert.deepEqual(await seqs({ instanceId: 'a', ...newest, before: 6, limit: 1 }), [3])
    assert.deepEqual(await seqs({ instanceId: 'a', after: 1 }), [3, 6])
    assert.deepEqual(await seqs({ instanceId: 'a', subject: 'op' }), [3])
    assert.deepEqual(await seqs({ subject: 'a' }), [1, 5, 6, 7])
    assert.deepEqual(await seqs({ types: ['pool.changed', 'operation.step'] }), [3, 4])
    assert.deepEqual(await seqs({ types: ['pool.changed'] }), [4])
    assert.deepEqual(await seqs({ types: [] }), [])
    assert.deepEqual(await seqs({ subject: 'a', types: ['instance.state'], project }), [6])
    assert.deepEqual(await seqs({ after: 99, ...newest, limit: 2 }), [7, 6])
    assert.deepEqual(await seqs({ ...newest, before: 3 }), [2, 1])
    assert.deepEqual(await seqs({ instanceId: 'nobody' }), [])
  },

  'events of a time come by time, also when it was not the order of their commits': async (
    store,
  ) => {
    const times = [30, 10, 20, 20, 40]
    const state = { subject: 'a', instanceId: 'a', type: 'instance.state' } as const
    const drafts = times.map((atMs) => eventDraft({ ...state, atMs }))
    const others = [
      eventDraft({ ...state, atMs: 20, subject: 'b', instanceId: 'b' }),
      eventDraft({ ...state, atMs: 20, type: 'operation.step' }),
    ]
    await store.commit({ writes: [], events: [...drafts, ...others] })
    const types: readonly string[] = ['instance.state', 'instance.charge']
    const asked = async (query: Partial<EventQuery>): Promise<readonly number[]> =>
      (
        await store.events({ after: 0, limit: 9, instanceId: 'a', types, during: {}, ...query })
      ).map(({ seq }) => seq)
    const newest = { newestFirst: true } as const
    assert.deepEqual(await asked({}), [2, 3, 4, 1, 5])
    assert.deepEqual(await asked({ during: { sinceMs: 20, untilMs: 40 } }), [3, 4, 1])
    assert.deepEqual(await asked({ during: { sinceMs: 20 }, after: 3 }), [4, 5])
    assert.deepEqual(await asked({ during: { untilMs: 30 }, ...newest, limit: 1 }), [4])
    assert.deepEqual(await asked({ during: { untilMs: 30 }, ...newest, before: 4 }), [3, 2])
    assert.deepEqual(await asked({ during: { untilMs: 10 } }), [])
    const all = await store.events({ after: 0, limit: 9, during: { sinceMs: 20, untilMs: 30 } })
    assert.deepEqual(
      all.map(({ seq }) => seq),
      [3, 4, 6, 7],
    )
  },
}
