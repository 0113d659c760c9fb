// What nobody may read: secrets at rest, in what is said to everybody, and in what is kept of requests. Logs and
// refusals are held in door.contract.test.ts, tenants against each other in tenancy.contract.test.ts.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ecsOf, keyFor, type KeyPair, signed } from '#test/harness/ecs.ts'
import { type JumpingClock, jumpingClock } from '#test/harness/jumping-clock.ts'
import { nativeApi, tokenOf } from '#test/harness/native-api.ts'
import { type World, world } from '#test/harness/world.ts'

const password = 'a-password-that-stands-nowhere'
const dataDir = mkdtempSync(join(tmpdir(), 'runstate-secrets-'))
let w: World
let clock: JumpingClock
let token = ''
let keys: KeyPair
let id = ''
before(async () => {
  clock = jumpingClock()
  w = await world({
    store: 'sqlite',
    dataDir,
    clock,
    config: {
      identity: {
        projects: [{ name: 'secret-project' }],
        users: [{ name: 'unsaid-user', password, roles: { 'secret-project': 'member' } }],
      },
    },
  })
  token = await tokenOf(w, { user: 'unsaid-user', password, project: 'secret-project' })
  keys = await keyFor(w, 'unsaid-user', 'secret-project')
  const made = await nativeApi(w, token).server({ name: 'secret-server', flavor: 'ecs.g3i.large' })
  id = made.id
})
after(async () => {
  await w.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const secrets = (): readonly string[] => [
  password,
  token,
  keys.secretKey,
  w.credentials['RUNSTATE_TOKEN'] ?? '',
  w.credentials['OS_PASSWORD'] ?? '',
  w.credentials['HUAWEICLOUD_SDK_SK'] ?? '',
  w.credentials['VOLCENGINE_SECRET_KEY'] ?? '',
]

describe('secrets', () => {
  it('at rest are sealed or hashed: no file but the credentials has one in the clear', () => {
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && file.name !== 'credentials.env')
      .map((file) => join(file.parentPath, file.name))
    assert.ok(files.some((file) => file.endsWith('runstate.db')))
    for (const file of files) {
      const bytes = readFileSync(file)
      for (const secret of secrets()) {
        assert.ok(secret.length > 15)
        assert.ok(!bytes.includes(secret), `${file} tells a secret`)
        // A signing key that is only encoded is not sealed.
        assert.ok(!bytes.includes(Buffer.from(secret).toString('base64')), `${file} tells a secret`)
      }
      assert.equal(statSync(file).mode & 0o077, 0, `${file} is for its owner alone`)
    }
  })

  it('are not in what everybody may read, nor is a name', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/api/v1/openapi.json']) {
      const text = await (await fetch(w.url + path)).text()
      for (const hidden of [...secrets(), 'unsaid-user', 'secret-project', 'secret-server', id])
        assert.ok(!text.includes(hidden), `${path} tells ${hidden}`)
    }
  })

  it('are not kept in events or operations', async () => {
    const kept = JSON.stringify([
      await w.plane.read.events({ after: 0, limit: 1_000 }),
      await w.plane.read.list('operations', { limit: 1_000 }),
      await w.plane.read.list('instances', { limit: 1_000 }),
    ])
    for (const secret of secrets()) assert.ok(!kept.includes(secret))
  })
})

describe('a signed request', () => {
  const send = async (
    { target, headers }: ReturnType<typeof signed>,
    change: { readonly target?: string; readonly drop?: string; readonly method?: string } = {},
  ): Promise<number> => {
    const sent = Object.entries(headers).filter(([name]) => name.toLowerCase() !== change.drop)
    const { method = 'GET' } = change
    const response = await fetch(w.url + (change.target ?? target), {
      method,
      headers: Object.fromEntries(sent),
    })
    await response.text()
    return response.status
  }
  const recordedAt = (date: Date): ReturnType<typeof signed> =>
    signed(keys, 'DescribeInstances', {}, { date })

  it('that was recorded is of no use for another action, method or instance, nor without its signature', async () => {
    const recorded = recordedAt(new Date(clock.nowMs()))
    assert.equal(await send(recorded), 200)
    const { target } = recorded
    assert.ok((await send(recorded, { target: target.replace('Describe', 'Stop') })) >= 400)
    assert.ok((await send(recorded, { target: `${target}&InstanceIds.1=i-other` })) >= 400)
    assert.ok((await send(recorded, { method: 'POST' })) >= 400)
    for (const drop of ['authorization', 'x-date', 'x-content-sha256'])
      assert.ok((await send(recorded, { drop })) >= 400 || !(drop in lower(recorded.headers)), drop)
  })

  it('is of no use at all when its time is over', async () => {
    const recorded = recordedAt(new Date(clock.nowMs()))
    assert.equal(await send(recorded), 200)
    clock.jump(16 * 60_000)
    assert.ok((await send(recorded)) >= 400)
    const future = recordedAt(new Date(clock.nowMs() + 60 * 60_000))
    assert.ok((await send(future)) >= 400, 'nor before it has come')
  })

  it('with one letter of the secret otherwise is refused', async () => {
    const ecs = ecsOf(w, keys)
    const fresh = { date: new Date(clock.nowMs()) }
    assert.equal((await ecs('DescribeInstances', {}, fresh)).status, 200)
    const other = { ...keys, secretKey: `${keys.secretKey.slice(0, -1)}!` }
    assert.ok((await ecs('DescribeInstances', {}, { ...fresh, keys: other })).status >= 400)
  })
})

const lower = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

describe('a path that leads elsewhere', () => {
  it('is the id of nothing, at every depth and in every coding', async () => {
    const native = nativeApi(w, token)
    for (const way of ['..', '../..', '..%2f', '%2e%2e', '%252e%252e%252f', '....//', '%c0%ae'])
      for (const path of [
        `/instances/${way}/secret.key`,
        `/instances/${way}`,
        `/operations/${way}`,
      ]) {
        const response = await fetch(native.url + path, {
          headers: { authorization: `Bearer ${token}` },
        })
        const text = await response.text()
        assert.ok(response.status === 404 || response.status === 400 || response.ok, path)
        assert.ok(!secrets().some((secret) => text.includes(secret)), path)
      }
  })
})
