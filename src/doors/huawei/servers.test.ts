// Servers as the two services list and show them, over real sockets.
// Sources: contracts/openstack-compute.md section 10; the services' own pages.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { instanceId } from '#kernel/ids.ts'
import { rows } from '#test/contract/rows.ts'
import { at } from '#test/harness/api.ts'
import { v1 } from '#test/harness/huawei.ts'
import { as, type OpenStackCaller, settled, twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'
import { serverObject } from './wire.ts'

const quick = { startMs: 5, stopMs: 5, hardStopMs: 5, removeMs: 5 }
const config = {
  identity: twoProjects,
  catalogue: {
    flavors: [
      { id: 'quick', driver: 'simulated', vcpus: 2, memoryMiB: 2048, attributes: quick },
      {
        id: 'physical.metal',
        driver: 'simulated',
        bareMetal: true,
        vcpus: 32,
        memoryMiB: 4096,
        diskGiB: 800,
        attributes: { ...quick, extra_specs: { 'capabilities:cpu_arch': 'x86_64' } },
      },
    ],
  },
}

let w: World
let mary: OpenStackCaller
let rita: OpenStackCaller
let otto: OpenStackCaller
let metal: string
let virtual: string

before(async () => {
  w = await world({ config })
  ;[mary, rita, otto] = await Promise.all([as(w, 'mary'), as(w, 'rita'), as(w, 'otto')])
  virtual = await made('virtual-1', 'quick')
  metal = await made('metal-1', 'physical.metal')
})
after(() => w.close())

async function made(name: string, flavorRef: string): Promise<string> {
  const server = { name, flavorRef, imageRef: 'sim', metadata: { role: 'db' } }
  const heard = await mary.call('POST', '/compute/v2.1/servers', { body: { server } })
  const id = heard.textAt('server.id')
  await settled(mary, id, 'ACTIVE')
  return id
}

const families = ['baremetalservers', 'cloudservers'] as const

test('a server is the native object, and what the services show besides', async () => {
  for (const family of families) {
    const shown = await v1(mary, 'GET', `/${family}/${metal}`)
    assert.equal(shown.status, 200, shown.text)
    const nativeOne = await mary.call('GET', `/v2.1/${mary.projectId}/servers/${metal}`)
    const of = (path: string): unknown => shown.at(`server.${path}`)
    for (const name of ['id', 'name', 'status', 'created', 'tenant_id', 'OS-EXT-STS:vm_state'])
      assert.deepEqual(of(name), nativeOne.at(`server.${name}`), name)
    assert.deepEqual(of('flavor'), {
      id: 'physical.metal',
      name: 'physical.metal',
      disk: '800',
      vcpus: '32',
      ram: '4096',
    })
    assert.equal(of('locked'), false)
    assert.equal(of('host_status'), 'UP')
    assert.deepEqual(of('tags'), ['__type_baremetal'])
    assert.deepEqual(of('sys_tags'), [{ key: '_sys_enterprise_project_id', value: '0' }])
    assert.equal(of('enterprise_project_id'), '0')
    assert.deepEqual(of('os:scheduler_hints'), {})
    assert.equal(of('metadata.role'), 'db')
    const metadata = Object(of('metadata')) as Readonly<Record<string, unknown>> // an object is shown
    assert.equal(metadata['metering.resourcetype'], '__type_baremetal')
    assert.equal(of('OS-EXT-SRV-ATTR:hostname'), 'metal-1')
    assert.notEqual(of('OS-EXT-SRV-ATTR:host'), undefined)
    for (const name of ['description', 'OS-EXT-SRV-ATTR:user_data', 'OS-EXT-SRV-ATTR:kernel_id'])
      assert.equal(typeof of(name), 'string', name)
  }
})

test('addresses carry a port and their version as a text', () => {
  const address = { version: 4, addr: '10.1.2.3', 'OS-EXT-IPS:type': 'fixed' }
  const around = { flavor: undefined, image: undefined, tags: [], isLocked: false }
  const row = rows.instances({ id: instanceId(virtual) })
  const native = { addresses: { private: [address] } }
  const shown = serverObject(row, { ...around, reservationId: undefined, native })
  const port = at(shown, 'addresses', 'private', 0, 'OS-EXT-IPS:port_id')
  assert.match(String(port), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  const wanted = { ...address, version: '4', 'OS-EXT-IPS:port_id': port }
  assert.deepEqual(at(shown, 'addresses'), { private: [wanted] })
})

test('a locked server says so', async () => {
  const act = (body: object) =>
    mary.call('POST', `/compute/v2.1/servers/${virtual}/action`, { body })
  await act({ lock: null })
  assert.equal((await v1(mary, 'GET', `/cloudservers/${virtual}`)).at('server.locked'), true)
  await act({ unlock: null })
})

test('who is not of the project, and who asks for what is not there, hear the same', async () => {
  for (const [family, status, code] of [
    ['baremetalservers', 400, 'BMS.0040'],
    ['cloudservers', 404, 'Ecs.0114'],
  ] as const)
    for (const [by, id] of [
      [otto, metal],
      [mary, '00000000-0000-4000-8000-000000000000'],
      [mary, 'metal-1'],
    ] as const) {
      const heard = await v1(by, 'GET', `/${family}/${id}`)
      assert.equal(heard.status, status, heard.text)
      assert.equal(heard.at('error.code'), code)
    }
  for (const family of families) {
    const theirs = await v1(otto, 'GET', `/${family}/detail`)
    assert.deepEqual(theirs.json, { count: 0, servers: [] })
  }
})

test('pages and filters of the lists', async () => {
  const names = async (query: string): Promise<readonly unknown[]> => {
    const heard = await v1(rita, 'GET', `/cloudservers/detail${query}`)
    assert.equal(heard.status, 200, heard.text)
    return [heard.at('count'), ...heard.each('servers', 'name')]
  }
  const [m, v] = ['metal-1', 'virtual-1']
  const rows: Readonly<Record<string, readonly unknown[]>> = {
    '': [2, m, v],
    '?limit=1': [2, m],
    '?limit=1&offset=0': [2, m],
    '?limit=1&offset=1': [2, m],
    '?limit=1&offset=2': [2, v],
    '?limit=1&offset=3': [2],
    '?flavor=quick': [1, v],
    '?flavor=nothing': [0],
    '?name=tal': [1, m],
    '?status=active': [2, m, v],
    '?status=SHUTOFF': [0],
    '?tags=__type_baremetal': [1, m],
    '?not-tags=__type_baremetal': [1, v],
    '?reservation_id=r-nothing': [0],
    '?enterprise_project_id=0': [2, m, v],
    '?enterprise_project_id=all_granted_eps': [2, m, v],
    '?enterprise_project_id=another': [0],
    '?detail=5': [2, m, v],
    [`?server_id=${virtual}`]: [1, v],
  }
  for (const [query, wanted] of Object.entries(rows))
    assert.deepEqual(await names(query), wanted, query)
  for (const query of ['?limit=0', '?limit=1001', '?limit=x', '?offset=-1', '?detail=6'])
    for (const [family, code] of [
      ['baremetalservers', 'BMS.0018'],
      ['cloudservers', 'Ecs.0005'],
    ] as const) {
      const heard = await v1(rita, 'GET', `/${family}/detail${query}`)
      assert.equal(heard.status, 400, query)
      assert.equal(heard.at('error.code'), code)
    }
})

test('a new name, within the rule of names', async () => {
  const put = (body: unknown, by = mary) => v1(by, 'PUT', `/baremetalservers/${metal}`, body)
  const heard = await put({ server: { name: '裸金属_1.a-b' } })
  assert.equal(heard.status, 200, heard.text)
  assert.equal(heard.at('server.name'), '裸金属_1.a-b')
  assert.equal(heard.at('server.enterprise_project_id'), undefined)
  for (const [body, code] of [
    [{ server: { name: '' } }, 'BMS.0206'],
    [{ server: { name: 'a'.repeat(64) } }, 'BMS.0206'],
    [{ server: { name: 'a b' } }, 'BMS.0018'],
    [{ server: { name: 7 } }, 'BMS.0018'],
    [{ server: {} }, 'BMS.0018'],
    [{}, 'BMS.0018'],
    [[], 'BMS.0001'],
  ] as const) {
    const refused = await put(body)
    assert.equal(refused.status, 400)
    assert.equal(refused.at('error.code'), code, JSON.stringify(body))
  }
  const reader = await put({ server: { name: 'other' } }, rita)
  assert.equal(reader.status, 403)
  assert.equal(reader.at('error.code'), 'BMS.0288')
  const stranger = await put({ server: { name: 'other' } }, otto)
  assert.equal(stranger.at('error.code'), 'BMS.0040')
  assert.equal((await put({ server: { name: 'metal-1' } })).at('server.name'), 'metal-1')
})

test('flavors of bare metal, with texts for numbers', async () => {
  const heard = await v1(rita, 'GET', '/baremetalservers/flavors?availability_zone=az1')
  assert.equal(heard.status, 200)
  const ids = heard.each('flavors', 'id')
  assert.ok(ids.includes('physical.metal') && !ids.includes('quick'))
  const index = ids.indexOf('physical.metal')
  assert.equal(heard.at(`flavors.${index}.vcpus`), '32')
  assert.equal(heard.at(`flavors.${index}.disk`), '800')
  assert.equal(heard.at(`flavors.${index}.ram`), 4096)
  assert.deepEqual(heard.at(`flavors.${index}.os_extra_specs`), {
    resource_type: 'ironic',
    'capabilities:cpu_arch': 'x86_64',
  })
})

test('limits say what is used', async () => {
  const heard = await v1(rita, 'GET', '/baremetalservers/limits')
  assert.equal(heard.status, 200)
  const used = ['totalInstancesUsed', 'totalCoresUsed', 'totalRAMUsed', 'maxTotalInstances']
  assert.deepEqual(
    used.map((name) => heard.at(`absolute.${name}`)),
    [2, 34, 6144, -1],
  )
})
