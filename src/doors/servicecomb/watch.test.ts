// Who is told what by websocket, and who lives by one. Source: contracts/cse-registry.md section 6.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import { hear } from '#test/harness/door-call.ts'
import { type Client, client, find, made, one, registered, stage } from '#test/harness/registry.ts'
import { opened, type Opened } from '#test/harness/registry-socket.ts'
import { until, type World, world } from '#test/harness/world.ts'

let house: World
before(async () => {
  house = await world({ config: { doors: { servicecomb: { pingSeconds: 1 } } } })
})
after(() => house.close())

let tenants = 0
interface Scene {
  readonly registry: Client
  readonly domain: string
  readonly url: string
}
const fresh = (w: World): Scene => {
  const domain = `watched-${(tenants += 1)}`
  return { registry: client(w, { domain }), domain, url: w.url }
}
const consumer = { serviceId: 'con1', appId: 'shop', serviceName: 'consumer', version: '1.0.0' }
const asConsumer = { 'x-consumerid': 'con1' }

/** The provider with its instance, a consumer that has found it, and the consumer's watch. */
async function watched(
  given: object = {},
  w: World = house,
): Promise<Scene & { readonly watch: Opened }> {
  const scene = fresh(w)
  const { registry } = scene
  await stage(registry)
  await made(registry.call('POST', '{r}/microservices', { service: { ...consumer, ...given } }))
  await made(registry.call('GET', find, undefined, asConsumer))
  return { ...scene, watch: await watch(scene) }
}

const watch = ({ domain, url }: Scene, service = 'con1'): Promise<Opened> =>
  opened(url, `/v4/default/registry/microservices/${service}/watcher`, { domain })

const actionsOf = (frames: readonly unknown[]) => frames.map((frame) => String(at(frame, 'action')))

/** Nothing else comes: what is told next is told after whatever came before it. */
async function frames({ registry, watch: told }: { registry: Client; watch: Opened }) {
  await registered(registry, { instanceId: 'the-last' })
  await until(
    async () => told.frames,
    (all) => at(all.at(-1), 'instance', 'instanceId') === 'the-last',
  )
  return told.frames.slice(0, -1)
}

suite('a watcher', () => {
  test('is told once of each change of what its consumer has found, in order, to the byte', async () => {
    const scene = await watched()
    const { registry } = scene
    await registered(registry, { instanceId: 'i2' })
    await made(registry.call('PUT', `${one}/status?value=DOWN`))
    await made(registry.call('PUT', `${one}/status?value=DOWN`))
    await made(registry.call('PUT', `${one}/heartbeat`))
    await made(registry.call('PUT', `${one}/properties`, { properties: { z: '1' } }))
    await made(
      registry.call('PUT', '{r}/microservices/svc1/properties', { properties: { a: 'b' } }),
    )
    await made(registry.call('DELETE', one))
    const told = await frames(scene)
    assert.deepEqual(actionsOf(told), ['CREATE', 'UPDATE', 'UPDATE', 'UPDATE', 'DELETE'])
    assert.deepEqual(
      told.map((frame) => at(frame, 'instance', 'status')),
      ['UP', 'DOWN', 'DOWN', 'DOWN', 'DOWN'],
    )
    const [text = ''] = scene.watch.texts
    assert.match(
      text,
      /^\{"action":"CREATE","key":\{"tenant":"watched-\d+\/default","appId":"shop","serviceName":"provider","version":"1.0.0"\},"instance":\{"instanceId":"i2","serviceId":"svc1","endpoints":\["rest:\/\/10.0.0.1:80"\],"hostName":"h1","status":"UP","healthCheck":\{"mode":"push","interval":30,"times":3\},"timestamp":"\d+","modTimestamp":"\d+","version":"1.0.0"\}\}$/,
    )
    assert.deepEqual(at(told.at(-1), 'instance', 'properties'), { z: '1' })
    scene.watch.close()
  })

  test('is told nothing of what its consumer never asked for', async () => {
    const scene = await watched()
    const { registry } = scene
    const other = { appId: 'shop', serviceName: 'other', serviceId: 'oth1', version: '1.0.0' }
    await made(registry.call('POST', '{r}/microservices', { service: other }))
    const instance = { instanceId: 'o1', hostName: 'h' }
    await made(registry.call('POST', '{r}/microservices/oth1/instances', { instance }))
    assert.deepEqual(await frames(scene), [])
    scene.watch.close()
  })

  test('is told of a provider that came after it was looked for', async () => {
    const scene = fresh(house)
    const { registry } = scene
    await made(registry.call('POST', '{r}/microservices', { service: consumer }))
    const found = await registry.call('GET', find, undefined, asConsumer)
    assert.equal(found.status, 400)
    assert.equal((await registry.call('GET', '{r}/microservices/con1/providers')).text, '{}')
    const told = await watch(scene)
    await stage(registry)
    await until(
      async () => told.frames.length,
      (count) => count === 1,
    )
    assert.deepEqual(actionsOf(told.frames), ['CREATE'])
    told.close()
  })

  test('is told of an end by force, and that its own service is gone', async () => {
    const scene = await watched()
    const { registry, watch: told } = scene
    await made(registry.call('DELETE', '{r}/microservices/svc1?force=true'))
    await until(
      async () => told.frames.length,
      (count) => count === 1,
    )
    assert.deepEqual(actionsOf(told.frames), ['DELETE'])
    await made(registry.call('DELETE', '{r}/microservices/con1?force=1'))
    assert.deepEqual(await told.closed, { code: 1008, reason: 'service does not exist' })
    assert.equal(told.texts.at(-1), 'service does not exist')
  })

  test('is told to ask again when its own tags have changed', async () => {
    const scene = await watched()
    const { registry, watch: told } = scene
    await made(registry.call('POST', '{r}/microservices/con1/tags', { tags: { blue: 'yes' } }))
    await until(
      async () => told.texts.length,
      (count) => count === 1,
    )
    assert.match(
      told.texts[0] ?? '',
      /^\{"action":"EXPIRE","key":\{"tenant":"[^"]+","appId":"shop"/,
    )
    assert.equal(at(told.frames[0], 'instance'), undefined)
    told.close()
  })

  test('of another tenant with the same names is told nothing', async () => {
    const scene = await watched()
    const stranger = await watched()
    await made(stranger.registry.call('PUT', `${one}/status?value=DOWN`))
    assert.deepEqual(await frames(scene), [])
    scene.watch.close()
    stranger.watch.close()
  })

  test('of an unknown service is let in, told so, and shown out', async () => {
    const told = await watch(fresh(house), 'nobody')
    assert.deepEqual(await told.closed, { code: 1008, reason: 'service does not exist' })
    assert.deepEqual(told.texts, ['service does not exist'])
  })

  test('that does not upgrade is refused, and so is a request for another protocol', async () => {
    const { registry } = fresh(house)
    await stage(registry)
    for (const path of ['{r}/microservices/svc1/watcher', `${one}/heartbeat`]) {
      const plain = await registry.call('GET', path)
      assert.equal(plain.status, 400)
      assert.equal(at(plain.body, 'errorCode'), '400001')
    }
    assert.equal((await registry.call('GET', '{r}/microservices/svc1/listwatcher')).status, 404)
  })

  test('alone is upgraded: a client that asks for HTTP/2 is answered as if it had not', async () => {
    const scene = fresh(house)
    await stage(scene.registry)
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': '' }
    const ask = { headers: { ...headers, 'x-domain-name': scene.domain } }
    const target = '/v4/default/registry/microservices/svc1'
    assert.equal((await hear(house.url, { ...ask, method: 'GET', target })).status, 200)
    const body = JSON.stringify({ properties: { a: 'b' } })
    const put = { ...ask, method: 'PUT', target: `${target}/properties`, body }
    assert.equal((await hear(house.url, put)).status, 200)
    const watching = { ...ask, method: 'GET', target: `${target}/watcher` }
    assert.equal((await hear(house.url, watching)).status, 400)
    const { body: shown } = await scene.registry.call('GET', '{r}/microservices/svc1')
    assert.deepEqual(at(shown, 'service', 'properties'), { a: 'b' })
  })

  test('that reads nothing is cut, and meanwhile another hears of everything at once', async (t) => {
    // Here nobody is given up for being silent, so it is cut because it takes nothing.
    const patient = await world()
    t.after(() => patient.close())
    const scene = await watched({}, patient)
    const { registry, watch: reads } = scene
    const sleeps = await watch(scene)
    sleeps.pause()
    const long = 'x'.repeat(4_500)
    const fromMs = performance.now()
    let changes = 0
    // Longer than any write may take, and more than its socket holds.
    while (performance.now() - fromMs < 12_000 || changes < 2_000) {
      const began = performance.now()
      for (let n = 0; n < 100; n += 1) {
        changes += 1
        await registered(registry, { properties: { long, change: String(changes) } })
      }
      await until(
        async () => at(reads.frames.at(-1), 'instance', 'properties', 'change'),
        (heard) => heard === String(changes),
      )
      assert.ok(performance.now() - began < 5_000, 'the other one waited as well')
    }
    sleeps.resume()
    assert.equal((await sleeps.closed).code, 1006)
    assert.ok(sleeps.frames.length < changes, 'nothing was kept from it')
    assert.equal(reads.frames.length, changes)
    assert.equal(reads.isOpen, true)
  })

  test('that talks too much is cut, one that says little is not heard', async () => {
    const scene = await watched()
    scene.watch.send('x'.repeat(64))
    assert.deepEqual(await frames(scene), [])
    scene.watch.send('x'.repeat(65))
    assert.equal((await scene.watch.closed).code, 1006)
  })
})

suite('a connection', () => {
  test('is pinged while it does not ping by itself, and is given up when it is silent', async () => {
    const scene = await watched()
    await until(
      async () => scene.watch.pings,
      (count) => count >= 1,
    )
    const silent = await opened(
      house.url,
      '/v4/default/registry/microservices/con1/watcher',
      { domain: scene.domain },
      { autoPong: false },
    )
    assert.equal((await silent.closed).code, 1006)
    assert.equal(scene.watch.isOpen, true)
    scene.watch.close()
  })
})

suite('a server that stops', () => {
  test('says goodbye, and does not wait for who does not answer', async () => {
    const own = await world()
    await made(client(own).call('POST', '{r}/microservices', { service: consumer }))
    const path = '/v4/default/registry/microservices/con1/watcher'
    const polite = await opened(own.url, path)
    const deaf = await opened(own.url, path)
    deaf.pause()
    const beganMs = Date.now()
    await own.close()
    assert.ok(Date.now() - beganMs < 8_000, 'within the time that a stop may take')
    assert.equal((await polite.closed).code, 1001)
  })
})

suite('a heartbeat by websocket', () => {
  const beat = ({ domain }: Scene, instance = 'i1'): Promise<Opened> =>
    opened(house.url, `/v4/default/registry/microservices/svc1/instances/${instance}/heartbeat`, {
      domain,
    })

  test('is answered by pings, whose pongs renew the lease', async () => {
    const scene = fresh(house)
    await stage(scene.registry)
    const where = { project: `${scene.domain}/default` }
    const [row] = await house.plane.read.list('instances', { where, limit: 1 })
    assert.ok(row)
    const before = house.plane.lease(row).renewedAtMs
    const link = await beat(scene)
    await until(
      async () => house.plane.lease(row).renewedAtMs,
      (now) => now > before,
    )
    assert.ok(link.pings >= 1)
    link.close()
  })

  test('of what is not there, or no longer, ends with 4001', async () => {
    const scene = fresh(house)
    await stage(scene.registry)
    const end = {
      code: 4001,
      reason: 'heartbeat reporting failed because the instance does not exist',
    }
    assert.deepEqual(await (await beat(scene, 'nobody')).closed, end)
    const link = await beat(scene)
    await made(scene.registry.call('DELETE', one))
    assert.deepEqual(await link.closed, end)
  })
})
