// Leases in memory: what falls silent, what is due, what a guard holds, and what a beat still reaches.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Guard } from '#kernel/guard.ts'
import type { InstanceId } from '#kernel/ids.ts'
import { Board, admin } from '#test/harness/board.ts'
import { Leases } from './leases.ts'
import { Moments } from './moments.ts'

const ttlMs = 10_000

class Desk {
  readonly board = new Board()
  readonly leases = new Leases()
  readonly startMs = this.board.nowMs
  readonly ids: readonly InstanceId[]

  constructor(instances = 1) {
    const service = { freshId: 's', key: 's', name: 's', attributes: {} }
    this.board.must({ verb: 'register-service', id: 's', ...service }, { as: admin })
    this.ids = Array.from({ length: instances }, (_, n) => this.register(`i${n}`))
  }

  register(instance: string, term = ttlMs): InstanceId {
    const host = { hostName: 'h', endpoints: [], healthCheck: {}, dataCenter: null, version: '1' }
    const told = { ...host, ttlMs: term, properties: {} }
    const receipt = this.board.must(
      { verb: 'register', service: 's', instance, ...told },
      { as: admin },
    )
    const row = this.board.instance(receipt.instanceIds[0] ?? '')
    this.leases.follow({ writes: [{ table: 'instances', row }], events: [] }, this.board.nowMs)
    return row.id
  }

  /** Who would expire at this moment, and is expiring from now on. */
  at(ms: number): readonly InstanceId[] {
    this.leases.pass(this.startMs + ms)
    return this.leases.expiring(this.startMs + ms, 100).map((due) => due.id)
  }

  beat(id: InstanceId | undefined, ms: number): boolean {
    return id !== undefined && this.leases.beat(id, this.startMs + ms)
  }

  census(): readonly string[] {
    return this.leases
      .censuses()
      .map(({ census }) => `${census.circle.kind} ${census.silent}/${census.living}`)
      .toSorted()
  }

  guard(change: Partial<Guard> = {}): void {
    const { project } = this.board.instance(this.ids[0] ?? '')
    const row: Guard = {
      id: `project/${project}`,
      kind: 'project',
      project,
      sinceMs: this.startMs,
      living: 0,
      silent: 0,
      release: null,
      ...change,
    }
    this.leases.follow({ writes: [{ table: 'guards', row }], events: [] }, this.board.nowMs)
  }
}

it('a lease is due when its term is over and not before, however often it was renewed', () => {
  const desk = new Desk()
  const [id] = desk.ids
  assert.deepEqual(desk.at(9_999), [])
  assert.equal(desk.beat(id, 9_999), true)
  assert.deepEqual(desk.at(19_998), [])
  assert.deepEqual(desk.at(19_999), [id])
})

it('a beat is not heard any more once the lease is expiring, for it would be answered and yet expire', () => {
  const desk = new Desk()
  const [id] = desk.ids
  assert.deepEqual(desk.at(10_000), [id])
  assert.equal(desk.beat(id, 10_000), false)
  assert.deepEqual(desk.at(10_001), [], 'it is expiring already')
})

it('a lease that was spared is due again, or lives when it registered meanwhile', () => {
  const desk = new Desk()
  const [id] = desk.ids
  assert.ok(id)
  assert.deepEqual(desk.at(10_000), [id])
  desk.leases.spare(id, desk.startMs + 10_001)
  assert.deepEqual(desk.at(10_002), [id], 'it could not be written down')
  desk.board.nowMs = desk.startMs + 10_003
  desk.register('i0')
  desk.leases.spare(id, desk.startMs + 10_004)
  assert.equal(desk.beat(id, 10_005), true)
  assert.deepEqual(desk.at(20_004), [])
  assert.deepEqual(desk.at(20_005), [id])
})

it('a clock that is set back makes no lease longer, and none shorter', () => {
  const desk = new Desk(2)
  const [a, b] = desk.ids
  assert.deepEqual(desk.at(6_000), [])
  // Four seconds before the end an hour is taken back; one of them beats in the next second.
  const back = 6_000 - 3_600_000
  assert.equal(desk.beat(a, back + 1_000), true)
  assert.deepEqual(desk.at(back + 4_999), [])
  assert.deepEqual(desk.at(back + 5_000), [b])
  assert.deepEqual(desk.at(back + 10_999), [])
  assert.deepEqual(desk.at(back + 11_000), [a])
})

it('what beats while leases are taken up has its term from its beat, in whatever order', async () => {
  const desk = new Desk(2)
  const [a, b] = desk.ids.map((id) => desk.board.instance(id))
  assert.ok(a && b)
  const leases = new Leases()
  const list = (table: string): Promise<never> => {
    if (table !== 'instances') return Promise.resolve([] as never)
    leases.beat(b.id, desk.startMs + 1_000)
    leases.beat(a.id, desk.startMs + 4_000)
    return Promise.resolve([a, b] as never) // a page of that table
  }
  await leases.load({ list }, desk.startMs)
  const endsAtMs = [a, b].map((row) => leases.now(row).expiresAtMs - desk.startMs)
  // The second beat before it was taken up, and has a whole term from then.
  assert.deepEqual(endsAtMs, [14_000, 14_000])
})

it('what a row says of a time before the clock was set back is no beat', () => {
  const desk = new Desk()
  const [id] = desk.ids
  const row = desk.board.instance(id ?? '')
  const back = desk.startMs - 3_600_000
  const leases = new Leases()
  const follow = (atMs: number): void =>
    leases.follow({ writes: [{ table: 'instances', row }], events: [] }, back + atMs)
  follow(0)
  follow(6_000)
  assert.equal(leases.now(row).expiresAtMs, back + ttlMs)
  assert.equal(leases.now(row).renewedAtMs, back)
})

it('what has expired is forgotten, and sparing it brings nothing back', () => {
  const desk = new Desk()
  const [id] = desk.ids
  assert.ok(id)
  desk.leases.follow({ writes: [{ table: 'instances', remove: id }], events: [] }, desk.startMs)
  desk.leases.spare(id, desk.startMs)
  assert.equal(desk.beat(id, 0), false)
  assert.deepEqual(desk.leases.counts(), { living: 0, held: 0 })
})

it('a term that becomes shorter ends sooner', () => {
  const desk = new Desk()
  const id = desk.register('long', 1_000_000)
  desk.register('long', 5_000)
  assert.deepEqual(desk.at(4_999), [])
  assert.deepEqual(desk.at(5_000), [id])
})

it('silent is the last quarter of a term, and one that never beat does not count in the whole registry', () => {
  const desk = new Desk(4)
  const [a, b, c] = desk.ids
  for (const id of [a, b, c]) assert.equal(desk.beat(id, 0), true)
  desk.leases.pass(desk.startMs + 7_499)
  assert.equal(desk.beat(a, 7_499), true)
  desk.leases.pass(desk.startMs + 10_000)
  assert.deepEqual(desk.census(), ['project 3/4', 'registry 2/3', 'service 3/4'])
})

it('a guard holds what is due until it goes, is released, or one term more has passed; a beat frees at once', () => {
  const desk = new Desk(3)
  const [a, b, c] = desk.ids
  desk.guard()
  assert.deepEqual(desk.at(10_000), [])
  assert.deepEqual(desk.leases.counts(), { living: 3, held: 3 })
  assert.equal(desk.leases.now(desk.board.instance(a ?? '')).isHeld, true)
  assert.equal(desk.beat(a, 10_001), true)
  assert.deepEqual(desk.leases.counts(), { living: 3, held: 2 })
  assert.deepEqual(desk.at(19_999), [])
  assert.deepEqual(desk.at(20_000), [b, c], 'and a has a term of its own')
  const again = new Desk(2)
  again.guard()
  assert.deepEqual(again.at(10_000), [])
  again.guard({ release: { by: admin.userId, why: null, atMs: 0 } })
  assert.deepEqual(again.at(10_001), again.ids)
})

it('beats do not touch the heap, and a tick looks at what is due alone', (t) => {
  const desk = new Desk()
  const row = desk.board.instance(desk.ids[0] ?? '')
  const fleet = 10_000
  const ids = Array.from({ length: fleet }, (_, n) => `fleet-${n}` as InstanceId) // shaped as no real one is
  const writes = ids.map((id) => ({ table: 'instances', row: { ...row, id } }) as const)
  desk.leases.follow({ writes, events: [] }, desk.startMs)
  const sets = t.mock.method(Moments.prototype, 'set')
  // Ten terms; each beats ten times a term, and there is a tick for each tenth of one.
  for (let ms = 0; ms < 10 * ttlMs; ms += ttlMs / 10) {
    for (const id of ids) desk.beat(id, ms)
    assert.ok(desk.at(ms).length <= 1, 'none but the one that never beats')
  }
  const movesPerTerm = sets.mock.callCount() / fleet / 10
  assert.ok(movesPerTerm < 2, `each lease moved ${movesPerTerm} times a term`)
})

it('while leases are taken up beats are heard, and what leaves meanwhile does not come back', async () => {
  const desk = new Desk(3)
  const [stays, leaves, fresh] = desk.ids.map((id) => desk.board.instance(id))
  assert.ok(stays && leaves && fresh)
  const leases = new Leases()
  const nowMs = desk.startMs + 5_000
  const store = {
    list: (table: string): Promise<never> => {
      if (table !== 'instances') return Promise.resolve([] as never)
      // Between the read and its answer.
      assert.equal(leases.beat(stays.id, nowMs), true)
      leases.follow({ writes: [{ table: 'instances', remove: leaves.id }], events: [] }, nowMs)
      leases.follow({ writes: [{ table: 'instances', row: fresh }], events: [] }, nowMs)
      return Promise.resolve([stays, leaves, fresh] as never) // a page of that table
    },
  }
  await leases.load(store as never, desk.startMs) // a store that knows these rows alone
  assert.equal(leases.beat(leaves.id, desk.startMs + 5_001), false)
  assert.deepEqual(leases.counts(), { living: 2, held: 0 })
  leases.pass(desk.startMs + 14_999)
  assert.equal(leases.now(stays).expiresAtMs, desk.startMs + 15_000)
  assert.equal(leases.beat('unknown' as never, desk.startMs), false, 'now all are known')
})
