// Every refusal that rests on a fact about the platform, the account or a workspace: each fact is put in place
// through the native door, as an operator would, and taken back. With them every code of the contract is reached.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { at, listAt, type Reply } from '#test/harness/api.ts'
import { keyFor } from '#test/harness/ecs.ts'
import { gatedStore } from '#test/harness/gated-store.ts'
import { type NotebookWorld, notebookWorld } from '#test/harness/notebook-world.ts'
import { signed } from '#test/harness/signed.ts'
import { matrix } from './states.ts'

let lab: NotebookWorld
before(async () => {
  lab = await notebookWorld()
})
after(() => lab.close())

const instances = '/v1/{p}/demanager/instances'
const notebooks = '/v1/{p}/notebooks'
const codeOf = (reply: Reply) => `${reply.status} ${String(at(reply.body, 'error_code'))}`
const devenv = {
  name: 'nb',
  profile_id: 'sim',
  flavor: 'sim.billed',
  spec: { storage: { type: 'evs' } },
}
const newer = {
  name: 'nb',
  image_id: 'sim',
  flavor: 'sim.billed',
  volume: { category: 'EVS', ownership: 'MANAGED' },
}
const makeA = (change: object = {}) => lab.bob.call('POST', instances, { ...devenv, ...change })
const makeB = (change: object = {}) => lab.bob.call('POST', notebooks, { ...newer, ...change })
const act = (id: string, action: string) =>
  lab.bob.call('POST', `${instances}/DE-${id}/action`, { action })

const native = (place: string, body: object): Promise<Reply> =>
  lab.admin.call('PUT', `/api/v1/${place}`, body, {
    authorization: `Bearer ${lab.w.credentials['RUNSTATE_TOKEN'] ?? ''}`,
  })

/** While a row of the catalogue says so. */
async function whileIt(
  place: string,
  says: object,
  then: object,
  during: () => Promise<void>,
): Promise<void> {
  const put = async (body: object) => {
    const reply = await native(place, body)
    assert.ok(reply.status < 300, reply.text)
  }
  await put(says)
  try {
    await during()
  } finally {
    await put(then)
  }
}

const whileDriver = (driver: string, fault: string, during: () => Promise<void>) =>
  whileIt(
    `drivers/${driver}`,
    { available: false, reason: 'for a test', fault },
    { available: true },
    during,
  )

suite('what runs a notebook, or stores its files, is not to be had', () => {
  test('a driver is full, coming up, or wrong', async () => {
    const stopped = await lab.reach('stopped')
    const running = await lab.reach('running')
    for (const [fault, create, start, stop] of [
      ['down', '400 ModelArts.6360', '400 ModelArts.6360', '400 ModelArts.6361'],
      ['full', '500 ModelArts.6200', '400 ModelArts.6360', '400 ModelArts.6361'],
      ['initializing', '400 ModelArts.6355', '400 ModelArts.6355', '400 ModelArts.6355'],
      ['denied', '400 ModelArts.6361', '400 ModelArts.6361', '400 ModelArts.6361'],
    ] as const)
      await whileDriver('simulated', fault, async () => {
        assert.equal(codeOf(await makeA()), create, fault)
        assert.equal(codeOf(await makeB()), create, fault)
        assert.equal(codeOf(await act(stopped, 'start')), start, fault)
        assert.equal(codeOf(await act(running, 'stop')), stop, fault)
      })
  })

  test('a storage back end has no volume, denies, or was pointed at the wrong bucket', async () => {
    const bucket = { spec: { storage: { type: 'obs', location: { path: 'bucket/dir/' } } } }
    for (const [storage, fault, change, code] of [
      ['evs', 'full', {}, '6528'],
      ['obs', 'down', bucket, '6320'],
      ['obs', 'denied', bucket, '6350'],
      ['obs', 'unsuited', bucket, '6371'],
    ] as const)
      await whileDriver(storage, fault, async () => {
        const reply = await makeA(change)
        assert.equal(codeOf(reply), `400 ModelArts.${code}`)
        if (code === '6320') assert.match(reply.text, /Reason is for a test\./)
      })
    await whileDriver('evs', 'full', async () => {
      assert.equal(codeOf(await makeB()), '400 ModelArts.6528')
    })
    const unknown = await native('drivers/tape', { available: false })
    assert.equal(unknown.status, 404)
  })
})

suite('limits and workspaces', () => {
  const whileProject = (says: object, during: () => Promise<void>) =>
    whileIt(
      `projects/${lab.bob.project}`,
      says,
      { instancesMax: {}, workspaces: [], frozen: false },
      during,
    )
  const workspace = (change: object = {}) => ({
    id: 'w-1',
    name: 'team',
    isAbnormal: false,
    denies: [],
    instancesMax: null,
    ...change,
  })

  test('a project may have so many notebooks', async () => {
    await whileProject({ instancesMax: { notebook: 0 } }, async () => {
      assert.equal(codeOf(await makeA({ name: 'too-many' })), '400 ModelArts.6302')
      assert.equal(codeOf(await makeB()), '400 ModelArts.0118')
    })
  })

  test('a workspace keeps its own apart, may be full, abnormal, or forbid a call', async () => {
    const workspaces = [workspace()]
    await whileProject({ workspaces }, async () => {
      const inA = await makeA({ name: 'inside', workspace: { id: 'w-1' } })
      assert.deepEqual(at(inA.body, 'workspace'), { id: 'w-1' })
      const inB = await makeB({ name: 'inside', workspace_id: 'w-1' })
      assert.equal(at(inB.body, 'workspace_id'), 'w-1')
      const names = async (api: string, field: string) =>
        listAt((await lab.bob.call('GET', api)).body, field).map((one) => at(one, 'name'))
      const listed = (id: string) => names(`${instances}?de_type=Notebook${id}`, 'instances')
      assert.deepEqual(await listed('&workspace_id=w-1'), ['inside'])
      assert.ok(!(await listed('')).includes('inside'))
      assert.deepEqual(await names(`${notebooks}?workspaceId=w-1`, 'data'), ['inside'])
      assert.deepEqual(await names(`${notebooks}?workspace_id=none`, 'data'), [])
      const id = String(at(inA.body, 'id'))
      await lab.becomes(id.slice(3), 'running')
      const stop = () => lab.bob.call('POST', `${instances}/${id}/action`, { action: 'stop' })
      await whileProject({ workspaces: [workspace({ isAbnormal: true })] }, async () => {
        const refused = await stop()
        assert.equal(codeOf(refused), '400 ModelArts.7004')
        assert.match(refused.text, /workspace: w-1 is abnormal, can not execute \[action: stop\]/)
        const create = await makeA({ name: 'more', workspace: { id: 'w-1' } })
        assert.equal(codeOf(create), '400 ModelArts.7004')
      })
      await whileProject({ workspaces: [workspace({ denies: ['stop'] })] }, async () => {
        assert.equal(codeOf(await stop()), '403 ModelArts.0112')
      })
      await whileProject({ workspaces: [workspace({ instancesMax: 2 })] }, async () => {
        const create = await makeA({ name: 'more', workspace: { id: 'w-1' } })
        assert.equal(codeOf(create), '400 ModelArts.0113')
        assert.equal(codeOf(await makeB({ workspace_id: 'w-1' })), '400 ModelArts.0118')
      })
    })
    assert.equal(codeOf(await makeA({ name: 'x', workspace: { id: 'w-1' } })), '400 ModelArts.7005')
  })
})

test('A5: a moment that has passed shows that the sender knows no better', async () => {
  const id = await lab.reach('running')
  const put = (stop_timestamp: number) =>
    lab.bob.call('PUT', `${instances}/DE-${id}`, {
      spec: { auto_stop: { enable: true, duration: 3600, stop_timestamp } },
    })
  assert.equal(codeOf(await put(lab.clock.nowMs() - 1)), '400 ModelArts.6346')
  assert.equal((await put(lab.clock.nowMs() + 60_000)).status, 200)
})

test('a hold is the first family’s policy and the second family’s permission', async () => {
  const id = await lab.reach('running')
  await lab.direct({ verb: 'hold', target: { kind: 'notebook', id }, kind: 'hold' })
  assert.equal(codeOf(await act(id, 'stop')), '403 ModelArts.0112')
  const stop = await lab.bob.call('POST', `${notebooks}/${id}/stop`)
  assert.equal(codeOf(stop), '403 ModelArts.6407')
  assert.equal(
    codeOf(await lab.bob.call('PATCH', `${notebooks}/${id}/lease`)),
    stop.text && codeOf(stop),
  )
})

suite('who asks', () => {
  const list = `${instances}?de_type=Notebook`
  const tokenOf = async (user: string, password: string, scope: unknown): Promise<string> => {
    const domain = { id: 'default' }
    const identity = { methods: ['password'], password: { user: { name: user, domain, password } } }
    const reply = await fetch(`${lab.w.url}/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: { identity, scope } }),
    })
    return reply.headers.get('x-subject-token') ?? ''
  }
  const ask = async (token: string, path = list) =>
    codeOf(await lab.bob.call('GET', path, undefined, { 'x-auth-token': token }))

  test('a token that is unknown, without a project, revoked, or whose user was switched off', async () => {
    const inProject = { project: { name: 'default', domain: { id: 'default' } } }
    const good = await tokenOf('bob', 'correct horse battery staple', inProject)
    const other = `${good.slice(0, -4)}${good.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
    assert.equal(await ask(other), '401 ModelArts.0203')
    assert.equal(await ask('no token at all'), '401 ModelArts.0204')
    const admin = (scope: unknown) =>
      tokenOf('admin', lab.w.credentials['OS_PASSWORD'] ?? '', scope)
    assert.equal(await ask(await admin('unscoped')), '401 ModelArts.0212')
    assert.equal(await ask(await admin({ domain: { id: 'default' } })), '401 ModelArts.0207')
    await fetch(`${lab.w.url}/v3/auth/tokens`, {
      method: 'DELETE',
      headers: { 'x-auth-token': good, 'x-subject-token': good },
    })
    assert.equal(await ask(good), '401 ModelArts.0203')
    assert.equal(await ask(good, notebooks), '401 ModelArts.6401')
  })

  test('an Authorization that is no signature, or not a right one', async () => {
    const sent = async (authorization: string) =>
      codeOf(await lab.bob.call('GET', list, undefined, { 'x-auth-token': '', authorization }))
    assert.equal(await sent('Basic YTpi'), '401 ModelArts.0206')
    assert.equal(await sent('SDK-HMAC-SHA256 nonsense'), '401 ModelArts.0206')
    const forged = 'SDK-HMAC-SHA256 Access=NOBODY, SignedHeaders=host;x-sdk-date, Signature='
    assert.equal(await sent(`${forged}${'0'.repeat(64)}`), '401 ModelArts.0208')
  })

  test('a signature of somebody whose account was switched off', async () => {
    const pair = await keyFor(lab.w, 'rita', 'default')
    const key = { id: pair.accessKeyId, secret: pair.secretKey }
    const path = list.replace('{p}', lab.bob.project)
    const nowMs = lab.clock.nowMs()
    const ask = async () =>
      fetch(lab.w.url + path, {
        headers: signed(lab.w.url, key, { method: 'GET', path, nowMs }),
      })
    assert.equal((await ask()).status, 200)
    const { directory } = lab.w.identity
    const rita = await directory.userByName('rita', 'default')
    assert.ok(rita)
    await directory.setEnabled(rita, false)
    const refused = await ask()
    assert.equal(refused.status, 401)
    assert.equal(at(await refused.json(), 'error_code'), 'ModelArts.6201')
  })
})

suite('the server is busy', () => {
  test('too slow, twice at once, and a store that cannot write', async () => {
    const gate = gatedStore()
    let isBroken = false
    const brittle = new Proxy(gate.store, {
      get: (target, name) => {
        if (name === 'commit' && isBroken)
          return () => Promise.reject(new Error('the disk is away'))
        return Reflect.get(target, name, target) as unknown // whatever the store has under this name
      },
    })
    const slow = await notebookWorld({
      store: brittle,
      config: { doors: { 'modelarts-notebook': { answerWithinMs: 300 } } },
    })
    try {
      const id = await slow.reach('running', 'sim.billed')
      const stop = { action: 'stop' }
      const path = `${instances}/DE-${id}/action`
      const key = { 'idempotency-key': 'k' }
      let first: Promise<Reply> | undefined
      const twice = await gate.whileHeld(
        async () => {
          first = slow.bob.call('POST', path, stop, key)
          await first
        },
        async () => {
          const again = await slow.bob.call('POST', path, stop, key)
          assert.equal(again.headers.get('retry-after'), '1')
          assert.equal(
            codeOf(await (first ?? Promise.reject(new Error('not asked')))),
            '408 ModelArts.6100',
          )
          return codeOf(again)
        },
      )
      assert.equal(twice, '429 ModelArts.6101')
      // It was accepted all the same, and the key says so.
      await slow.becomes(id, 'stopped')
      assert.equal((await slow.bob.call('POST', path, stop, key)).status, 200)
      isBroken = true
      const start = await slow.bob.call('POST', path, { action: 'start' })
      const newerStart = await slow.bob.call('POST', `${notebooks}/${id}/start`)
      isBroken = false
      assert.equal(codeOf(start), '500 ModelArts.6102')
      assert.equal(codeOf(newerStart), '500 ModelArts.0010')
      assert.equal(await slow.situation(id), 'stopped')
    } finally {
      await slow.close()
    }
  })
})

/** Alternatives for codes that say the same here, and what the contract calls not needed. */
const never = ['6620', '6608', '6203']

test('every code of the contract’s tables is reached by a test or a transcript', () => {
  const contract =
    '6309 6335 6336 6332 0104 6305 6306 6307 6308 6327 6333 6357 6304 6347 6323 6329 6328 6330 6326 6355 6360 ' +
    '6301 6302 0113 0118 6303 6316 6317 6318 6358 6324 6331 6334 6348 6349 6346 6528 6320 6350 6371 6361 7004 ' +
    '7005 6100 6101 6102 6200 0201 0202 0203 0204 0206 0208 0207 0212 6620 6608 6201 6203 0210 0108 0112 6404 ' +
    '6400 6401 6407 6716 6792 6797 6870 0116 0010'
  const read = (folder: string, end: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(end))
      .map((name) => readFileSync(join(folder, name), 'utf8').replace(/const never.*/, ''))
  const golden = join(import.meta.dirname, '../../../test/golden/modelarts-notebook')
  const cells = Object.values(matrix).flatMap((row) => Object.values(row).map((one) => `'${one}'`))
  const told = [
    // Every cell of the matrix is asked for in door.test.ts.
    ...cells,
    ...read(import.meta.dirname, '.test.ts'),
    ...read(golden, '.http'),
  ].join('\n')
  const silent = contract
    .split(' ')
    .filter((code) => !new RegExp(`ModelArts\\.${code}|'${code}'`).test(told))
  assert.deepEqual(silent, never)
})
