// The plane: batches, runner, looker, leases and the timers that keep them going. It holds no truth of its own:
// all it knows can be read again from the store, and after a crash it is.

import type { Caller, Cause } from '#kernel/caller.ts'
import { findInstance } from '#kernel/decisions/find.ts'
import { defaultGuardPolicy, type GuardPolicy } from '#kernel/guard.ts'
import type { KernelError, Result } from '#kernel/errors.ts'
import type { Event } from '#kernel/event.ts'
import { projectId, userId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Operation, Withdrawn } from '#kernel/operation.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Driver } from '#kernel/ports/driver.ts'
import type { Plane, Submission } from '#kernel/ports/plane.ts'
import type { Commit, Store } from '#kernel/ports/store.ts'
import type { EngineRequest, Receipt } from '#kernel/request.ts'
import { columns } from '#kernel/tables.ts'
import { Audience } from './audience.ts'
import { batches, type Batches, type Draftable } from './batches.ts'
import { sleep } from './clock.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { Leases } from './leases.ts'
import { Loaded, withRows } from './loaded.ts'
import type { Log } from './log.ts'
import { Looker } from './looker.ts'
import { Runner } from './runner.ts'
import { thingOf } from './thing.ts'

export interface EngineParts {
  readonly store: Store
  readonly clock: Clock
  readonly drivers: ReadonlyMap<string, Driver>
  /** Names this process among replicas. */
  readonly worker: string
  readonly freshId: () => string
  /** When a mass loss of leases holds expiries. */
  readonly guard?: GuardPolicy
  /** How many requests are worth a commit of their own while another is being written (batches.ts). */
  readonly secondMin?: number
  readonly log: Log
}

export interface Engine {
  readonly plane: Plane
  readonly depth: () => number
  /** Callers' requests must have ended before. Things keep running; operations are resumed at the next start. */
  close(): Promise<void>
}

/** How long a worker holds an operation without saying that it lives. */
const leaseMs = 30_000
const tickMs = 250
const sweepEachMs = 2_000
const claimRows = 64
const dueRows = 256

export async function startEngine(parts: EngineParts): Promise<Engine> {
  const engine = new Heart(parts)
  await engine.begin()
  return { plane: engine.plane, depth: () => engine.batches.depth(), close: () => engine.close() }
}

const nobody: Caller = {
  userId: userId('engine'),
  userName: 'engine',
  projectId: projectId('engine'),
  projectName: null,
  domainId: 'default',
  role: 'admin',
}

type Follower = Parameters<Plane['follow']>[0]

class Heart {
  readonly #parts: EngineParts
  readonly #leases = new Leases()
  readonly #keeper: LeaseKeeper
  readonly #audience: Audience
  readonly #runner: Runner
  readonly #looker: Looker
  readonly #followers = new Set<Follower>()
  readonly #stopped = new AbortController()
  #nudged = new AbortController()
  #ticking: Promise<void> = Promise.resolve()
  #swept = 0
  readonly batches: Batches
  readonly plane: Plane

  constructor(parts: EngineParts) {
    this.#parts = parts
    const { store, clock, drivers, log } = parts
    this.batches = batches({
      store,
      freshId: parts.freshId,
      committed: (commit, events) => this.#committed(commit, events),
      failed: (cause) => log.error({ err: cause }, 'the store could not be read or written'),
      ...(parts.secondMin === undefined ? {} : { secondMin: parts.secondMin }),
    })
    const settle = (request: EngineRequest): Promise<Result<Receipt>> => this.#settle(request)
    this.#audience = new Audience(clock.nowMs())
    const hasSeen = (withdrawn: readonly Withdrawn[]): boolean =>
      this.#audience.hasSeen(withdrawn, clock.nowMs())
    this.#runner = new Runner({ store, clock, drivers, leaseMs, settle, hasSeen, log })
    const policy = parts.guard ?? defaultGuardPolicy
    this.#keeper = new LeaseKeeper({ leases: this.#leases, policy, clock, settle, log })
    this.#looker = new Looker({
      store,
      clock,
      drivers,
      settle,
      log,
      atWork: (id) => this.#runner.hint(id),
    })
    this.plane = this.#openPlane()
  }

  /** Takes up what a crash left: every busy instance has an operation, and every operation is claimed again. */
  async begin(): Promise<void> {
    const { store, clock } = this.#parts
    // The store is this process's alone, so no lease of an earlier one is alive, whatever the clock said then.
    await this.#claim(Math.max(await this.#lastClaimMs(), clock.nowMs() + leaseMs))
    // Beside the ticker: operations, timers and requests do not wait until a large fleet is taken up.
    this.#looker.adoptAll()
    // Nor do a hundred thousand leases delay the start: no term ends before all are taken up.
    this.#keeper.begin(store)
    this.#ticking = this.#tick().catch((bug: unknown) =>
      this.#parts.log.error({ err: bug }, 'the ticker stopped: this is a bug'),
    )
  }

  /** When the last of the running operations could be claimed. */
  async #lastClaimMs(): Promise<number> {
    const [last] = await this.#parts.store.list('operations', {
      where: { state: 'running' },
      order: { by: 'claimAtMs', dir: 'desc' },
      limit: 1,
    })
    return (last && columns.operations.claimAtMs(last)) ?? 0
  }

  async #claim(asOfMs: number): Promise<void> {
    const { store, worker } = this.#parts
    const range = { column: 'claimAtMs', max: asOfMs + 1 } as const
    const due = { where: { state: 'running' }, range, limit: 1 }
    for (;;) {
      // Asked first, because nothing is decided or written while operations are claimed.
      if ((await store.list('operations', due)).length === 0) return
      const claimed = await this.batches.alone(() =>
        store.claim(worker, asOfMs, leaseMs, claimRows),
      )
      for (const operation of claimed) this.#runner.take(operation)
      if (claimed.length < claimRows) return
    }
  }

  async #tick(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#nudged = new AbortController()
      try {
        await this.#round()
      } catch (cause) {
        // The store may be out of reach for a while; the next round asks again.
        this.#parts.log.error({ err: cause }, 'a round of the engine failed; it is tried again')
      }
      await sleep(
        this.#parts.clock,
        tickMs,
        AbortSignal.any([this.#stopped.signal, this.#nudged.signal]),
      )
    }
  }

  async #round(): Promise<void> {
    const { store, clock } = this.#parts
    const nowMs = clock.nowMs()
    // Before claiming: an operation at work here, behind a slow driver or a stalled process, is nobody's to take.
    await this.#runner.renew()
    // One that nobody here holds, of a time before the clock was set back, is due as well: its lease would not end.
    const lastMs = await this.#lastClaimMs()
    await this.#claim(lastMs > nowMs + 2 * leaseMs ? lastMs : nowMs)
    const pools = await store.list('pools', {
      // Each that has one is due: it never is a time to come, unless the clock was set back.
      range: { column: 'passAtMs', min: 0 },
      limit: dueRows,
    })
    const due = await store.list('instances', {
      range: { column: 'wakeAtMs', max: nowMs },
      limit: dueRows,
    })
    const requests: EngineRequest[] = [
      ...pools.map((pool) => ({ verb: 'pass', pool: pool.id }) as const),
      ...due.map((instance) => ({ verb: 'wake', instance: instance.id }) as const),
    ]
    const ended = { range: { column: 'expiresAtMs', max: nowMs }, limit: dueRows } as const
    const tokens = (await store.list('idempotency', ended)).map((row) => row.id)
    const batches = (await store.list('batches', ended)).map((row) => row.id)
    if (tokens.length + batches.length > 0) requests.push({ verb: 'forget', tokens, batches })
    await Promise.all(requests.map((request) => this.#due(request)))
    const sinceMs = nowMs - this.#swept
    // Less than nothing: the clock was set back, and says nothing of how long ago it was.
    if (sinceMs >= 0 && sinceMs < sweepEachMs) return
    this.#swept = nowMs
    await this.#looker.sweep()
  }

  /** One that breaks keeps no other from being served. */
  async #due(request: EngineRequest): Promise<void> {
    try {
      await this.#settle(request)
    } catch (bug) {
      this.#parts.log.error(
        { err: bug, request: request.verb },
        'what was due broke: this is a bug',
      )
    }
  }

  #settle(request: EngineRequest): Promise<Result<Receipt>> {
    const by =
      request.verb === 'observed'
        ? 'drift'
        : request.verb === 'wake' || request.verb === 'expire' || request.verb === 'count'
          ? 'timer'
          : request.verb === 'pass'
            ? 'queue'
            : 'recovery'
    const cause: Cause = {
      by,
      userId: null,
      userName: null,
      door: 'engine',
      requestId: this.#parts.freshId(),
      why: null,
    }
    return this.batches.submit(request, this.#context(nobody, cause), {
      dryRun: false,
      internal: true,
    })
  }

  #context(caller: Caller, cause: Cause): Draftable {
    return { caller, cause, nowMs: this.#parts.clock.nowMs(), worker: this.#parts.worker, leaseMs }
  }

  #committed(commit: Commit, events: readonly Event[]): void {
    this.#leases.follow(commit, this.#parts.clock.nowMs())
    for (const write of commit.writes) {
      if ('remove' in write) continue
      if (write.table === 'instances') this.#runner.refresh(write.row)
      if (write.table === 'operations') this.#follow(write.row)
      if (write.table === 'pools' && write.row.passAtMs !== null) this.#nudged.abort()
    }
    for (const follower of this.#followers) this.#tell(() => follower(events, commit))
  }

  #tell(follower: () => void): void {
    try {
      follower()
    } catch (bug) {
      // Its own fault alone: the commit is on disk, and the others are told.
      this.#parts.log.error({ err: bug }, 'a follower of the events broke: this is a bug')
    }
  }

  #follow(operation: Operation): void {
    if (operation.state !== 'running') this.#runner.drop(operation)
    else if (operation.worker === this.#parts.worker) this.#runner.take(operation)
  }

  #openPlane(): Plane {
    const { store, clock, drivers } = this.#parts
    const driverOf = ({ driver }: Instance) => (driver === null ? undefined : drivers.get(driver))
    return {
      output: async (instance, lines) => {
        const driver = driverOf(instance)
        return driver?.output ? driver.output(await thingOf(store, instance), lines) : []
      },
      usage: async (instance, signal) => {
        const driver = driverOf(instance)
        return driver?.usage ? driver.usage(await thingOf(store, instance), signal) : null
      },
      read: store,
      nowMs: () => clock.nowMs(),
      submit: async (request, submission) => {
        const { caller, door, requestId, why = null, idempotency, dryRun = false } = submission
        const cause: Cause = {
          by: 'user',
          userId: caller.userId,
          userName: caller.userName,
          door,
          requestId,
          why: ('why' in request ? request.why : undefined) ?? why,
        }
        const token = tokenOf(submission)
        const context = {
          ...this.#context(caller, cause),
          ...(idempotency === undefined || token === undefined || dryRun
            ? {}
            : { idempotency: { ...idempotency, token } }),
        }
        const result = await this.batches.submit(request, context, { dryRun, internal: false })
        // The same registration again is a heartbeat, and costs no more than one.
        if (request.verb === 'register' && result.ok && result.value.unchanged && !dryRun)
          for (const id of result.value.instanceIds) this.#leases.beat(id, clock.nowMs())
        return result
      },
      keep: async (answer, submission) => {
        const token = tokenOf(submission)
        if (token === undefined) return answer
        const kept = await this.#settle({ verb: 'keep', token, answer })
        // Not kept, it is still what was accepted.
        return (kept.ok ? kept.value.answer : undefined) ?? answer
      },
      see: async (ref, caller): Promise<Result<Instance, KernelError>> => {
        const loaded = new Loaded(store)
        return withRows(loaded, () => findInstance(loaded, ref, caller))
      },
      beat: async (ids) => ids.map((id) => this.#leases.beat(id, clock.nowMs())),
      lease: (instance) => this.#leases.now(instance),
      leases: () => this.#leases.counts(),
      shown: (service, by, revision) =>
        this.#audience.shown({ service, by, revision, nowMs: clock.nowMs() }),
      ended: (operation, timeoutMs, signal) => this.#ended(operation, timeoutMs, signal),
      follow: (listener) => {
        this.#followers.add(listener)
        return () => this.#followers.delete(listener)
      },
    }
  }

  async #ended(
    id: Operation['id'],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Operation | undefined> {
    const { store, clock } = this.#parts
    const untilMs = clock.nowMs() + timeoutMs
    let changed = new AbortController()
    const stop = this.plane.follow((events) => {
      if (events.some((event) => event.data['operation'] === id)) changed.abort()
    })
    try {
      for (;;) {
        // Before the read: what changes after it must cut the sleep short.
        changed = new AbortController()
        const operation = await store.get('operations', id)
        const leftMs = untilMs - clock.nowMs()
        if (!operation || operation.state !== 'running' || leftMs <= 0 || signal.aborted)
          return operation
        await sleep(
          clock,
          Math.min(leftMs, 1_000),
          AbortSignal.any([changed.signal, signal, this.#stopped.signal]),
        )
        if (this.#stopped.signal.aborted) return operation
      }
    } finally {
      stop()
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    await Promise.all([this.#ticking, this.#keeper.close()])
    await this.#looker.close()
    await this.#runner.close()
    await this.batches.idle()
  }
}

/** A caller chooses its token; another tenant's, or another door's, must not meet it. */
const tokenOf = ({ caller, door, idempotency }: Submission): string | undefined =>
  idempotency && `${caller.projectId ?? caller.userId}/${door}/${idempotency.token}`
