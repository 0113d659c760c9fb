// Laws of who may do what: authentication in both dialects, projects, roles, locks and the admin's own actions
// (contract, sections 3.3, 5.4, 5.6 and 9).

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { as, hear, type OpenStackCaller, settled, twoProjects } from '#test/harness/openstack.ts'
import { until, type World, world } from '#test/harness/world.ts'

const quick = { startMs: 10, stopMs: 10, hardStopMs: 10, removeMs: 5 }

let w: World
let mary: OpenStackCaller
let rita: OpenStackCaller
let ada: OpenStackCaller
let amos: OpenStackCaller
let otto: OpenStackCaller

before(async () => {
  const catalogue = { flavors: [{ id: 'quick', driver: 'simulated', attributes: quick }] }
  w = await world({ config: { identity: twoProjects, catalogue } })
  mary = await as(w, 'mary')
  rita = await as(w, 'rita')
  ada = await as(w, 'ada')
  amos = await as(w, 'amos')
  otto = await as(w, 'otto')
})
after(() => w.close())

const at = (caller: OpenStackCaller, form: string, id: string): string =>
  `${form.replace('{project}', caller.projectId)}/servers/${id}/action`

const act = (caller: OpenStackCaller, id: string, body: unknown, form = '/compute/v2.1') =>
  caller.call('POST', at(caller, form, id), { body })

async function made(): Promise<string> {
  const heard = await mary.call('POST', '/compute/v2.1/servers', {
    body: { server: { name: 'one', flavorRef: 'quick', imageRef: 'sim' } },
  })
  const id = heard.textAt('server.id')
  await settled(mary, id, 'ACTIVE')
  return id
}

const conflict = (message: string) => ({ conflictingRequest: { code: 409, message } })

test('without a token, with a wrong one and with an expired one: 401 in the identity service’s shape', async () => {
  const id = await made()
  const user = await w.identity.user(mary.userId)
  assert.ok(user)
  const project = (await w.identity.projectsOf(user.id))[0]?.project.id ?? null
  const issued = await w.identity.issue({ user, project, methods: ['password'], lifeMs: 1 })
  assert.ok(issued.ok)
  await until(
    async () => Date.now(),
    (now) => now > issued.value.token.issuedAtMs + 5,
  )
  for (const token of [undefined, '', 'nonsense', issued.value.text]) {
    const headers = token === undefined ? {} : { 'x-auth-token': token }
    const url = `${w.url}${at(mary, '/compute/v2.1', id)}`
    const heard = await hear(url, 'POST', { body: { 'os-stop': null }, headers })
    assert.equal(heard.status, 401)
    assert.deepEqual(heard.json, {
      error: {
        code: 401,
        title: 'Unauthorized',
        message: 'The request you have made requires authentication.',
      },
    })
    assert.equal(heard.headers.get('www-authenticate'), `Keystone uri="${w.url}/identity/v3"`)
  }
  const there = `${w.url}${at(mary, '/v2.1/{project}', id)}`
  const bodies = { body: { 'os-stop': {} } }
  const gateway = async (token: string) => {
    const heard = await hear(there, 'POST', { ...bodies, headers: { 'x-auth-token': token } })
    assert.equal(heard.status, 401)
    assert.match(heard.textAt('request_id'), /^[0-9a-f]{32}$/)
    return [heard.at('error_code'), heard.at('error_msg')]
  }
  const incorrect = 'Incorrect IAM authentication information: '
  assert.deepEqual(await gateway(''), ['APIGW.0301', `${incorrect}token must not be empty`])
  assert.deepEqual(await gateway('nonsense'), ['APIGW.0301', `${incorrect}decrypt token fail`])
  assert.deepEqual(await gateway(issued.value.text), ['APIGW.0307', 'The token must be updated.'])
  assert.equal(
    (await mary.call('GET', `/compute/v2.1/servers/${id}`)).at('server.status'),
    'ACTIVE',
  )
})

test('the project of the URL must be the token’s own, an admin’s too', async () => {
  const id = await made()
  for (const prefix of ['/compute', '']) {
    const path = `${prefix}/v2.1/${otto.projectId}/servers/${id}/action`
    for (const caller of [mary, ada]) {
      const heard = await caller.call('POST', path, { body: { 'os-stop': null } })
      assert.equal(heard.status, 400)
      assert.deepEqual(heard.json, {
        badRequest: {
          code: 400,
          message: `Malformed request URL: URL's project_id '${otto.projectId}' doesn't match Context's project_id '${caller.projectId}'`,
        },
      })
    }
  }
})

test('a reader is refused, but only for what exists', async () => {
  const id = await made()
  const denied = await act(rita, id, { 'os-stop': null })
  assert.equal(denied.status, 403)
  const message = "Policy doesn't allow os_compute_api:servers:stop to be performed."
  assert.deepEqual(denied.json, { forbidden: { code: 403, message } })
  assert.equal((await act(rita, id, { reboot: { type: 'SOFT' } })).status, 403)
  assert.equal((await act(rita, id, { lock: null })).status, 403)
  const unknown = '00000000-0000-4000-8000-000000000000'
  assert.equal((await act(rita, unknown, { 'os-stop': null })).status, 404)
  assert.equal((await rita.call('GET', `/compute/v2.1/servers/${id}`)).status, 200)
})

test('unknown ids, names, and servers of another project are not found; an admin addresses any', async () => {
  const id = await made()
  for (const name of ['00000000-0000-4000-8000-000000000000', 'quick', '%20', 'x'.repeat(300)]) {
    const heard = await act(mary, name, { 'os-stop': null })
    assert.equal(heard.status, 404, name)
    const message = `Instance ${decodeURIComponent(name)} could not be found.`
    assert.deepEqual(heard.json, { itemNotFound: { code: 404, message } })
  }
  assert.equal((await act(otto, id, { 'os-stop': null })).status, 404)
  assert.equal((await otto.call('GET', `/compute/v2.1/servers/${id}`)).status, 404)
  assert.equal((await otto.call('DELETE', `/compute/v2.1/servers/${id}`)).status, 404)
  assert.equal((await act(amos, id, { 'os-stop': null }, '/compute/v2.1/{project}')).status, 202)
  await settled(mary, id, 'SHUTOFF')
})

test('a locked server is refused to all but admins; locking twice changes nothing', async () => {
  const id = await made()
  for (const action of ['lock', 'lock']) {
    const heard = await act(mary, id, { [action]: null }, '/v2.1')
    assert.equal(heard.status, 202)
    assert.equal(heard.text, '')
  }
  const locked = conflict(`Instance ${id} is locked`)
  for (const body of [{ 'os-stop': null }, { 'os-start': null }, { reboot: { type: 'SOFT' } }]) {
    const heard = await act(mary, id, body)
    assert.equal(heard.status, 409)
    assert.deepEqual(heard.json, locked)
  }
  assert.deepEqual((await mary.call('DELETE', `/compute/v2.1/servers/${id}`)).json, locked)
  assert.equal((await act(ada, id, { 'os-stop': null })).status, 202)
  await settled(mary, id, 'SHUTOFF')
  assert.equal((await act(mary, id, { unlock: null })).status, 202)
  assert.equal((await act(mary, id, { unlock: null })).status, 202)
  assert.equal((await act(mary, id, { 'os-start': null })).status, 202)
  await settled(mary, id, 'ACTIVE')
})

test('an admin’s lock is an admin’s to undo', async () => {
  const id = await made()
  assert.equal((await act(amos, id, { lock: null })).status, 202)
  const denied = await act(mary, id, { unlock: null })
  assert.equal(denied.status, 403)
  assert.equal(
    denied.at('forbidden.message'),
    "Policy doesn't allow os_compute_api:os-lock-server:unlock:unlock_override to be performed.",
  )
  assert.equal((await act(amos, id, { unlock: null })).status, 202)
  assert.equal((await act(mary, id, { 'os-stop': null })).status, 202)
})

test('an admin’s lock on top of an owner’s is an admin’s to undo', async () => {
  const id = await made()
  const lockOf = async () => {
    const shown = await mary.call('GET', `/compute/v2.1/servers/${id}`, {
      headers: { 'openstack-api-version': 'compute 2.73' },
    })
    return [shown.at('server.locked'), shown.at('server.locked_reason')]
  }
  const because = (locked_reason: string) => ({
    body: { lock: { locked_reason } },
    headers: { 'openstack-api-version': 'compute 2.73' },
  })
  const path = `/compute/v2.1/servers/${id}/action`
  assert.equal((await mary.call('POST', path, because('mine'))).status, 202)
  assert.equal((await amos.call('POST', path, because('audit'))).status, 202)
  assert.deepEqual(await lockOf(), [true, 'audit'])
  assert.equal((await mary.call('POST', path, because('mine again'))).status, 202)
  assert.equal((await act(mary, id, { unlock: null })).status, 403)
  assert.deepEqual(await lockOf(), [true, 'audit'])
  const unlocked = await act(amos, id, { unlock: null })
  assert.equal(unlocked.status, 202)
  assert.deepEqual(await lockOf(), [false, null])
  const listed = await mary.call('GET', `/compute/v2.1/servers/${id}/os-instance-actions`)
  assert.deepEqual(listed.each('instanceActions', 'action'), ['unlock', 'lock', 'lock', 'create'])
})

test('what another project uses is an admin’s to see, and is not taken for one’s own', async () => {
  await made()
  const limits = (who: OpenStackCaller, query = '') =>
    who.call('GET', `/compute/v2.1/limits${query}`)
  const usedBy = async (who: OpenStackCaller, query = '') =>
    (await limits(who, query)).at('limits.absolute.totalInstancesUsed')
  const own = await usedBy(mary)
  assert.ok(Number(own) > 0)
  assert.equal(await usedBy(mary, `?tenant_id=${mary.projectId}`), own)
  assert.equal(await usedBy(amos), 0)
  assert.equal(await usedBy(amos, `?tenant_id=${mary.projectId}`), own)
  const denied = await limits(otto, `?tenant_id=${mary.projectId}`)
  assert.equal(
    denied.at('forbidden.message'),
    "Policy doesn't allow os_compute_api:limits:other_project to be performed.",
  )
})

test('os-resetState is an admin’s, and takes effect at once', async () => {
  const id = await made()
  const body = { 'os-resetState': { state: 'error' } }
  const denied = await act(mary, id, body)
  assert.equal(denied.status, 403)
  assert.equal(
    denied.at('forbidden.message'),
    "Policy doesn't allow os_compute_api:os-admin-actions:reset_state to be performed.",
  )
  assert.equal((await act(ada, id, body, '/v2.1')).status, 202)
  const shown = await ada.call('GET', `/compute/v2.1/servers/${id}`)
  assert.equal(shown.at('server.status'), 'ERROR')
  assert.equal((await act(ada, id, { 'os-resetState': { state: 'active' } })).status, 202)
  assert.equal((await ada.call('GET', `/compute/v2.1/servers/${id}`)).at('server.status'), 'ACTIVE')
  const wrong = await act(ada, id, { 'os-resetState': { state: 'stopped' } })
  assert.equal(
    wrong.at('badRequest.message'),
    "Invalid input for field/attribute state. Value: 'stopped'. 'stopped' is not one of ['active', 'error']",
  )
})
