// Usage is summed up from events alone: as the plane lives, over a restart, in pages, and for what is gone.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type JumpingClock, jumpingClock } from '#test/harness/jumping-clock.ts'
import { adminOf, type NativeApi } from '#test/harness/native-api.ts'
import { type World, world } from '#test/harness/world.ts'
import type { InstanceShown, UsagePageShown, UsageShown } from './wire.ts'

const hourMs = 3_600_000
const soon = { prefer: 'wait=20' }
let dataDir: string
let clock: JumpingClock
let w: World
let admin: NativeApi

before(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'runstate-usage-'))
  clock = jumpingClock()
  await open()
})
after(async () => {
  await w.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function open(): Promise<void> {
  w = await world({ store: 'sqlite', dataDir, clock })
  admin = adminOf(w)
}

const usageOf = (id: string, query = ''): Promise<UsageShown> =>
  admin.get<UsageShown>(`/instances/${id}/usage${query}`)
const instanceOf = (id: string): Promise<InstanceShown> =>
  admin.get<InstanceShown>(`/instances/${id}`)
/** Real time passes as well, but never half an hour. */
const hours = (ms: number): number => Math.round(ms / hourMs)

test('a stop that gives the capacity back ends the meter when it is seen down, over a restart too', async () => {
  const { id, aliases } = await admin.server({ name: 'metered', flavor: 'ecs.g3i.large' })
  assert.equal((await instanceOf(id)).charged, true)
  clock.jump(2 * hourMs)
  await admin.act(id, { action: 'stop', mode: 'hard', stoppedMode: 'release' }, soon)
  const stopped = await instanceOf(id)
  assert.equal(stopped.charged, false)
  clock.jump(3 * hourMs)
  await w.server.close()
  clock.jump(4 * hourMs)
  await open()
  const used = await usageOf(aliases['ecs'] ?? '')
  assert.deepEqual([hours(used.chargedMs), hours(used.unchargedMs)], [2, 7])
  const lived = Date.parse(used.to) - Date.parse(used.from)
  assert.equal(used.chargedMs + used.unchargedMs, lived, 'no moment is lost, and none counts twice')
  const [span] = used.spans.filter(({ situation }) => situation === 'stopped')
  assert.deepEqual([span?.stoppedMode, span?.charged], ['release', false])

  // The moment at which it was seen down is where the meter ends, to the millisecond.
  const until = await usageOf(id, `?to=${stopped.stateSince}`)
  assert.equal(until.chargedMs, used.chargedMs)
  assert.equal((await usageOf(id, `?from=${stopped.stateSince}`)).chargedMs, 0)
})

test('a period of the past is told from what happened within it, and adds up', async () => {
  const { id, createdAt } = await admin.server({ name: 'periods' })
  const cut = new Date(clock.nowMs() + hourMs).toISOString()
  clock.jump(2 * hourMs)
  await admin.act(id, { action: 'stop', mode: 'hard' }, soon)
  clock.jump(hourMs)
  const to = new Date(clock.nowMs()).toISOString()
  const [first, second, all] = await Promise.all([
    usageOf(id, `?to=${cut}`),
    usageOf(id, `?from=${cut}&to=${to}`),
    usageOf(id, `?from=${createdAt}&to=${to}`),
  ])
  assert.deepEqual([hours(first.chargedMs), hours(second.chargedMs)], [1, 2], 'a kept place costs')
  assert.equal(first.chargedMs + second.chargedMs, all.chargedMs)
  assert.equal(first.unchargedMs + second.unchargedMs, all.unchargedMs)
  const none = await usageOf(id, `?from=2001-01-01T00:00:00Z&to=2001-02-01T00:00:00Z`)
  assert.deepEqual([none.spans, none.chargedMs, none.unchargedMs], [[], 0, 0])
})

test('what is gone is still told of, by its id and in its project, but only of its life', async () => {
  const { id } = await admin.server({ name: 'mortal' })
  clock.jump(hourMs)
  await admin.act(id, { action: 'delete' }, soon)
  clock.jump(hourMs)
  const used = await usageOf(id)
  assert.equal(hours(used.chargedMs), 1)
  assert.equal(used.chargedMs + used.unchargedMs, Date.parse(used.to) - Date.parse(used.from))
  const listed = await admin.get<UsagePageShown>('/usage?kind=server')
  assert.deepEqual(
    listed.items.find(({ instance }) => instance === id),
    used,
  )
  const later = await admin.get<UsagePageShown>(`/usage?from=${used.to}`)
  assert.ok(later.items.every(({ instance }) => instance !== id))
})

test('pages give every instance of the project once, and sum up what they show', async () => {
  const to = new Date(clock.nowMs()).toISOString()
  const whole = await admin.get<UsagePageShown>(`/usage?to=${to}`)
  const seen: UsageShown[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const at: string = cursor === '' ? '' : `&cursor=${cursor}`
    const page: UsagePageShown = await admin.get<UsagePageShown>(`/usage?to=${to}&limit=1${at}`)
    assert.equal(page.chargedMs, page.items[0]?.chargedMs ?? 0)
    seen.push(...page.items)
    cursor = page.nextCursor
  }
  assert.deepEqual(seen, whole.items)
  assert.equal(
    whole.chargedMs,
    seen.reduce((sum, { chargedMs }) => sum + chargedMs, 0),
  )
})

test('a period that cannot be is refused by name', async () => {
  const wrong = [
    ['?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'to'],
    ['?from=yesterday', 'from'],
    ['?until=2026-01-01T00:00:00Z', 'until'],
    ['?kind=service-instance', 'kind.0'],
  ] as const
  for (const [query, field] of wrong)
    assert.equal((await admin.refused('GET', `/usage${query}`)).field, field)
  assert.equal((await admin.refused('GET', '/instances/nobody/usage')).code, 'NotFound')
})
