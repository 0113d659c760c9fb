// Laws of lists: pages lose nothing and repeat nothing, filters and orders mean what the contract says (sections
// 6.3, 8.1 to 8.3), and nobody lists another's servers.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  as,
  type Heard,
  type OpenStackCaller,
  settled,
  twoProjects,
} from '#test/harness/openstack.ts'
import { until, type World, world } from '#test/harness/world.ts'
import { imageUuid } from './image-ids.ts'

const servers = '/compute/v2.1/servers'
const quick = { startMs: 5, stopMs: 5, hardStopMs: 5, removeMs: 5 }

let w: World
let mary: OpenStackCaller
let ada: OpenStackCaller
let otto: OpenStackCaller
let amos: OpenStackCaller

const names = ['web-1', 'web-2', 'web.3', 'db-1', 'db-2']
const ids = new Map<string, string>()

async function make(by: OpenStackCaller, server: object): Promise<string> {
  const body = { server: { flavorRef: 'quick', imageRef: 'sim', ...server } }
  const heard = await by.call('POST', servers, { body })
  assert.equal(heard.status, 202, heard.text)
  return heard.textAt('server.id')
}

before(async () => {
  const flavors = [
    { id: 'quick', driver: 'simulated', vcpus: 2, memoryMiB: 512, diskGiB: 5, attributes: quick },
    {
      id: 'large',
      driver: 'simulated',
      vcpus: 8,
      memoryMiB: 4096,
      attributes: { ...quick, extra_specs: { 'hw:numa': '1' } },
    },
    {
      id: 'stubborn',
      driver: 'simulated',
      graceMs: 60_000,
      attributes: { ...quick, ignoreSoftStop: true },
    },
    { id: 'physical.s4', driver: 'simulated', bareMetal: true, attributes: quick },
  ]
  const images = [{ id: 'other', name: 'Another', launch: {} }]
  const catalogue = { flavors, images }
  w = await world({ config: { identity: twoProjects, catalogue } })
  mary = await as(w, 'mary')
  ada = await as(w, 'ada')
  otto = await as(w, 'otto')
  amos = await as(w, 'amos')
  for (const name of names) {
    const big = name.startsWith('db') ? { flavorRef: 'large', imageRef: 'other' } : {}
    ids.set(name, await make(mary, { name, ...big }))
  }
  await make(otto, { name: 'otto-1' })
  for (const id of ids.values()) await settled(mary, id, 'ACTIVE')
  const id = ids.get('db-2') ?? ''
  await mary.call('POST', `${servers}/${id}/action`, { body: { 'os-stop': null } })
  await settled(mary, id, 'SHUTOFF')
})
after(() => w.close())

const listed = async (query: string, by = mary): Promise<readonly unknown[]> => {
  const heard = await by.call('GET', `${servers}?${query}`)
  assert.equal(heard.status, 200, heard.text)
  return heard.each('servers', 'name')
}

test('the newest come first, with nothing but id, name and links', async () => {
  const heard = await mary.call('GET', servers)
  assert.deepEqual(heard.each('servers', 'name'), names.toReversed())
  const keys = Object.keys(heard.at('servers.0') as object) // an object, by its keys
  assert.deepEqual(keys.toSorted(), ['id', 'links', 'name'])
  assert.equal(heard.at('servers_links'), undefined)
})

/** A query and the names that it finds, in order. */
const found: readonly (readonly [string, readonly string[]])[] = [
  ['name=web', ['web.3', 'web-2', 'web-1']],
  ['name=web-1', ['web-1']],
  ['name=^web.3$', ['web.3']],
  ['name=^b', []],
  ['name=b-[12]', ['db-2', 'db-1', 'web-2', 'web-1']],
  ['name=-1|-2', ['db-2', 'db-1', 'web-2', 'web-1']],
  ['status=ACTIVE', ['db-1', 'web.3', 'web-2', 'web-1']],
  ['status=active&status=shutoff', names.toReversed()],
  ['status=SHUTOFF', ['db-2']],
  ['status=PAUSED', []],
  ['status=nonsense', []],
  ['flavor=large', ['db-2', 'db-1']],
  ['flavor=large&status=shutoff', ['db-2']],
  ['flavor=nope', []],
  [`image=${imageUuid('other')}`, ['db-2', 'db-1']],
  ['image=other', ['db-2', 'db-1']],
  ['image=nope', []],
  ['ip=10.0', []],
  ['reservation_id=r-nope', []],
  ['sort_key=display_name&sort_dir=asc', names.toSorted()],
  ['sort_key=display_name', names.toSorted().toReversed()],
  ['sort_key=created_at&sort_dir=asc', names],
  ['sort_key=memory_mb&sort_dir=asc', names.toReversed()],
  ['nonsense=1&host=nowhere&vm_state=stopped', names.toReversed()],
  ['changes-since=2999-01-01T00:00:00Z', []],
  ['changes-since=2026-01-01', names.toReversed()],
  ['limit=0', []],
  ['tenant_id=other', names.toReversed()],
]
for (const [query, expected] of found) {
  test(`?${query} finds ${expected.join(', ') || 'nothing'}`, async () => {
    assert.deepEqual(await listed(query), expected)
  })
}

const refused: readonly (readonly [string, number, RegExp])[] = [
  ['limit=x', 400, /^Invalid input for query parameters limit\. Value: x\. /],
  ['limit=-1', 400, /'-1' does not match/],
  ['marker=nope', 400, /^marker \[nope\] not found$/],
  ['name=(', 400, /is not a regular expression$/],
  ['sort_key=nope', 400, /sort_key/],
  ['sort_dir=up', 400, /'up' is not one of \['asc', 'desc'\]/],
  ['sort_key=host', 403, /^Policy doesn't allow os_compute_api:servers:index to be performed/],
  ['changes-since=yesterday', 400, /'yesterday' is not a 'date-time'$/],
  ['changes-since=2026-13-45T00:00:00Z', 400, /is not a 'date-time'$/],
  ['status=deleted', 403, /^Only administrators may list deleted instances$/],
  ['all_tenants=1', 403, /os_compute_api:servers:index:get_all_tenants to be performed\.$/],
  ['all_tenants', 403, /get_all_tenants/],
  ['all_tenants=maybe', 400, /maybe/],
]
for (const [query, status, message] of refused) {
  test(`?${query} is refused with ${status}`, async () => {
    const heard = await mary.call('GET', `${servers}?${query}`)
    assert.equal(heard.status, status)
    assert.match(heard.textAt(`${status === 403 ? 'forbidden' : 'badRequest'}.message`), message)
  })
}

test('a pattern that would take for ever is refused, and soon', async () => {
  await make(mary, { name: `${'a'.repeat(60)}!`, flavorRef: 'physical.s4' })
  const startedMs = performance.now()
  const heard = await mary.call('GET', `${servers}?name=${encodeURIComponent('^(a+)+$')}`)
  assert.equal(heard.status, 400)
  assert.ok(performance.now() - startedMs < 2000)
})

test('a status is found by what is under way, and by what it came from', async () => {
  const id = await make(otto, { name: 'busy', flavorRef: 'stubborn' })
  await settled(otto, id, 'ACTIVE')
  await otto.call('POST', `${servers}/${id}/action`, { body: { reboot: { type: 'SOFT' } } })
  assert.deepEqual(await listed('name=busy&status=reboot', otto), ['busy'])
  assert.deepEqual(await listed('name=busy&status=active', otto), [])
  assert.deepEqual(await listed('name=busy&vm_state=active&task_state=rebooting', amos), ['busy'])
  await otto.call('DELETE', `${servers}/${id}`)
  await until(
    () => listed('name=busy', otto),
    (names) => names.length === 0,
  )
  assert.deepEqual(await listed('name=busy&status=deleted', amos), ['busy'])
  assert.deepEqual(await listed('name=busy&deleted=true', amos), ['busy'])
  assert.deepEqual(await listed('name=busy&deleted=true', otto), [])
  assert.deepEqual(await listed('name=busy&changes-since=2026-01-01', otto), ['busy'])
})

test('bare-metal servers are found by their tag, in the dialect that has it', async () => {
  const id = await make(mary, { name: 'metal-1', flavorRef: 'physical.s4' })
  const found = async (query: string, path = '/v2.1/servers') =>
    (await mary.call('GET', `${path}?name=-1&sort_key=display_name&sort_dir=asc&${query}`)).each(
      'servers',
      'name',
    )
  try {
    const all = ['db-1', 'metal-1', 'web-1']
    assert.deepEqual(await found('tags=__type_baremetal'), ['metal-1'])
    assert.deepEqual(await found('tags-any=x,__type_baremetal'), ['metal-1'])
    assert.deepEqual(await found('tags=x,__type_baremetal'), [])
    assert.deepEqual(await found('not-tags=__type_baremetal'), ['db-1', 'web-1'])
    assert.deepEqual(await found('not-tags-any=x'), all)
    assert.deepEqual(await found('tags=__type_baremetal', servers), all)
  } finally {
    await mary.call('DELETE', `${servers}/${id}`)
    await until(
      () => listed('name=metal-1'),
      (names) => names.length === 0,
    )
  }
})

test('a project lists its own; an admin lists all when it says so, and filters by what is an admin’s', async () => {
  assert.deepEqual(await listed('', otto), ['otto-1'])
  assert.deepEqual(await listed('', amos), ['otto-1'])
  assert.deepEqual(await listed('all_tenants=1&name=^(otto|web)-1$', amos), ['otto-1', 'web-1'])
  assert.deepEqual(await listed(`all_tenants&project_id=${otto.projectId}`, ada), ['otto-1'])
  assert.deepEqual(await listed('all_tenants=0', amos), ['otto-1'])
  assert.deepEqual(await listed('vm_state=stopped', ada), ['db-2'])
  assert.deepEqual(await listed('power_state=4', ada), ['db-2'])
  assert.deepEqual(await listed('host=nowhere', ada), [])
  assert.deepEqual(await listed(`uuid=${ids.get('db-1')}`, ada), ['db-1'])
})

/** Follows the links of a list to its end. */
async function walked(by: OpenStackCaller, path: string): Promise<readonly string[]> {
  const seen: string[] = []
  let next: string | undefined = path
  while (next !== undefined) {
    const heard: Heard = await by.call('GET', next)
    assert.equal(heard.status, 200, heard.text)
    seen.push(...heard.each('servers', 'id').map(String))
    const hasMore: boolean = heard.at('servers_links') !== undefined
    next = hasMore ? heard.textAt('servers_links.0.href').slice(w.url.length) : undefined
  }
  return seen
}

test('pages follow their links through the whole list, whatever the order and the filter', async () => {
  for (const path of ['', '/detail']) {
    for (const query of [
      'limit=2',
      'limit=1&name=web',
      'limit=1&name=b-[12]',
      'limit=2&sort_key=display_name&sort_dir=asc',
      'limit=1&sort_key=vm_state',
      'limit=3&sort_key=uuid&status=active',
    ]) {
      const whole = await walked(
        mary,
        `${servers}${path}?${query.replace(/limit=\d/, 'limit=1000')}`,
      )
      const pages = await walked(mary, `${servers}${path}?${query}`)
      assert.deepEqual(pages, whole, query)
      assert.equal(new Set(pages).size, pages.length)
    }
  }
})

test('a full last page still links to the next one, which is empty; links keep the query', async () => {
  const total = (await listed('')).length
  const heard = await mary.call(
    'GET',
    `/v2.1/${mary.projectId}/servers/detail?limit=${total}&status=&foo=a%20b`,
  )
  const next = new URL(heard.textAt('servers_links.0.href'))
  assert.equal(heard.at('servers_links.0.rel'), 'next')
  assert.equal(next.pathname, `/v2.1/${mary.projectId}/servers/detail`)
  assert.equal(next.searchParams.get('foo'), 'a b')
  const empty = await mary.call('GET', `${next.pathname}${next.search}`)
  assert.deepEqual(empty.json, { servers: [] })
})

test('nothing that was there throughout is missed or repeated while others come and go', async () => {
  const steady: string[] = []
  for (let n = 0; n < 30; n++) steady.push(await make(amos, { name: `steady-${n}` }))
  let isOver = false
  const churn = (async () => {
    for (let n = 0; !isOver; n++) {
      const id = await make(amos, { name: `passing-${n}` })
      await amos.call('DELETE', `${servers}/${id}`)
    }
  })()
  try {
    for (let n = 0; n < 5; n++) {
      const seen = await walked(amos, `${servers}?limit=3`)
      assert.equal(new Set(seen).size, seen.length)
      for (const id of steady) assert.ok(seen.includes(id))
    }
  } finally {
    isOver = true
    await churn
  }
})

test('flavors: list, detail, filters, pages, one, and its extra specs', async () => {
  const flavors = '/compute/v2.1/flavors'
  const all = await mary.call('GET', `${flavors}?minRam=512`)
  const known = all.each('flavors', 'id').map(String)
  assert.deepEqual(
    known,
    known.toSorted((a, b) => (a < b ? -1 : 1)),
  )
  const large = await mary.call('GET', `${flavors}/large`)
  const keys = Object.keys(large.at('flavor') as object).toSorted() // an object, by its keys
  assert.deepEqual(keys, [
    'OS-FLV-DISABLED:disabled',
    'OS-FLV-EXT-DATA:ephemeral',
    'disk',
    'id',
    'links',
    'name',
    'os-flavor-access:is_public',
    'ram',
    'rxtx_factor',
    'swap',
    'vcpus',
  ])
  assert.equal(large.at('flavor.ram'), 4096)
  const detail = await mary.call('GET', `${flavors}/detail?is_public=None`)
  assert.deepEqual(detail.at(`flavors.${known.indexOf('large')}`), large.at('flavor'))
  const small = await mary.call(
    'GET',
    `${flavors}?minRam=4096&minDisk=10&sort_key=memory_mb&limit=1`,
  )
  assert.equal(small.at('flavors.0.id'), 'large')
  const next = small.textAt('flavors_links.0.href').slice(w.url.length)
  assert.notEqual((await mary.call('GET', next)).at('flavors.0.id'), 'large')
  const specs = await mary.call('GET', `${flavors}/large/os-extra_specs`)
  assert.deepEqual(specs.json, { extra_specs: { 'hw:numa': '1' } })
  const metal = await mary.call('GET', `${flavors}/physical.s4/os-extra_specs`)
  assert.deepEqual(metal.json, { extra_specs: { resource_type: 'ironic' } })
  const unknown = await mary.call('GET', `${flavors}/nope`)
  assert.equal(unknown.at('itemNotFound.message'), 'Flavor nope could not be found.')
  const wrong = await mary.call('GET', `${flavors}?minRam=x`)
  assert.equal(wrong.at('badRequest.message'), 'Invalid minRam filter [x]')
  assert.equal((await mary.call('GET', `${flavors}?marker=nope`)).status, 400)
})

test('the image service lists and shows images by their UUIDs', async () => {
  const root = await mary.call('GET', '/image')
  assert.equal(root.status, 300)
  assert.equal(root.at('versions.0.links.0.href'), `${w.url}/image/v2/`)
  const uuid = imageUuid('other')
  const byName = await mary.call('GET', '/image/v2/images?name=Another')
  assert.deepEqual(byName.each('images', 'id'), [uuid])
  const byIds = await mary.call('GET', `/image/v2/images?id=in:${uuid},${imageUuid('sim')}`)
  assert.equal(byIds.each('images', 'id').length, 2)
  const one = await mary.call('GET', `/image/v2/images/${uuid}`)
  assert.deepEqual(one.json, byName.at('images.0'))
  assert.deepEqual((await mary.call('GET', '/image/v2/images/other')).json, one.json)
  assert.equal((await mary.call('GET', '/image/v2/images/Another')).status, 404)
  assert.equal((await mary.call('GET', '/image/v2/images?limit=x')).status, 400)
  const first = await mary.call('GET', '/image/v2/images?limit=1')
  const second = await mary.call('GET', `/image${first.textAt('next')}`)
  assert.notEqual(second.at('images.0.id'), first.at('images.0.id'))
  const headers = { 'x-auth-token': '' }
  assert.equal((await mary.call('GET', '/image/v2/images', { headers })).status, 401)
  assert.equal((await mary.call('POST', '/image/v2/images')).status, 404)
})

test('limits count what the project uses, by the sizes of its flavors', async () => {
  const heard = await otto.call('GET', '/compute/v2.1/limits')
  const count = (await listed('', otto)).length
  assert.equal(heard.at('limits.absolute.totalInstancesUsed'), count)
  assert.equal(heard.at('limits.absolute.totalCoresUsed'), count * 2)
  assert.equal(heard.at('limits.absolute.totalRAMUsed'), count * 512)
  const zones = await otto.call('GET', '/compute/v2.1/os-availability-zone')
  assert.deepEqual(zones.each('availabilityZoneInfo', 'zoneName'), ['az1'])
  assert.deepEqual(zones.each('availabilityZoneInfo', 'hosts'), [null])
  const detail = '/compute/v2.1/os-availability-zone/detail'
  const denied = await otto.call('GET', detail)
  assert.equal(denied.status, 403)
  assert.match(denied.textAt('forbidden.message'), /os_compute_api:os-availability-zone:detail/)
  const hosts = await amos.call('GET', detail)
  const service = hosts.at('availabilityZoneInfo.0.hosts.simulated.nova-compute')
  assert.deepEqual(service, { active: true, available: true, updated_at: null })
})
