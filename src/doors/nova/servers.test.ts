// Laws of servers as things: creation, the closed shape of what is shown, update, removal, and the two
// headers that every change takes (contract, sections 6 and 7).

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { as, type OpenStackCaller, settled, twoProjects } from '#test/harness/openstack.ts'
import { until, type World, world } from '#test/harness/world.ts'
import { imageUuid } from './image-ids.ts'

const servers = '/compute/v2.1/servers'
const quick = { startMs: 10, stopMs: 10, hardStopMs: 10, removeMs: 5 }

let w: World
let mary: OpenStackCaller
let rita: OpenStackCaller
let ada: OpenStackCaller
let otto: OpenStackCaller

before(async () => {
  const flavors = [
    { id: 'quick', driver: 'simulated', vcpus: 2, attributes: quick },
    { id: 'slow', driver: 'simulated', attributes: { ...quick, startMs: 60_000 } },
    { id: 'slow-to-go', driver: 'simulated', attributes: { ...quick, removeMs: 60_000 } },
    { id: 'scarce', driver: 'simulated', pool: 'few', attributes: quick },
  ]
  const catalogue = { flavors, pools: [{ id: 'few', capacity: 1 }] }
  w = await world({ config: { identity: twoProjects, catalogue } })
  mary = await as(w, 'mary')
  rita = await as(w, 'rita')
  ada = await as(w, 'ada')
  otto = await as(w, 'otto')
})
after(() => w.close())

const files = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ path: `/etc/f${at}`, contents: 'QQ==' }))
const plain = { name: 'one', flavorRef: 'quick', imageRef: 'sim' }
const post = (server: unknown, headers: Readonly<Record<string, string>> = {}, by = mary) =>
  by.call('POST', servers, { body: { server }, headers })

async function made(server: object = plain, by = mary): Promise<string> {
  const heard = await post(server, {}, by)
  assert.equal(heard.status, 202, heard.text)
  return heard.textAt('server.id')
}

async function running(server: object = plain): Promise<string> {
  const id = await made(server)
  await settled(mary, id, 'ACTIVE')
  return id
}

test('a creation is answered with its id, a password and nothing else', async () => {
  const heard = await post({ ...plain, 'OS-DCF:diskConfig': 'AUTO' })
  assert.equal(heard.status, 202)
  const keys = ['OS-DCF:diskConfig', 'adminPass', 'id', 'links', 'security_groups']
  assert.deepEqual(Object.keys(heard.at('server') as object).toSorted(), keys) // an object, by its keys
  assert.match(heard.textAt('server.adminPass'), /^[\w-]{12}$/)
  assert.equal(heard.at('server.OS-DCF:diskConfig'), 'AUTO')
  const self = heard.textAt('server.links.0.href')
  assert.equal(heard.headers.get('location'), self)
  assert.equal(self, `${w.url}${servers}/${heard.textAt('server.id')}`)
})

test('the password is kept nowhere', async () => {
  const adminPass = 'not-to-be-kept-1'
  const heard = await post({ ...plain, adminPass })
  assert.equal(heard.at('server.adminPass'), adminPass)
  const row = await w.plane.read.get('instances', heard.textAt('server.id'))
  assert.ok(row && !JSON.stringify(row).includes(adminPass))
  const wrong = await post({ ...plain, adminPass, nonsense: 1 })
  assert.equal(wrong.status, 400)
  assert.ok(!wrong.text.includes(adminPass))
})

const shownKeys = [
  'OS-DCF:diskConfig',
  'OS-EXT-AZ:availability_zone',
  'OS-EXT-STS:power_state',
  'OS-EXT-STS:task_state',
  'OS-EXT-STS:vm_state',
  'OS-SRV-USG:launched_at',
  'OS-SRV-USG:terminated_at',
  'accessIPv4',
  'accessIPv6',
  'addresses',
  'config_drive',
  'created',
  'flavor',
  'hostId',
  'id',
  'image',
  'key_name',
  'links',
  'metadata',
  'name',
  'os-extended-volumes:volumes_attached',
  'progress',
  'security_groups',
  'status',
  'tenant_id',
  'updated',
  'user_id',
]
const hostKeys = [
  'OS-EXT-SRV-ATTR:host',
  'OS-EXT-SRV-ATTR:hypervisor_hostname',
  'OS-EXT-SRV-ATTR:instance_name',
]

test('a server is shown with exactly the fields of its version, and hosts to admins only', async () => {
  const metadata = { role: 'db', 'a.b:c d': '' }
  const id = await running({ ...plain, metadata, security_groups: [{ name: 'web' }] })
  const heard = await mary.call('GET', `${servers}/${id}`)
  const keys = (one: typeof heard, at: string) => Object.keys(one.at(at) as object).toSorted() // an object, by its keys
  assert.deepEqual(keys(heard, 'server'), shownKeys.toSorted())
  const byAdmin = await ada.call('GET', `${servers}/${id}`)
  assert.deepEqual(keys(byAdmin, 'server'), [...shownKeys, ...hostKeys].toSorted())
  assert.match(byAdmin.textAt('server.OS-EXT-SRV-ATTR:instance_name'), /^instance-[0-9a-f]{8}$/)
  const listed = await mary.call('GET', `${servers}/detail`)
  const index = listed.each('servers', 'id').indexOf(id)
  assert.deepEqual(listed.at(`servers.${index}`), heard.at('server'))
  assert.equal(heard.at('server.tenant_id'), mary.projectId)
  assert.equal(heard.at('server.user_id'), mary.userId)
  assert.deepEqual(heard.at('server.metadata'), metadata)
  assert.deepEqual(heard.at('server.security_groups'), [{ name: 'web' }])
  assert.equal(heard.at('server.image.id'), imageUuid('sim'))
  assert.equal(heard.at('server.flavor.id'), 'quick')
  assert.match(heard.textAt('server.hostId'), /^[0-9a-f]{56}$/)
  assert.match(heard.textAt('server.created'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const micros = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/
  assert.match(heard.textAt('server.OS-SRV-USG:launched_at'), micros)
})

test('links repeat the form of URL that was used', async () => {
  const id = await running()
  for (const [form, bookmark] of [
    ['/compute/v2.1', '/compute'],
    [`/compute/v2.1/${mary.projectId}`, `/compute/${mary.projectId}`],
    ['/v2.1', ''],
    [`/v2.1/${mary.projectId}`, `/${mary.projectId}`],
  ]) {
    const heard = await mary.call('GET', `${form}/servers/${id}`)
    assert.deepEqual(heard.each('server.links', 'href'), [
      `${w.url}${form}/servers/${id}`,
      `${w.url}${bookmark}/servers/${id}`,
    ])
  }
})

/** A server that is refused, the status, and the sentence. */
const refusals: readonly (readonly [unknown, number, string | RegExp])[] = [
  [undefined, 400, "'server' is a required property"],
  [null, 400, /Value: None\. None is not of type 'object'$/],
  [{ ...plain, name: undefined }, 400, /'name' is a required property$/],
  [{ ...plain, name: '' }, 400, /'' is too short$/],
  [{ ...plain, name: ' x' }, 400, /does not match/],
  [{ ...plain, name: 'x'.repeat(256) }, 400, /is too long$/],
  [{ ...plain, name: 7 }, 400, /7 is not of type 'string'$/],
  [{ ...plain, flavorRef: undefined }, 400, /'flavorRef' is a required property$/],
  [{ ...plain, flavorRef: 'nope' }, 400, 'Flavor nope could not be found.'],
  [{ ...plain, flavorRef: 'modelarts.vm.cpu.2u' }, 400, /could not be found\.$/],
  [{ ...plain, imageRef: undefined }, 400, 'Missing imageRef attribute'],
  [{ ...plain, imageRef: '' }, 400, 'Missing imageRef attribute'],
  [{ ...plain, imageRef: 'nope' }, 400, 'Can not find requested image'],
  [{ ...plain, imageRef: imageUuid('nope') }, 400, 'Can not find requested image'],
  [{ ...plain, metadata: { '!': 'x' } }, 400, /^Invalid input for field\/attribute metadata\. /],
  [{ ...plain, metadata: { a: 'x'.repeat(256) } }, 400, /is too long$/],
  [{ ...plain, metadata: { a: null } }, 400, /None is not of type 'string'$/],
  [{ ...plain, networks: [{ uuid: 'x' }] }, 400, /'x' is not a 'uuid'$/],
  [{ ...plain, networks: 'auto' }, 400, /'auto' is not of type 'array'$/],
  [{ ...plain, min_count: 0 }, 400, /under any of the given schemas$/],
  [{ ...plain, min_count: 2, max_count: 1 }, 400, 'min_count must be <= max_count'],
  [{ ...plain, min_count: 101 }, 403, /^Quota exceeded/],
  [
    { ...plain, availability_zone: 'mars' },
    400,
    'The requested availability zone is not available',
  ],
  [{ ...plain, key_name: 'mine' }, 400, 'Invalid key_name provided.'],
  [{ ...plain, accessIPv4: 'x' }, 400, /under any of the given schemas$/],
  [{ ...plain, user_data: '#!' }, 400, /under any of the given schemas$/],
  [{ ...plain, personality: [{ path: '/a', contents: 'A file.' }] }, 400, /does not match/],
  [{ ...plain, personality: files(17) }, 403, 'Personality file limit exceeded'],
  [{ ...plain, description: 'later' }, 400, /\('description' was unexpected\)$/],
  [{ ...plain, tags: [] }, 400, /\('tags' was unexpected\)$/],
]
for (const [server, status, sentence] of refusals) {
  test(`refused: ${JSON.stringify(server)?.slice(0, 120)}`, async () => {
    const heard = await post(server)
    assert.equal(heard.status, status, heard.text)
    const said = heard.textAt(`${status === 403 ? 'forbidden' : 'badRequest'}.message`)
    if (typeof sentence === 'string') assert.equal(said, sentence)
    else assert.match(said, sentence)
  })
}

test('too much metadata is over quota, and a reader may not create at all', async () => {
  const metadata = Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, 'v']))
  const heard = await post({ ...plain, metadata })
  assert.equal(heard.status, 403)
  assert.equal(heard.at('forbidden.message'), 'Maximum number of metadata items exceeds 128')
  assert.equal((await post(plain, {}, rita)).status, 403)
})

test('as many files as the limits say are taken', async () => {
  const limits = await mary.call('GET', '/compute/v2.1/limits')
  const most = Number(limits.at('limits.absolute.maxPersonality'))
  const id = await made({ ...plain, personality: files(most) })
  await mary.call('DELETE', `${servers}/${id}`)
})

test('a pool that is full refuses the next server, and nothing is left of it', async () => {
  const id = await made({ ...plain, flavorRef: 'scarce' })
  const heard = await post({ ...plain, name: 'too-many', flavorRef: 'scarce' })
  assert.equal(heard.status, 409)
  const listed = await mary.call('GET', `${servers}?name=too-many`)
  assert.deepEqual(listed.at('servers'), [])
  await mary.call('DELETE', `${servers}/${id}`)
})

test('several at once get numbered names; the reservation finds them all', async () => {
  const heard = await post({
    ...plain,
    name: 'many',
    min_count: '1',
    max_count: 3,
    return_reservation_id: true,
  })
  const reservation = heard.textAt('reservation_id')
  assert.match(reservation, /^r-[0-9a-z]{8}$/)
  const listed = await mary.call(
    'GET',
    `${servers}?reservation_id=${reservation}&sort_key=display_name&sort_dir=asc`,
  )
  assert.deepEqual(listed.each('servers', 'name'), ['many-1', 'many-2', 'many-3'])
})

test('flavor and image may be given as URLs, and the image as either of its ids', async () => {
  const uuid = imageUuid('sim')
  for (const imageRef of ['sim', uuid, `http://glance.example/v2/images/${uuid}`]) {
    const id = await made({ ...plain, imageRef, flavorRef: 'http://nova.example/flavors/quick' })
    assert.equal((await mary.call('GET', `${servers}/${id}`)).at('server.image.id'), uuid)
  }
})

test('an update changes what it names, also on a locked server', async () => {
  const id = await running()
  await mary.call('POST', `${servers}/${id}/action`, { body: { lock: null } })
  const put = (server: unknown, by = mary) =>
    by.call('PUT', `${servers}/${id}`, { body: { server } })
  assert.equal((await put({ accessIPv4: '10.0.0.7' })).status, 200)
  const heard = await put({ name: 'renamed', 'OS-DCF:diskConfig': 'AUTO' })
  assert.equal(heard.status, 200)
  assert.equal(heard.at('server.name'), 'renamed')
  assert.equal(heard.at('server.accessIPv4'), '10.0.0.7')
  const gone = /^(OS-EXT|OS-SRV|config_drive|key_name|security_groups|os-extended)/
  const keys = Object.keys(heard.at('server') as object).toSorted() // an object, by its keys
  assert.deepEqual(keys, shownKeys.filter((key) => !gone.test(key)).toSorted())
  assert.equal((await put({ nonsense: 1 })).status, 400)
  assert.equal((await put({ name: '' })).status, 400)
  assert.equal((await put({ name: 'x' }, rita)).status, 403)
  assert.equal((await put({ name: 'x' }, otto)).status, 404)
})

test('a deletion is answered 204 while it lasts, and 404 once it is gone', async () => {
  const id = await running({ ...plain, flavorRef: 'slow-to-go' })
  for (const _ of [1, 2]) {
    const heard = await mary.call('DELETE', `${servers}/${id}`)
    assert.equal(heard.status, 204)
    assert.equal(heard.text, '')
  }
  const shown = await mary.call('GET', `${servers}/${id}`)
  assert.equal(shown.at('server.OS-EXT-STS:task_state'), 'deleting')
  assert.equal(shown.at('server.OS-EXT-STS:vm_state'), 'active')
  const soon = await running()
  await mary.call('DELETE', `${servers}/${soon}`)
  await until(
    () => mary.call('GET', `${servers}/${soon}`),
    ({ status }) => status === 404,
  )
  assert.equal((await mary.call('DELETE', `${servers}/${soon}`)).status, 404)
  const building = await made({ ...plain, flavorRef: 'slow' })
  assert.equal((await mary.call('DELETE', `${servers}/${building}`)).status, 204)
})

test('every change is in the instance actions, newest first, locks too', async () => {
  const id = await running()
  const act = async (action: string) => {
    const heard = await mary.call('POST', `${servers}/${id}/action`, { body: { [action]: null } })
    assert.equal(heard.status, 202)
    return heard.headers.get('x-compute-request-id')
  }
  const lock = await act('lock')
  await act('unlock')
  await act('os-stop')
  await settled(mary, id, 'SHUTOFF')
  const path = `${servers}/${id}/os-instance-actions`
  const heard = await mary.call('GET', path)
  assert.deepEqual(heard.each('instanceActions', 'action'), ['stop', 'unlock', 'lock', 'create'])
  const one = await mary.call('GET', `${path}/${lock}`)
  assert.deepEqual(
    [one.at('instanceAction.action'), one.at('instanceAction.request_id')],
    ['lock', lock],
  )
  assert.equal(one.at('instanceAction.events'), undefined, 'events are for owners from 2.51 on')
  const byAdmin = await ada.call('GET', `${path}/${lock}`)
  assert.deepEqual(byAdmin.each('instanceAction.events', 'event'), ['api_lock'])
  const unknown = await mary.call('GET', `${path}/req-unknown`)
  assert.equal(unknown.at('itemNotFound.message'), 'Action req-unknown not found')
  assert.equal((await otto.call('GET', path)).status, 404)
})

test('an address of version 6 is shown in its shortest spelling', async () => {
  const said = '0000:0000:0000:0000:0000:babe:220.12.22.2'
  const id = await running({ ...plain, accessIPv6: said })
  const path = `${servers}/${id}`
  const shown = async () => (await mary.call('GET', path)).at('server.accessIPv6')
  assert.equal(await shown(), '::babe:dc0c:1602')
  const put = (accessIPv6: string) => mary.call('PUT', path, { body: { server: { accessIPv6 } } })
  assert.equal((await put('2001:DB8::0001')).at('server.accessIPv6'), '2001:db8::1')
  assert.equal((await put('')).at('server.accessIPv6'), '')
  assert.equal(await shown(), '')
})

test('a dry run answers the plan and changes nothing', async () => {
  const id = await running()
  const headers = { 'x-dry-run': 'true' }
  const body = { 'os-stop': null }
  const heard = await mary.call('POST', `/v2.1/servers/${id}/action`, { body, headers })
  assert.equal(heard.status, 200)
  assert.equal(heard.at('plan.to'), 'stopping')
  assert.equal((await post({ ...plain, name: 'dry' }, headers)).status, 200)
  assert.equal((await mary.call('DELETE', `${servers}/${id}`, { headers })).status, 200)
  const refused = await mary.call('POST', `${servers}/${id}/action`, {
    body: { 'os-start': null },
    headers,
  })
  assert.equal(refused.status, 409)
  const shown = await mary.call('GET', `${servers}/${id}`)
  assert.equal(shown.at('server.status'), 'ACTIVE')
  assert.equal(shown.at('server.OS-EXT-STS:task_state'), null)
  assert.deepEqual((await mary.call('GET', `${servers}?name=dry`)).at('servers'), [])
})

test('a dry run of what is no server answers the plan and changes nothing, too', async () => {
  const headers = { 'x-dry-run': 'true' }
  const keyPairs = '/compute/v2.1/os-keypairs'
  const flavors = '/compute/v2.1/flavors'
  const image = `/image/v2/images/${imageUuid('sim')}`
  const kept = { body: { keypair: { name: 'kept' } } }
  const flavor = (name: string) => ({
    body: { flavor: { name, id: name, ram: 1, vcpus: 1, disk: 1 } },
  })
  assert.equal((await ada.call('POST', keyPairs, kept)).status, 200)
  assert.equal((await ada.call('POST', flavors, flavor('kept'))).status, 200)
  const closed = { ...flavor('closed').body.flavor, 'os-flavor-access:is_public': false }
  assert.equal((await ada.call('POST', flavors, { body: { flavor: closed } })).status, 200)
  const before = await ada.call('GET', `${flavors}/closed`)
  const asked = [
    await ada.call('POST', keyPairs, { body: { keypair: { name: 'dry' } }, headers }),
    await ada.call('DELETE', `${keyPairs}/kept`, { headers }),
    await ada.call('POST', flavors, { ...flavor('dry'), headers }),
    await ada.call('DELETE', `${flavors}/kept`, { headers }),
    await ada.call('POST', `${flavors}/closed/action`, {
      body: { addTenantAccess: { tenant: mary.projectId } },
      headers,
    }),
    await ada.call('PUT', `${flavors}/closed/os-extra_specs/colour`, {
      body: { colour: 'red' },
      headers,
    }),
    await ada.call('PUT', `${flavors}/closed`, {
      body: { flavor: { description: 'x' } },
      headers: { ...headers, 'x-openstack-nova-api-version': '2.55' },
    }),
    await ada.call('DELETE', image, { headers }),
  ]
  for (const heard of asked) assert.deepEqual([heard.status, heard.at('dry_run')], [200, true])
  assert.deepEqual((await ada.call('GET', `${flavors}/closed`)).json, before.json)
  const here = [`${keyPairs}/kept`, `${flavors}/kept`, image]
  for (const path of here) assert.equal((await ada.call('GET', path)).status, 200, path)
  for (const path of [`${keyPairs}/dry`, `${flavors}/dry`])
    assert.equal((await ada.call('GET', path)).status, 404, path)
  const wrong = await ada.call('DELETE', image, { headers: { 'x-dry-run': 'perhaps' } })
  assert.equal(wrong.status, 400)
})

test('the same Idempotency-Key makes one flavor and removes it once; of many at once, one is made', async () => {
  const flavors = '/compute/v2.1/flavors'
  const make = (name: string, key: object = {}, change: object = {}) => {
    const body = { flavor: { name, ram: 1, vcpus: 1, disk: 1, ...change } }
    return ada.call('POST', flavors, { body, headers: { ...key } })
  }
  const key = { 'idempotency-key': 'one-flavor' }
  const first = await make('one-flavor', key)
  const again = await make('one-flavor', key)
  assert.deepEqual([again.status, again.json], [200, first.json])
  assert.equal(
    (await make('one-flavor')).at('conflictingRequest.message'),
    taken('name one-flavor'),
  )
  const twin = await make('another', {}, { id: first.textAt('flavor.id') })
  assert.equal(twin.at('conflictingRequest.message'), taken(`ID ${first.textAt('flavor.id')}`))
  const race = await Promise.all(Array.from({ length: 8 }, () => make('raced')))
  const statuses = Object.groupBy(race, ({ status }) => status)
  assert.deepEqual([statuses[200]?.length, statuses[409]?.length], [1, 7])
  const remove = () =>
    ada.call('DELETE', `${flavors}/${first.textAt('flavor.id')}`, {
      headers: { 'idempotency-key': 'one-flavor-less' },
    })
  assert.equal((await remove()).status, 202)
  assert.equal((await remove()).status, 202)
})

const taken = (what: string): string => `Flavor with ${what} already exists.`

test('the same Idempotency-Key gets the same answer once more; another request with it is refused', async () => {
  const headers = { 'idempotency-key': 'once-only' }
  const first = await post({ ...plain, name: 'once' }, headers)
  const again = await post({ ...plain, name: 'once' }, headers)
  assert.equal(again.status, 202)
  assert.deepEqual(again.json, first.json)
  assert.equal((await mary.call('GET', `${servers}?name=once`)).each('servers', 'id').length, 1)
  const other = await post({ ...plain, name: 'twice' }, headers)
  assert.equal(other.status, 409)
  const id = first.textAt('server.id')
  await settled(mary, id, 'ACTIVE')
  const stop = () =>
    mary.call('POST', `/v2.1/servers/${id}/action`, {
      body: { 'os-stop': null },
      headers: { 'idempotency-key': 'stop-once' },
    })
  assert.equal((await stop()).status, 204)
  assert.equal((await stop()).status, 204)
  await settled(mary, id, 'SHUTOFF')
  assert.equal((await stop()).status, 204)
  const key = { 'idempotency-key': 'x'.repeat(256) }
  assert.equal((await post(plain, key)).status, 400)
})
