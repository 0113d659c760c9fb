// Laws of the microversions (contract, section 12): each brings exactly what it brought, and nothing of a later one
// shows before.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { as, type OpenStackCaller, settled, twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'
import { imageUuid } from './image-ids.ts'

const servers = '/compute/v2.1/servers'

let w: World
let mary: OpenStackCaller
let ada: OpenStackCaller
let id = ''

before(async () => {
  const attributes = { startMs: 5, stopMs: 5, hardStopMs: 5, pauseMs: 5, unpauseMs: 5 }
  const catalogue = { flavors: [{ id: 'quick', driver: 'simulated', attributes }] }
  w = await world({ config: { identity: twoProjects, catalogue } })
  mary = await as(w, 'mary')
  ada = await as(w, 'ada')
  const body = { server: { name: 'web-1', flavorRef: 'quick', imageRef: 'sim' } }
  id = (await mary.call('POST', servers, { body })).textAt('server.id')
  await settled(mary, id, 'ACTIVE')
})
after(() => w.close())

const at = (version: number) => ({ 'openstack-api-version': `compute 2.${version}` })

const fieldsOf = async (by: OpenStackCaller, path: string, version: number) => {
  const heard = await by.call('GET', path, { headers: at(version) })
  assert.equal(heard.status, 200, heard.text)
  return new Set(Object.keys(heard.at('server') ?? heard.at('servers.0') ?? {}))
}

/** Field, first version, who sees it. */
const brought = [
  ['locked', 9, 'everybody'],
  ['host_status', 16, 'admins'],
  ['description', 19, 'everybody'],
  ['tags', 26, 'everybody'],
  ['trusted_image_certificates', 63, 'everybody'],
  ['server_groups', 71, 'show'],
  ['locked_reason', 73, 'everybody'],
  ['OS-EXT-SRV-ATTR:hostname', 90, 'everybody'],
] as const

for (const [field, since, seenBy] of brought) {
  test(`${field} shows from 2.${since} on, to ${seenBy}`, async () => {
    const by = seenBy === 'admins' ? ada : mary
    const own = `${servers}/${id}`
    assert.equal((await fieldsOf(by, own, since)).has(field), true)
    assert.equal((await fieldsOf(by, own, since - 1)).has(field), false)
    const listed = await fieldsOf(by, `${servers}/detail`, 93)
    assert.equal(listed.has(field), seenBy !== 'show')
    if (seenBy === 'admins') assert.equal((await fieldsOf(mary, own, 93)).has(field), false)
  })
}

test('a flavor is a reference until 2.46, and whole from 2.47 on', async () => {
  const shown = async (version: number) =>
    (await mary.call('GET', `${servers}/${id}`, { headers: at(version) })).at('server.flavor')
  assert.deepEqual(Object.keys((await shown(46)) as object), ['id', 'links'])
  assert.deepEqual(await shown(47), {
    vcpus: 1,
    ram: 1024,
    disk: 10,
    ephemeral: 0,
    swap: 0,
    original_name: 'quick',
    extra_specs: {},
  })
})

test('an update answers little until 2.74, and everything from 2.75 on', async () => {
  const put = async (version: number) => {
    const said = { body: { server: { name: 'web-1' } }, headers: at(version) }
    return Object.keys((await mary.call('PUT', `${servers}/${id}`, said)).at('server') as object)
  }
  const before = await put(74)
  for (const field of ['OS-EXT-STS:vm_state', 'key_name', 'security_groups', 'config_drive'])
    assert.ok(!before.includes(field), field)
  assert.ok(before.includes('locked_reason'), 'what versions added shows all the same')
  assert.ok((await put(75)).includes('OS-EXT-STS:vm_state'))
})

test('a rebuild shows user data once, also to who sees the facts of hosts', async () => {
  for (const [who, path] of [
    [ada, servers],
    [mary, '/v2.1/servers'],
  ] as const) {
    const body = { rebuild: { imageRef: imageUuid('sim') } }
    const heard = await who.call('POST', `${path}/${id}/action`, { body, headers: at(75) })
    assert.equal(heard.status, 202, heard.text)
    const fields = Object.keys(heard.at('server') as object)
    assert.ok(fields.includes('user_data') && fields.includes('OS-EXT-SRV-ATTR:host'))
    assert.ok(!fields.includes('OS-EXT-SRV-ATTR:user_data'))
    await settled(mary, id, 'ACTIVE')
  }
})

test('bodies are closed to what their version does not know', async () => {
  const create = (server: object, version: number) =>
    mary.call('POST', servers, {
      body: { server },
      headers: { ...at(version), 'x-dry-run': 'true' },
    })
  const plain = { name: 'n', flavorRef: 'quick', imageRef: 'sim' }
  const table = [
    [{ description: 'd' }, 18, 400],
    [{ description: 'd' }, 19, 200],
    [{ personality: [] }, 56, 200],
    [{ personality: [] }, 57, 400],
    [{}, 36, 200],
    [{ networks: 'none' }, 36, 400],
    [{ networks: 'none' }, 37, 200],
    [{ tags: ['a'] }, 51, 400],
    [{ tags: ['a'] }, 52, 200],
    [{ hostname: 'h1' }, 89, 400],
    [{ hostname: 'h1' }, 90, 200],
  ] as const
  for (const [extra, version, status] of table) {
    const networks = version >= 37 ? { networks: 'auto' } : {}
    const heard = await create({ ...plain, ...networks, ...extra }, version)
    assert.equal(heard.status, status, `${JSON.stringify(extra)} at 2.${version}: ${heard.text}`)
  }
  const refused = await create(plain, 37)
  assert.equal(refused.status, 400)
  assert.match(refused.text, /'networks' is a required property/)
  assert.equal((await create({ ...plain, networks: 'auto', host: 'simulated' }, 74)).status, 403)
})

test('until 2.18 a description is the name; from 2.19 on it is what was said', async () => {
  const made = async (version: number, extra: object) => {
    const server = { name: 'named', flavorRef: 'quick', imageRef: 'sim', ...extra }
    const heard = await mary.call('POST', servers, { body: { server }, headers: at(version) })
    const own = `${servers}/${heard.textAt('server.id')}`
    const shown = await mary.call('GET', own, { headers: at(19) })
    await mary.call('DELETE', own)
    return shown.at('server.description')
  }
  assert.equal(await made(1, {}), 'named')
  assert.equal(await made(19, {}), null)
  assert.equal(await made(19, { description: 'said' }), 'said')
})

test('tags: set, asked for, filtered by, and taken away', async () => {
  const own = `${servers}/${id}/tags`
  assert.equal((await mary.call('GET', own)).status, 404)
  const call = (method: string, path: string, body?: object) =>
    mary.call(method, path, { headers: at(26), ...(body === undefined ? {} : { body }) })
  const added = await call('PUT', `${own}/a`)
  assert.deepEqual([added.status, added.headers.get('location')], [201, `${w.url}${own}/a`])
  assert.equal((await call('PUT', `${own}/a`)).status, 204)
  // Both are set, whoever comes second.
  await Promise.all(['b', 'c'].map((tag) => call('PUT', `${own}/${tag}`)))
  assert.deepEqual((await call('GET', own)).at('tags'), ['a', 'b', 'c'])
  assert.equal((await call('GET', `${own}/b`)).status, 204)
  const found = async (query: string, version = 26) =>
    (await mary.call('GET', `${servers}?${query}`, { headers: at(version) })).each(
      'servers',
      'name',
    )
  assert.deepEqual(await found('tags=a,b'), ['web-1'])
  assert.ok(!(await found('not-tags-any=a')).includes('web-1'))
  assert.ok((await found('not-tags-any=a', 25)).includes('web-1'))
  assert.equal((await call('DELETE', `${own}/b`)).status, 204)
  assert.equal((await call('DELETE', `${own}/b`)).status, 404)
  assert.deepEqual((await call('PUT', own, { tags: ['x'] })).at('tags'), ['x'])
  assert.equal((await call('PUT', own, { tags: ['a/b'] })).status, 400)
  assert.equal((await call('PUT', own, { tags: Array.from({ length: 51 }, String) })).status, 400)
  await mary.call('POST', `${servers}/${id}/action`, { body: { lock: null } })
  assert.equal((await call('DELETE', own)).status, 204, 'a lock forbids no tags')
  await mary.call('POST', `${servers}/${id}/action`, { body: { unlock: null } })
  assert.deepEqual((await call('GET', own)).at('tags'), [])
})

test('lists refuse from 2.75 on what they ignored before, and know a status from 2.38 on', async () => {
  const status = async (query: string, version: number) =>
    (await mary.call('GET', `${servers}?${query}`, { headers: at(version) })).status
  assert.equal(await status('colour=red', 74), 200)
  assert.equal(await status('colour=red', 75), 400)
  assert.equal(await status('status=nonsense', 37), 200)
  assert.equal(await status('status=nonsense', 38), 400)
  assert.equal(await status('locked=perhaps', 73), 400)
  assert.equal(await status('changes-since=2026-01-02&changes-before=2026-01-01', 66), 400)
})

test('actions of a server that is gone are told from 2.21 on; pages and moments from 2.58 on', async () => {
  const server = { name: 'short', flavorRef: 'quick', imageRef: 'sim' }
  const made = await mary.call('POST', servers, { body: { server } })
  const own = `${servers}/${made.textAt('server.id')}`
  await settled(mary, made.textAt('server.id'), 'ACTIVE')
  await mary.call('DELETE', own)
  for (;;) if ((await mary.call('GET', own)).status === 404) break
  const actions = (version: number, query = '') =>
    mary.call('GET', `${own}/os-instance-actions${query}`, { headers: at(version) })
  assert.equal((await actions(20)).status, 404)
  const told = await actions(21)
  assert.deepEqual(told.each('instanceActions', 'action'), ['delete', 'create'])
  assert.equal(told.at('instanceActions.0.updated_at'), undefined)
  const page = await actions(58, '?limit=1')
  assert.deepEqual(page.each('instanceActions', 'action'), ['delete'])
  assert.equal(typeof page.at('instanceActions.0.updated_at'), 'string')
  const next = await mary.call('GET', page.textAt('links.0.href').slice(w.url.length), {
    headers: at(58),
  })
  assert.deepEqual(next.each('instanceActions', 'action'), ['create'])
  const one = `${own}/os-instance-actions/${told.textAt('instanceActions.0.request_id')}`
  const events = async (version: number) =>
    (await mary.call('GET', one, { headers: at(version) })).at('instanceAction.events')
  assert.equal(await events(50), undefined)
  assert.equal((await events(51)) instanceof Array, true)
})

test('several keys order a list, each in its own direction', async () => {
  const made: string[] = []
  for (const name of ['b', 'a', 'b', 'a']) {
    const body = { server: { name, flavorRef: 'quick', imageRef: 'sim' } }
    made.push((await mary.call('POST', servers, { body })).textAt('server.id'))
  }
  const [b1, a1, b2, a2] = made
  const pages = async (query: string) => {
    const ids: unknown[] = []
    let path: string | undefined = `${servers}?name=^[ab]$&limit=1&${query}`
    while (path !== undefined) {
      const heard = await mary.call('GET', path)
      assert.equal(heard.status, 200, heard.text)
      ids.push(...heard.each('servers', 'id'))
      const next = heard.at('servers_links.0.href')
      path = typeof next === 'string' ? next.slice(w.url.length) : undefined
    }
    return ids
  }
  const keys = 'sort_key=display_name&sort_key=created_at'
  assert.deepEqual(await pages(`${keys}&sort_dir=asc&sort_dir=desc`), [a2, a1, b2, b1])
  assert.deepEqual(await pages(`${keys}&sort_dir=desc&sort_dir=asc`), [b1, b2, a1, a2])
  assert.deepEqual(await pages(`${keys}&sort_dir=asc`), [a1, a2, b1, b2])
  const states = 'sort_key=vm_state&sort_key=display_name&sort_dir=asc'
  assert.deepEqual(new Set(await pages(states)), new Set(made))
})
