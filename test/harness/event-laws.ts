// What the event log must say: numbered without gaps, and telling by itself how everything came to be.

import assert from 'node:assert/strict'
import type { Event } from '#kernel/event.ts'
import { situationOf } from '#kernel/instance.ts'
import { meteredTypes } from '#kernel/meter.ts'
import type { Store } from '#kernel/ports/store.ts'
import type { Tables } from './laws.ts'

const metered: ReadonlySet<string> = new Set(meteredTypes)
const endings = ['operation.succeeded', 'operation.failed', 'operation.cancelled']

/** Follows the log from one call to the next. */
export class EventLaws {
  #last = 0
  readonly #situations = new Map<string, string>()
  readonly #started = new Set<string>()
  readonly #ended = new Map<string, string>()
  readonly #readings = new Map<string, Event>()
  /** Registered instances that expired, and when. */
  readonly expired = new Map<string, number>()

  async check(store: Store, tables: Tables): Promise<void> {
    for (;;) {
      const events = await store.events({ after: this.#last, limit: 1_000 })
      for (const event of events) this.#take(event)
      if (events.length === 0) break
    }
    assert.equal(await store.lastEvent(), this.#last, 'events are numbered without gaps')
    for (const row of tables.all('instances')) {
      const told = this.#situations.get(row.id)
      if (told !== undefined)
        assert.equal(situationOf(row), told, `the events of ${row.id} give its row`)
      const { charged, mode = null } = this.#readings.get(row.id)?.data ?? { charged: false }
      assert.deepEqual(
        { charged, mode },
        { charged: row.charged, mode: row.stoppedMode },
        `the events of ${row.id} give its meter`,
      )
    }
    for (const row of tables.all('operations')) {
      assert.ok(this.#started.has(row.id), `${row.id} was told of when it began`)
      const told = this.#ended.get(row.id) ?? 'operation.running'
      assert.equal(`operation.${row.state}`, told, `the end of ${row.id} was told of`)
    }
  }

  #take(event: Event): void {
    assert.equal(event.seq, ++this.#last, 'events are numbered without gaps')
    const { operation, from, to } = event.data
    if (metered.has(event.type) && typeof event.data['charged'] === 'boolean') {
      const last = this.#readings.get(event.subject)
      assert.ok(event.atMs >= (last?.atMs ?? 0), `the time of ${event.subject} never goes back`)
      this.#readings.set(event.subject, event)
    }
    if (event.type === 'instance.state') {
      const before = this.#situations.get(event.subject)
      if (before !== undefined)
        assert.equal(from, before, `each move of ${event.subject} is told of`)
      assert.notEqual(before, 'deleted', 'a final state never moves')
      assert.ok(typeof to === 'string', 'a move leads somewhere')
      this.#situations.set(event.subject, to)
      if (to === 'expired') this.expired.set(event.subject, event.atMs)
    }
    if (typeof operation !== 'string') return
    if (event.type === 'operation.started') {
      assert.ok(!this.#started.has(operation), `${operation} begins once`)
      this.#started.add(operation)
    } else if (endings.includes(event.type)) {
      assert.ok(!this.#ended.has(operation), `${operation} ends once`)
      this.#ended.set(operation, event.type)
    }
  }
}
