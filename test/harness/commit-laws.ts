// What must hold of every single commit, whatever led to it: seen from below the engine, where rows reach the disk.

import type { Event, EventDraft } from '#kernel/event.ts'
import { type Instance, situationOf } from '#kernel/instance.ts'
import { isHarder } from '#kernel/ladder.ts'
import type { Operation } from '#kernel/operation.ts'
import type { Commit } from '#kernel/ports/store.ts'
import type { Service } from '#kernel/service.ts'

/** Who belongs where: nobody but an admin changes what is another project's. */
export type Homes = ReadonlyMap<
  string,
  { readonly project: string | null; readonly isAdmin: boolean }
>

export class CommitLaws {
  /** What must not have happened, each with the number of its law. */
  readonly faults: string[] = []
  readonly #instances = new Map<string, Instance>()
  readonly #operations = new Map<string, Operation>()
  readonly #services = new Map<string, Service>()
  readonly #held = new Map<string, Set<string>>()
  /** When the time of each hold is over; one that was set and outlived within one commit is known by that. */
  readonly #ends = new Map<string, number>()
  readonly #homes: Homes
  readonly #caused = new Map<string, string>()

  constructor(homes: Homes) {
    this.#homes = homes
  }

  take({ writes, events }: Commit): void {
    for (const write of writes)
      if ('row' in write && write.table === 'instances')
        for (const { id, untilMs } of write.row.holds)
          this.#ends.set(JSON.stringify(id), untilMs ?? Number.POSITIVE_INFINITY)
    for (const event of events) this.#event(event)
    for (const write of writes) {
      if ('remove' in write) {
        if (write.table === 'instances') this.#removed(write.remove, events)
        continue
      }
      if (write.table === 'instances') this.#instance(write.row, events)
      if (write.table === 'operations') this.#operation(write.row, writes)
      if (write.table === 'services') this.#service(write.row, events)
    }
  }

  /** What a request has changed, in words; undefined when nothing. */
  changedBy(requestId: string): string | undefined {
    return this.#caused.get(requestId)
  }

  #broken(law: number, what: string): void {
    this.faults.push(`law ${law}: ${what}`)
  }

  #event(event: EventDraft | Event): void {
    const { cause, instanceId, data, type } = event
    if (cause.door === '' || cause.requestId === '' || (cause.by === 'user' && !cause.userId))
      this.#broken(8, `${type} of ${event.subject} has no cause`)
    if (cause.by === 'user') this.#caused.set(cause.requestId, `${type} of ${event.subject}`)
    const home = this.#homes.get(cause.userId ?? '')
    const isForeign =
      home && !home.isAdmin && event.project !== null && event.project !== home.project
    if (isForeign) this.#broken(10, `${cause.userName} changed ${event.subject} of another project`)
    if (instanceId === null) return
    const holds = this.#held.get(instanceId) ?? new Set()
    this.#held.set(instanceId, holds)
    const hold = JSON.stringify(data['hold'])
    if (type === 'instance.held' && data['kind'] === 'hold') holds.add(hold)
    if (type === 'instance.released') holds.delete(hold)
    // A hold whose time is over is released a little later, by a timer.
    const isOver = (one: string): boolean => (this.#ends.get(one) ?? Infinity) <= event.atMs
    if (type === 'operation.started' && [...holds].some((one) => !isOver(one)))
      this.#broken(6, `${JSON.stringify(data['verb'])} began on ${instanceId}, which is held`)
  }

  #removed(id: string, events: Commit['events']): void {
    if (!events.some((event) => event.instanceId === id))
      this.#broken(8, `${id} went without an event`)
    this.#instances.delete(id)
    this.#held.delete(id)
  }

  #instance(row: Instance, events: Commit['events']): void {
    const old = this.#instances.get(row.id)
    this.#instances.set(row.id, row)
    const told = events.filter(({ instanceId }) => instanceId === row.id)
    const isNews =
      !old ||
      situationOf(old) !== situationOf(row) ||
      old.intent.generation !== row.intent.generation ||
      old.stoppedMode !== row.stoppedMode
    if (isNews && told.length === 0)
      this.#broken(8, `${row.id} became ${situationOf(row)} without an event`)
    const { registration } = row
    if (registration?.override && row.state !== registration.override.status)
      this.#broken(
        6,
        `${row.id} is ${row.state}, though it was set ${registration.override.status}`,
      )
    if (!old) return
    const isOver = !registration?.override && old.registration?.override
    if (isOver && !told.some(({ type }) => type === 'instance.status'))
      this.#broken(6, `the status that was set on ${row.id} went by itself`)
    this.#unknown(old, row, told)
  }

  /** Unknown is not absent: what follows from a look that saw nothing is nothing. */
  #unknown(old: Instance, row: Instance, told: Commit['events']): void {
    if (row.observation.seen !== 'unknown' || old.underway !== null || row.underway !== null) return
    if (told.some(({ cause }) => cause.by !== 'drift')) return
    const isSame =
      old.state === row.state &&
      JSON.stringify([old.handle, old.place]) === JSON.stringify([row.handle, row.place])
    if (!isSame) this.#broken(5, `${row.id} became ${row.state} though it could not be seen`)
  }

  #operation(row: Operation, writes: Commit['writes']): void {
    const old = this.#operations.get(row.id)
    this.#operations.set(row.id, row)
    if (old?.rung && (!row.rung || isHarder(old.rung, row.rung)))
      this.#broken(3, `${row.verb} of ${row.instanceId} fell from ${old.rung} to ${row.rung}`)
    if (row.state !== 'cancelled' || row.supersededBy === null || row.supersededBy === row.id)
      return
    const by = writes.find((one) => 'row' in one && one.row.id === row.supersededBy)
    const next = by && 'row' in by ? (by.row as Operation) : undefined // ids of operations name operations
    const isSofter =
      row.verb === 'stop' &&
      next?.verb === 'stop' &&
      !isHarder(next.rung ?? 'drain', row.rung ?? 'hard')
    if (isSofter) this.#broken(3, `a ${next.rung} stop took the place of a ${row.rung} one`)
  }

  #service(row: Service, events: Commit['events']): void {
    const old = this.#services.get(row.id)
    this.#services.set(row.id, row)
    const isNews = !old || old.status !== row.status
    if (isNews && !events.some(({ subject }) => subject === row.id))
      this.#broken(8, `service ${row.id} became ${row.status} without an event`)
  }
}
