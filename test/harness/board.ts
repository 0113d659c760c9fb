// The kernel alone: rows in maps, a clock moved by hand, and `decide` applied in order. No engine, no store.

import assert from 'node:assert/strict'
import type { Caller } from '#kernel/caller.ts'
import { type Flavor, plainFlavor, type Pool } from '#kernel/catalogue.ts'
import { decide } from '#kernel/decide.ts'
import type { Result } from '#kernel/errors.ts'
import type { EventDraft } from '#kernel/event.ts'
import { type InstanceId, projectId, userId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Observation } from '#kernel/observation.ts'
import { currentStep, type Operation } from '#kernel/operation.ts'
import { nextMove } from '#kernel/reconcile.ts'
import type { Context, Receipt, Report, Request } from '#kernel/request.ts'
import type { Reader } from '#kernel/rows.ts'
import {
  type Column,
  type ColumnName,
  columnsOf,
  type Rows,
  type TableName,
} from '#kernel/tables.ts'

export const member: Caller = {
  userId: userId('u-member'),
  userName: 'member',
  projectId: projectId('p1'),
  projectName: 'p1',
  domainId: 'default',
  role: 'member',
}
export const admin: Caller = {
  ...member,
  userId: userId('u-admin'),
  userName: 'admin',
  role: 'admin',
}
export const reader: Caller = { ...member, userId: userId('u-reader'), role: 'reader' }
export const stranger: Caller = { ...member, userId: userId('u-x'), projectId: projectId('p2') }

export const flavor = (change: Partial<Flavor> = {}): Flavor => ({
  ...plainFlavor,
  id: 'small',
  name: 'small',
  kinds: ['server', 'notebook', 'edge-instance'],
  driver: 'simulated',
  ...change,
})

export interface AskOptions {
  readonly as?: Caller
  readonly token?: string
  readonly fingerprint?: string
}

export class Board implements Reader {
  nowMs = 1_000_000
  readonly events: EventDraft[] = []
  readonly #tables = new Map<TableName, Map<string, Rows[TableName]>>()
  #ids = 0

  constructor(
    flavors: readonly Flavor[] = [flavor()],
    pools: readonly Pick<Pool, 'id' | 'capacity'>[] = [],
  ) {
    this.put('drivers', { id: 'simulated', available: true, reason: null })
    const image = { id: 'sim', name: 'sim', launch: {}, hardware: 'CPU', attributes: {} } as const
    this.put('images', { ...image, kinds: ['server', 'notebook', 'edge-instance'] })
    for (const row of flavors) this.put('flavors', row)
    for (const node of ['n1', 'n2'])
      this.put('nodes', { id: node, name: node, state: 'ready', attributes: {} })
    for (const row of pools) this.must({ verb: 'put', table: 'pools', row }, { as: admin })
  }

  get<T extends TableName>(table: T, id: string): Rows[T] | undefined {
    return this.#rows(table).get(id)
  }

  find<T extends TableName>(table: T, column: ColumnName<T>, value: Column): readonly Rows[T][] {
    return this.all(table).filter((row) => columnsOf(table)[column]?.(row) === value)
  }

  all<T extends TableName>(table: T): readonly Rows[T][] {
    return [...this.#rows(table).values()]
  }

  put<T extends TableName>(table: T, row: Rows[T]): void {
    this.#rows(table).set(row.id, row)
  }

  #rows<T extends TableName>(table: T): Map<string, Rows[T]> {
    const known = this.#tables.get(table)
    if (known) return known as Map<string, Rows[T]> // each table's map holds that table's rows
    const fresh = new Map<string, Rows[T]>()
    this.#tables.set(table, fresh as Map<string, Rows[TableName]>) // as above
    return fresh
  }

  context({ as = member, token, fingerprint = 'same' }: AskOptions = {}): Context {
    const cause = {
      by: 'user',
      userId: as.userId,
      userName: as.userName,
      door: 'test',
      requestId: 'r',
      why: null,
    } as const
    const ids = { next: () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}` }
    const idempotency = token === undefined ? {} : { idempotency: { token, fingerprint } }
    return {
      caller: as,
      cause,
      nowMs: this.nowMs,
      ids,
      worker: 'w',
      leaseMs: 30_000,
      ...idempotency,
    }
  }

  /** Decides and, when it was accepted, writes. */
  ask(request: Request, options: AskOptions = {}): Result<Receipt> {
    const decision = decide(request, this.context(options), this)
    if (!decision.ok) return decision
    const { writes, events } = decision.value.draft.commit()
    for (const write of writes) {
      if ('remove' in write) this.#rows(write.table).delete(write.remove)
      else this.put(write.table, write.row)
    }
    this.events.push(...events)
    return { ok: true, value: decision.value.receipt }
  }

  must(request: Request, options: AskOptions = {}): Receipt {
    const result = this.ask(request, options)
    if (!result.ok) throw new Error(`${request.verb} was refused: ${JSON.stringify(result.error)}`)
    return result.value
  }

  instance(id: string): Instance {
    const row = this.get('instances', id)
    if (!row) throw new Error(`no instance ${id}`)
    return row
  }

  operation(id: string | undefined): Operation {
    const row = this.get('operations', id ?? '')
    if (!row) throw new Error(`no operation ${id}`)
    return row
  }

  /** A server that runs, or whatever `change` makes of it. */
  create(
    change: Partial<Extract<Request, { verb: 'create' }>> = {},
    options: AskOptions = {},
  ): InstanceId {
    const receipt = this.must(
      { verb: 'create', kind: 'server', name: 'one', flavorId: 'small', imageId: 'sim', ...change },
      options,
    )
    const [id] = receipt.instanceIds
    if (id === undefined) throw new Error('nothing was created')
    return id
  }

  seen(what: Observation['seen'], evidence: Observation['evidence'] = {}): Observation {
    return { seen: what, ready: what === 'up', atMs: this.nowMs, reason: null, evidence }
  }

  /** A look at it that nobody asked for. */
  observe(id: string, observation: Observation): Result<Receipt> {
    const { id: instance, intent } = this.instance(id)
    return this.ask({ verb: 'observed', instance, generation: intent.generation, observation })
  }

  /** One report about the operation that runs on it. */
  report(id: string, report: Report): Result<Receipt> {
    const { underway } = this.instance(id)
    const operation = this.operation(underway?.operationId)
    return this.ask({ verb: 'settle', operation: operation.id, attempt: operation.attempt, report })
  }

  /** What is waited for on it is seen. */
  look(id: string): void {
    const operation = this.operation(this.instance(id).underway?.operationId)
    this.report(id, { observation: this.seen(asAwaited(operation)) })
  }

  /** Carries out what runs on it, as a driver to which nothing ever happens would. */
  settle(id: string, stepsMax = 20): Instance {
    for (let step = 0; step < stepsMax; step++) {
      const { underway } = this.instance(id)
      if (!underway) return this.instance(id)
      const operation = this.operation(underway.operationId)
      const doing = nextMove(operation, this.nowMs)
      if (doing.do === 'act') this.report(id, { act: doing.act, ok: true, handle: { made: true } })
      else if (doing.do === 'sleep') this.nowMs = doing.untilMs
      else if (doing.do === 'rows') this.report(id, { rows: true })
      else if (doing.do === 'hear') this.report(id, { unseen: true })
      else this.report(id, { observation: this.seen(asAwaited(operation)) })
    }
    throw new Error(`the operation on ${id} did not end`)
  }
}

/** What an operation waits for, seen. */
export function asAwaited(operation: Operation): Observation['seen'] {
  const step = currentStep(operation)
  return step && 'await' in step && step.await !== 'settled' ? step.await : 'up'
}

export const target = (id: string): { kind: 'any'; id: string } => ({ kind: 'any', id })

/** The code of a refusal; undefined when it was accepted. */
export const code = (result: { ok: boolean; error?: { code: string } }): string | undefined =>
  result.error?.code

/** One instance of a service on two nodes, still deploying. */
export function deployed(board: Board): InstanceId {
  const receipt = board.must({
    verb: 'deploy',
    name: 's',
    nodes: ['n1', 'n2'],
    onNodes: true,
    flavorId: 'small',
    imageId: 'sim',
  })
  const [id] = receipt.instanceIds
  assert.ok(id)
  return id
}

/** The same, running. */
export function settled(board: Board): InstanceId {
  const id = deployed(board)
  for (const instance of board.all('instances')) board.settle(instance.id)
  return id
}
