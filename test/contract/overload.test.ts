// More than it can do: the queue is bounded, each door turns callers away in its own cloud's words and says when to
// come again, heartbeats and health go on, those that were let in are answered in time, and afterwards all is as
// before.
//
// RUNSTATE_TEST_OVERLOAD_MS=<ms> lasts so long.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { projectId, userId as userIdOf } from '#kernel/ids.ts'
import type { Commit, Store } from '#kernel/ports/store.ts'
import { batchMax, waitingMax } from '#engine/batches.ts'
import { memoryStore } from '#stores/memory/store.ts'
import { asked, type Heard, hear } from '#test/harness/door-call.ts'
import { actionParams, ecsIdOf, samples } from '#test/harness/door-samples.ts'
import {
  type DoorName,
  doorNames,
  doorStage,
  everyRoute,
  type Stage,
} from '#test/harness/door-stage.ts'
import { scaled } from '#test/harness/scale.ts'
import { until } from '#test/harness/world.ts'

const loadMs = scaled('RUNSTATE_TEST_OVERLOAD_MS', 2_000, 60_000)
/** A queue as full as it may be, the two batches at the disk, and what the engine does meanwhile. */
const commitsMax = waitingMax / batchMax + 8
/** What one event takes in memory. */
const eventBytesMax = 800
/** How each cloud says that it is too busy. */
const busy = {
  native: [503],
  volcengine: [429],
  'modelarts-service': [429],
  'modelarts-notebook': [429, 503],
  servicecomb: [429],
  nova: [503],
  huawei: [400],
} as const satisfies Partial<Record<DoorName, readonly number[]>>

/** A store whose commits take as long as they are told to, one after another. */
class SlowStore {
  readonly store: Store
  #last: Promise<unknown> = Promise.resolve()
  #gate: Promise<void> | null = null
  #open: () => void = () => undefined
  eachMs = 0
  commits = 0

  constructor(inner: Store = memoryStore()) {
    const carriedOut = async (changes: Commit, after?: Commit): Promise<number> => {
      await this.#gate
      if (this.eachMs > 0) await new Promise((resolve) => setTimeout(resolve, this.eachMs))
      this.commits += 1
      return inner.commit(changes, after)
    }
    const commit = (changes: Commit, after?: Commit): Promise<number> => {
      const outcome = this.#last.then(() => carriedOut(changes, after))
      this.#last = outcome.catch(() => undefined)
      return outcome
    }
    this.store = { ...inner, commit }
  }

  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    this.#open = resolve
  }

  release(): void {
    this.#gate = null
    this.#open()
  }
}

const slow = new SlowStore()
let stage: Stage
before(async () => {
  stage = await doorStage(() => undefined, slow.store)
})
after(() => stage.w.close())

const heapMiB = (): number => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void // there once the flag is set
  gc()
  return process.memoryUsage().heapUsed / 2 ** 20
}

const depth = async (): Promise<number> => {
  const text = await (await fetch(`${stage.w.url}/metrics`)).text()
  return Number(/^runstate_requests_waiting (\d+)/m.exec(text)?.[1])
}

const health = async (path: string): Promise<number> => (await fetch(stage.w.url + path)).status

/** A change through each route of a door that makes one; those that the kernel was asked for. */
async function changes(door: DoorName): Promise<readonly Heard[]> {
  const { mary } = stage.people
  const routes = everyRoute.filter(
    (route) => route.door === door && !['GET', 'HEAD'].includes(route.verb),
  )
  const heard: Heard[] = []
  for (const route of routes) {
    const { body, params = {} } = samples[route.operation] ?? {}
    const action = route.operations && 'StopInstance'
    const asking = {
      ...(body ? { body: JSON.stringify(body) } : {}),
      params: action ? actionParams(ecsIdOf(stage)) : params,
      ...(action ? { action } : {}),
    }
    heard.push(await hear(stage.w.url, asked(stage, route, mary, asking)))
  }
  return heard
}

/** Changes nothing that any other test looks at. */
function fill(count: number): readonly Promise<{ readonly ok: boolean }>[] {
  const { userId, project } = stage.people.mary
  return Array.from({ length: count }, (_, nth) =>
    stage.w.plane.submit(
      {
        verb: 'update',
        target: { kind: 'any', id: stage.server.id },
        description: `filler ${nth}`,
      },
      {
        caller: {
          userId: userIdOf(userId),
          userName: 'mary',
          projectId: projectId(project),
          projectName: 'one',
          domainId: 'default',
          role: 'member',
        },
        door: 'test',
        requestId: `filler-${nth}`,
      },
    ),
  )
}

describe('a full queue', () => {
  it('each door says so in its own words and when to come again; heartbeats and health go on', async () => {
    slow.hold()
    // One batch is at the disk, one is handed over behind it, and as many as may wait behind those.
    const first = [...fill(1)]
    await until(depth, (waiting) => waiting === 0)
    first.push(...fill(batchMax))
    await until(depth, (waiting) => waiting === 0)
    const waiting = fill(waitingMax)
    const turnedAway = await fill(1)[0]
    assert.deepEqual(turnedAway, { ok: false, error: { code: 'Overloaded', retryAfterMs: 1_000 } })
    try {
      assert.equal(await depth(), waitingMax)
      for (const door of doorNames) {
        const statuses = busy[door as keyof typeof busy] as readonly number[] | undefined
        if (!statuses) continue
        const refusals = (await changes(door)).filter(({ status }) => statuses.includes(status))
        assert.ok(refusals.length > 0, `${door} turned nobody away`)
        for (const { status, headers, text } of refusals) {
          const after = Number(headers['retry-after'])
          assert.ok(after >= 1 && after <= 60, `${door}: ${status} ${text.slice(0, 200)}`)
        }
      }
      const beat = '/v4/one/registry/microservices/svc1/instances/i1/heartbeat'
      const beaten = await fetch(stage.w.url + beat, { method: 'PUT' })
      assert.equal(beaten.status, 200, 'a heartbeat waits for no commit')
      assert.deepEqual([await health('/healthz'), await health('/readyz')], [200, 200])
      const { native } = stage.people.mary
      await native.get(`/instances/${stage.server.id}`)
    } finally {
      slow.release()
    }
    const answers = await Promise.all([...first, ...waiting])
    assert.ok(
      answers.every(({ ok }) => ok),
      'who waited was served',
    )
    await until(depth, (left) => left === 0)
  })
})

describe('ten times what it can do', () => {
  it('who is let in is answered in time, and memory returns to where it was', async () => {
    const { mary } = stage.people
    const route = everyRoute.find(({ operation }) => operation === 'patchInstance')
    assert.ok(route)
    const ask = (): ReturnType<typeof hear> =>
      hear(stage.w.url, asked(stage, route, mary, { body: JSON.stringify({ description: 'x' }) }))
    for (let warm = 0; warm < 50; warm++) await ask()
    const beforeMiB = heapMiB()
    const eventsBefore = await slow.store.lastEvent()
    slow.eachMs = 20
    let accepted = 0
    let turnedAway = 0
    const untilMs = performance.now() + loadMs
    const isOver = (): boolean => performance.now() > untilMs && accepted > 20 && turnedAway > 0
    const lane = async (): Promise<void> => {
      while (!isOver()) {
        const { status } = await ask()
        assert.ok(status < 300 || status === 503, `${status}`)
        if (status < 300) accepted += 1
        else turnedAway += 1
      }
    }
    // Beside them, the queue is kept as full as it may be, and the engine has work of its own.
    let longest = 0
    const letIn = async (answer: Promise<{ readonly ok: boolean }>): Promise<void> => {
      const since = slow.commits
      if ((await answer).ok) longest = Math.max(longest, slow.commits - since)
      else turnedAway += 1
    }
    const flood = async (): Promise<void> => {
      let last: Promise<unknown> = Promise.resolve()
      while (!isOver()) {
        const room = waitingMax - (await depth())
        assert.ok(room >= 0)
        // More than there is room for, also when a batch has left meanwhile.
        last = Promise.all(fill(room + 2 * batchMax).map(letIn))
        assert.equal(await health('/healthz'), 200)
      }
      await last
    }
    await Promise.all([...Array.from({ length: 64 }, lane), flood()])
    slow.eachMs = 0
    await until(depth, (left) => left === 0)
    // In commits, not in time: a machine that is busy with other things is slow at everything.
    const full = waitingMax / batchMax
    assert.ok(longest >= full, `the queue was never full: the longest wait was ${longest} commits`)
    assert.ok(longest <= commitsMax, `one of those let in waited for ${longest} commits`)
    const grownMiB = heapMiB() - beforeMiB
    // Each change is an event, which this store keeps in memory: they are what has grown, and nothing else.
    const events = (await slow.store.lastEvent()) - eventsBefore
    const keptMiB = (events * eventBytesMax) / 2 ** 20
    const most = `at most 40 and ${keptMiB.toFixed(0)} for ${events} events`
    assert.ok(grownMiB < 40 + keptMiB, `${grownMiB.toFixed(0)} MiB more than before, ${most}`)
    assert.equal(await health('/readyz'), 200)
  })
})
