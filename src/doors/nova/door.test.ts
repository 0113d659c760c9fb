// Laws of the power actions, over real sockets: every row of the contract's outcome table for os-stop (section
// 5.1), and of the tables for its siblings, in both dialects.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { projectId, userId } from '#kernel/ids.ts'
import { as, type OpenStackCaller, settled, twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

const quick = { startMs: 10, stopMs: 10, hardStopMs: 10, removeMs: 5 }
const config = {
  identity: twoProjects,
  catalogue: {
    flavors: [
      { id: 'quick', driver: 'simulated', attributes: quick },
      // Stays in a soft stop for as long as a test looks; a hard one is over at once.
      {
        id: 'stubborn',
        driver: 'simulated',
        graceMs: 60_000,
        attributes: { ...quick, ignoreSoftStop: true },
      },
      { id: 'slow-start', driver: 'simulated', attributes: { ...quick, startMs: 60_000 } },
      {
        id: 'unmakeable',
        driver: 'simulated',
        attributes: { ...quick, failAt: [{ act: 'create', code: 'refused', message: 'no metal' }] },
      },
      {
        id: 'unstoppable',
        driver: 'simulated',
        attributes: {
          ...quick,
          failAt: [{ act: 'stop', code: 'refused', times: 1, message: 'no power' }],
        },
      },
      {
        id: 'physical.metal',
        driver: 'simulated',
        bareMetal: true,
        graceMs: 60_000,
        // Its reboot lasts long enough to be looked at.
        attributes: { ...quick, ignoreSoftStop: true, startMs: 500 },
      },
      { id: 'offline', driver: 'process', attributes: {} },
    ],
  },
}

let w: World
let mary: OpenStackCaller
let ada: OpenStackCaller

before(async () => {
  w = await world({ config })
  mary = await as(w, 'mary')
  ada = await as(w, 'ada')
})
after(() => w.close())

/** The two mounts, each in both forms of its URLs, and what a power action answers there. */
const doors = [
  { form: '/compute/v2.1', success: 202 },
  { form: '/compute/v2.1/{project}', success: 202 },
  { form: '/v2.1', success: 204 },
  { form: '/v2.1/{project}', success: 204 },
]

const at = (caller: OpenStackCaller, form: string, id: string): string =>
  `${form.replace('{project}', caller.projectId)}/servers/${id}/action`

const act = (caller: OpenStackCaller, id: string, body: unknown, form = '/compute/v2.1') =>
  caller.call('POST', at(caller, form, id), { body })

async function made(flavorRef: string, status = 'ACTIVE', by = mary): Promise<string> {
  const heard = await by.call('POST', '/compute/v2.1/servers', {
    body: { server: { name: flavorRef, flavorRef, imageRef: 'sim' } },
  })
  assert.equal(heard.status, 202, heard.text)
  const id = heard.textAt('server.id')
  if (status !== 'BUILD') await settled(by, id, status)
  return id
}

async function stopped(flavor = 'quick'): Promise<string> {
  const id = await made(flavor)
  await act(mary, id, { 'os-stop': { type: 'HARD' } })
  await settled(mary, id, 'SHUTOFF')
  return id
}

const conflict = (message: string) => ({ conflictingRequest: { code: 409, message } })

for (const { form, success } of doors) {
  test(`os-stop and os-start are accepted with ${success} and no body at ${form}`, async () => {
    const id = await made('quick')
    const stop = await act(mary, id, { 'os-stop': {} }, form)
    assert.equal(stop.status, success)
    assert.equal(stop.text, '')
    assert.equal(stop.headers.get('content-type'), null)
    assert.equal(stop.headers.get('content-length'), success === 202 ? '0' : null)
    const shown = await settled(mary, id, 'SHUTOFF')
    assert.equal(shown.at('server.OS-EXT-STS:vm_state'), 'stopped')
    assert.equal(shown.at('server.OS-EXT-STS:power_state'), 4)
    const start = await act(mary, id, { 'os-start': null }, form)
    assert.equal(start.status, success)
    assert.equal((await settled(mary, id, 'ACTIVE')).at('server.OS-EXT-STS:power_state'), 1)
    const reboot = await act(mary, id, { reboot: { type: 'HARD' } }, form)
    assert.equal(reboot.status, success)
    await settled(mary, id, 'ACTIVE')
  })
}

test('a caller who names a microversion is answered 202 by either mount', async () => {
  const id = await made('quick')
  for (const headers of [
    { 'openstack-api-version': 'compute 2.1' },
    { 'x-openstack-nova-api-version': '2.1' },
  ]) {
    const body = { 'os-stop': null }
    const stop = await mary.call('POST', at(mary, '/v2.1/{project}', id), { body, headers })
    assert.equal(stop.status, 202)
    await settled(mary, id, 'SHUTOFF')
    await act(mary, id, { 'os-start': null })
    await settled(mary, id, 'ACTIVE')
  }
})

test('the success status of each mount can be forced', async () => {
  const nova = { actionSuccessStatus: { huawei: 202, nova: 204 } }
  const own = await world({ config: { ...config, doors: { nova } } })
  try {
    const boss = await as(own, 'mary')
    const id = await made('quick', 'ACTIVE', boss)
    assert.equal((await act(boss, id, { 'os-stop': {} }, '/v2.1')).status, 202)
    await settled(boss, id, 'SHUTOFF')
    assert.equal((await act(boss, id, { 'os-start': {} }, '/compute/v2.1')).status, 204)
    await settled(boss, id, 'ACTIVE')
  } finally {
    await own.close()
  }
})

const anyValue: readonly unknown[] = [
  null,
  {},
  { type: 'SOFT' },
  { type: 'hard' },
  { type: 7 },
  { type: 'WARM', more: [] },
  'text',
  [],
  7,
  false,
]
for (const value of anyValue) {
  test(`os-stop takes ${JSON.stringify(value)}`, async () => {
    const id = await made('quick')
    assert.equal((await act(mary, id, { 'os-stop': value })).status, 202)
    await settled(mary, id, 'SHUTOFF')
  })
}

test('only an object with the text HARD in its type makes a stop hard; the default is soft', async () => {
  const id = await made('stubborn')
  assert.equal((await act(mary, id, { 'os-stop': { type: 'SOFT' } })).status, 202)
  const busy = await mary.call('GET', `/compute/v2.1/servers/${id}`)
  assert.equal(busy.at('server.OS-EXT-STS:task_state'), 'powering-off')
  assert.equal(busy.at('server.OS-EXT-STS:vm_state'), 'active')
  assert.equal(busy.at('server.status'), 'ACTIVE')
  const other = await made('stubborn')
  assert.equal((await act(mary, other, { 'os-stop': { type: 'Hard' } })).status, 202)
  await settled(mary, other, 'SHUTOFF')
})

test('bare metal is stopped and rebooted by force, and still shows the reboot that was asked for', async () => {
  const id = await made('physical.metal')
  assert.equal((await act(mary, id, { 'os-stop': { type: 'SOFT' } }, '/v2.1')).status, 204)
  await settled(mary, id, 'SHUTOFF')
  await act(mary, id, { 'os-start': null }, '/v2.1')
  await settled(mary, id, 'ACTIVE')
  assert.equal((await act(mary, id, { reboot: { type: 'SOFT' } }, '/v2.1')).status, 204)
  const busy = await mary.call('GET', `/v2.1/servers/${id}`)
  assert.equal(busy.at('server.status'), 'REBOOT')
  assert.equal(busy.at('server.OS-EXT-STS:task_state'), 'rebooting')
  await settled(mary, id, 'ACTIVE')
})

test('an accepted stop carries the request id of the action that it became', async () => {
  const id = await made('quick')
  const stop = await act(mary, id, { 'os-stop': null })
  const requestId = stop.headers.get('x-compute-request-id')
  assert.match(requestId ?? '', /^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  assert.equal(stop.headers.get('x-openstack-request-id'), requestId)
  const path = `/compute/v2.1/servers/${id}/os-instance-actions/${requestId}`
  const shown = await mary.call('GET', path)
  assert.equal(shown.at('instanceAction.action'), 'stop')
  assert.equal(shown.at('instanceAction.user_id'), mary.userId)
})

test('in the wrong vm_state, in a task_state and never launched: 409, each in its own words', async () => {
  const down = await stopped()
  const refused = async (id: string, body: unknown, why: string) => {
    const heard = await act(mary, id, body)
    assert.equal(heard.status, 409, heard.text)
    assert.deepEqual(heard.json, conflict(why))
  }
  const cannot = (verb: string, id: string, state: string) =>
    `Cannot '${verb}' instance ${id} while it is in ${state}`
  const soft = { reboot: { type: 'SOFT' } }
  await refused(down, { 'os-stop': null }, cannot('stop', down, 'vm_state stopped'))
  await refused(down, soft, cannot('reboot', down, 'vm_state stopped'))
  const up = await made('stubborn')
  await refused(up, { 'os-start': null }, cannot('start', up, 'vm_state active'))
  await act(mary, up, { 'os-stop': null })
  await refused(up, { 'os-stop': null }, cannot('stop', up, 'task_state powering-off'))
  await refused(up, { 'os-stop': { type: 'HARD' } }, cannot('stop', up, 'task_state powering-off'))
  await refused(up, { 'os-start': null }, cannot('start', up, 'vm_state active'))
  await refused(up, soft, cannot('reboot', up, 'task_state powering-off'))
  const building = await made('slow-start', 'BUILD')
  await refused(building, { 'os-stop': null }, cannot('stop', building, 'vm_state building'))
  const rebooting = await made('stubborn')
  assert.equal((await act(mary, rebooting, soft)).status, 202)
  const shown = await mary.call('GET', `/compute/v2.1/servers/${rebooting}`)
  assert.equal(shown.at('server.status'), 'REBOOT')
  await refused(rebooting, { 'os-stop': null }, cannot('stop', rebooting, 'task_state rebooting'))
  await refused(rebooting, soft, cannot('reboot', rebooting, 'task_state rebooting'))
  const failed = await made('unmakeable', 'ERROR')
  await refused(failed, { 'os-stop': null }, `Instance ${failed} is in an invalid state for 'stop'`)
})

test('a hard reboot is accepted while a soft one is under way, and from a stopped server', async () => {
  const id = await made('stubborn')
  assert.equal((await act(mary, id, { reboot: { type: 'SOFT' } })).status, 202)
  assert.equal((await act(mary, id, { reboot: { type: 'HARD' } })).status, 202)
  await settled(mary, id, 'ACTIVE')
  const down = await stopped()
  assert.equal((await act(mary, down, { reboot: { type: 'hard' } })).status, 202)
  await settled(mary, down, 'ACTIVE')
})

test('two hundred stops at once: one is accepted, the rest are told what is under way', async () => {
  const id = await made('stubborn')
  const heard = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      act(mary, id, { 'os-stop': null }, n % 2 === 0 ? '/compute/v2.1' : '/v2.1'),
    ),
  )
  const accepted = heard.filter(({ status }) => status === 202 || status === 204)
  assert.equal(accepted.length, 1)
  const busy = conflict(`Cannot 'stop' instance ${id} while it is in task_state powering-off`)
  for (const one of heard) if (!accepted.includes(one)) assert.deepEqual(one.json, busy)
  const listed = await mary.call('GET', `/compute/v2.1/servers/${id}/os-instance-actions`)
  assert.deepEqual(listed.each('instanceActions', 'action'), ['stop', 'create'])
})

test('a driver that fails after acceptance shows in the server and its action, not in the answer', async () => {
  const id = await made('unstoppable')
  const stop = await act(mary, id, { 'os-stop': null })
  assert.equal(stop.status, 202)
  const shown = await settled(mary, id, 'ERROR')
  assert.equal(shown.at('server.OS-EXT-STS:vm_state'), 'error')
  assert.equal(shown.at('server.fault.code'), 500)
  assert.match(shown.textAt('server.fault.message'), /no power/)
  assert.equal(shown.at('server.fault.details'), undefined)
  const requestId = stop.headers.get('x-compute-request-id')
  const path = `/compute/v2.1/servers/${id}/os-instance-actions/${requestId}`
  assert.equal((await mary.call('GET', path)).at('instanceAction.message'), 'Error')
  const told = await ada.call('GET', path)
  assert.deepEqual(told.each('instanceAction.events', 'result'), ['Error'])
  assert.deepEqual(told.each('instanceAction.events', 'event'), ['compute_stop_instance'])
  assert.equal((await act(mary, id, { 'os-stop': null })).status, 202, 'error may be stopped')
  await settled(mary, id, 'SHUTOFF')
})

test('a driver that is out of service: 500, and nothing changes', async () => {
  const id = await made('quick')
  const operator = await w.identity.callerOf(userId(ada.userId), projectId(ada.projectId))
  assert.ok(operator.ok)
  const put = (available: boolean) =>
    w.plane.submit(
      { verb: 'put', table: 'drivers', row: { id: 'simulated', available, reason: 'on strike' } },
      { caller: operator.value, door: 'native', requestId: 'test' },
    )
  assert.ok((await put(false)).ok)
  try {
    const heard = await act(mary, id, { 'os-stop': null })
    assert.equal(heard.status, 500)
    assert.equal(heard.at('computeFault.code'), 500)
  } finally {
    assert.ok((await put(true)).ok)
  }
  await settled(mary, id, 'ACTIVE')
})
