// The event log: a list that only grows.

import type { Event, EventDraft } from '#kernel/event.ts'
import type { EventQuery } from '#kernel/ports/store.ts'

export class EventLog {
  /** The event numbered n is at n - 1: nothing is ever taken out. */
  readonly #events: Event[] = []

  get last(): number {
    return this.#events.length
  }

  append(draft: EventDraft): void {
    this.#events.push(Object.freeze({ ...draft, seq: this.#events.length + 1 }))
  }

  read(query: EventQuery): readonly Event[] {
    const step = query.newestFirst ? -1 : 1
    if (query.during === undefined) return this.#inOrder(query, step)
    const { sinceMs = -Infinity, untilMs = Infinity } = query.during
    return this.#inOrder({ ...query, limit: Infinity }, step)
      .filter(({ atMs }) => atMs >= sinceMs && atMs < untilMs)
      .toSorted((one, other) => step * (one.atMs - other.atMs || one.seq - other.seq))
      .slice(0, query.limit)
  }

  #inOrder(query: EventQuery, step: 1 | -1): readonly Event[] {
    const found: Event[] = []
    let seq = query.newestFirst
      ? Math.min((query.before ?? Infinity) - 1, this.last)
      : Math.max(query.after + 1, 1)
    for (; found.length < query.limit; seq += step) {
      const event = this.#events[seq - 1]
      if (event === undefined) break
      if (isWanted(event, query)) found.push(event)
    }
    return found
  }
}

const isWanted = (event: Event, { project, instanceId, subject, types }: EventQuery): boolean =>
  (project === undefined || event.project === project) &&
  (instanceId === undefined || event.instanceId === instanceId) &&
  (subject === undefined || event.subject === subject) &&
  (types === undefined || types.includes(event.type))
