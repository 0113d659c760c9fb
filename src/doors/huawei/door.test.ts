// Laws of the batches and their jobs, over real sockets: what is answered at once, what stands in the job, and
// that one server's misfortune is no other's. Sources: contracts/openstack-compute.md sections 11.1 to 11.4.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { batch, type Family, job, jobEnded, partsOf, serversOf, v1 } from '#test/harness/huawei.ts'
import {
  as,
  type OpenStackCaller,
  settled,
  twoProjects,
  unscoped,
} from '#test/harness/openstack.ts'
import { until, type World, world } from '#test/harness/world.ts'

const quick = { startMs: 10, stopMs: 10, hardStopMs: 10, removeMs: 5 }
const refused = (act: string) => ({
  ...quick,
  failAt: [{ act, code: 'refused', times: 1, message: 'no power' }],
})
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
      { id: 'slow', driver: 'simulated', attributes: { ...quick, startMs: 60_000 } },
      { id: 'unstoppable', driver: 'simulated', attributes: refused('stop') },
      {
        id: 'physical.metal',
        driver: 'simulated',
        bareMetal: true,
        graceMs: 60_000,
        attributes: { ...quick, ignoreSoftStop: true },
      },
    ],
  },
}

let w: World
let mary: OpenStackCaller
let ada: OpenStackCaller
let rita: OpenStackCaller
let otto: OpenStackCaller
before(async () => {
  w = await world({ config })
  ;[mary, ada, rita, otto] = await Promise.all([
    as(w, 'mary'),
    as(w, 'ada'),
    as(w, 'rita'),
    as(w, 'otto'),
  ])
})
after(() => w.close())

async function made(flavorRef = 'quick', status = 'ACTIVE', by = mary): Promise<string> {
  const server = { name: 'server', flavorRef, imageRef: 'sim' }
  const heard = await by.call('POST', '/compute/v2.1/servers', { body: { server } })
  const id = heard.textAt('server.id')
  if (status !== 'BUILD') await settled(by, id, status)
  return id
}

const native = (id: string, body: object, by = mary) =>
  by.call('POST', `/compute/v2.1/servers/${id}/action`, { body })

async function stopped(flavor?: string): Promise<string> {
  const id = await made(flavor)
  await native(id, { 'os-stop': null })
  await settled(mary, id, 'SHUTOFF')
  return id
}

const families = ['baremetalservers', 'cloudservers'] as const
const codes = {
  baremetalservers: {
    unknown: 'BMS.0040',
    stopped: 'BMS.0039',
    running: 'BMS.0038',
    starting: 'BMS.0035',
    locked: 'BMS.0605',
    stopFailed: 'BMS.0006',
    denied: 'BMS.0288',
    mismatch: 'Common.0018',
    invalid: 'BMS.0018',
    notJson: 'BMS.0001',
    tooMany: 'BMS.0205',
  },
  cloudservers: {
    unknown: 'Ecs.0114',
    stopped: 'Ecs.0100',
    running: 'Ecs.0100',
    starting: 'Ecs.0100',
    locked: 'Ecs.0605',
    stopFailed: 'Ecs.0611',
    denied: 'Ecs.0110',
    mismatch: 'Ecs.0023',
    invalid: 'Ecs.0005',
    notJson: 'Ecs.0005',
    tooMany: 'Ecs.0005',
  },
} as const satisfies Record<Family, Record<string, string>>

const nobody = '00000000-0000-4000-8000-000000000000'

function isRefused(heard: Awaited<ReturnType<typeof v1>>, status: number, code: string): void {
  assert.equal(heard.status, status, heard.text)
  const message = heard.textAt('error.message')
  assert.deepEqual(heard.json, { error: { code, message } })
  assert.notEqual(message, '')
  assert.match(heard.headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/)
}

for (const family of families)
  suite(family, () => {
    const is = codes[family]

    test('stop, start and reboot: the job ends when the servers are there', async () => {
      const ids = [await made(), await made()]
      const rounds = [
        { body: { 'os-stop': { servers: serversOf(...ids) } }, status: 'SHUTOFF' },
        { body: { 'os-start': { servers: serversOf(...ids) } }, status: 'ACTIVE' },
        { body: { reboot: { type: 'SOFT', servers: serversOf(...ids) } }, status: 'ACTIVE' },
        { body: { reboot: { type: 'HARD', servers: serversOf(...ids) } }, status: 'ACTIVE' },
        { body: { 'os-stop': { type: 'HARD', servers: serversOf(...ids) } }, status: 'SHUTOFF' },
      ]
      for (const { body, status } of rounds) {
        const heard = await jobEnded(mary, await batch(mary, family, body))
        assert.equal(heard.at('status'), 'SUCCESS', heard.text)
        assert.deepEqual(
          partsOf(heard),
          ids.map((id) => [id, 'SUCCESS', null]),
        )
        for (const id of ids) {
          const shown = await mary.call('GET', `/compute/v2.1/servers/${id}`)
          assert.equal(shown.at('server.status'), status, shown.text)
        }
      }
    })

    test('one server’s misfortune is no other’s, and each is told by its own code', async () => {
      const [good, off, locked] = [await made(), await stopped(), await made()]
      const [starting, failing] = [await made('slow', 'BUILD'), await made('unstoppable')]
      await native(locked, { lock: null }, ada)
      const foreign = await made('quick', 'ACTIVE', otto)
      const ids = [nobody, good, off, locked, 'no-uuid', starting, failing, foreign]
      const heard = await jobEnded(
        mary,
        await batch(mary, family, { 'os-stop': { servers: serversOf(...ids) } }),
      )
      assert.deepEqual(partsOf(heard), [
        [nobody, 'FAIL', is.unknown],
        [good, 'SUCCESS', null],
        [off, 'FAIL', is.stopped],
        [locked, 'FAIL', is.locked],
        ['no-uuid', 'FAIL', is.unknown],
        [starting, 'FAIL', is.starting],
        [failing, 'FAIL', is.stopFailed],
        [foreign, 'FAIL', is.unknown],
      ])
      assert.equal(heard.at('status'), 'FAIL')
      assert.equal(heard.at('error_code'), 'Common.0021')
      assert.equal(heard.at('fail_reason'), 'Sub job fail!')
      await settled(mary, good, 'SHUTOFF')
      const shown = await otto.call('GET', `/compute/v2.1/servers/${foreign}`)
      assert.equal(shown.at('server.status'), 'ACTIVE')
    })

    test('one code for all failures is the job’s own', async () => {
      const id = await made()
      const heard = await jobEnded(
        mary,
        await batch(mary, family, { 'os-start': { servers: serversOf(id, await made()) } }),
      )
      assert.equal(heard.at('status'), 'FAIL')
      assert.equal(heard.at('error_code'), is.running)
      assert.equal(heard.at('fail_reason'), heard.at('entities.sub_jobs.0.fail_reason'))
    })

    test('a job has exactly the fields of its page, while it runs and after', async () => {
      const id = await made('stubborn')
      const types =
        family === 'cloudservers'
          ? ['batchStopServer', 'stopServer']
          : ['baremetalBatchOperate', 'baremetalSingleOperate']
      const asked = { 'os-stop': { type: 'SOFT', servers: serversOf(id, id) } }
      const jobId = await batch(mary, family, asked)
      assert.match(jobId, /^[0-9a-f]{32}$/)
      const heard = family === 'cloudservers' ? await job(mary, jobId) : await jobEnded(mary, jobId)
      const status = family === 'cloudservers' ? 'RUNNING' : 'SUCCESS'
      const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
      assert.match(heard.textAt('begin_time'), moment)
      assert.match(heard.textAt('entities.sub_jobs.0.begin_time'), moment)
      if (status === 'SUCCESS') assert.match(heard.textAt('end_time'), moment)
      const [begin_time, end_time] = [heard.at('begin_time'), heard.at('end_time')]
      const part = heard.at('entities.sub_jobs.0')
      const partId = heard.textAt('entities.sub_jobs.0.job_id')
      const none = { error_code: null, fail_reason: null }
      assert.deepEqual(part, {
        status,
        entities: { server_id: id },
        job_id: partId,
        job_type: types[1],
        begin_time,
        end_time: status === 'RUNNING' ? null : heard.at('entities.sub_jobs.0.end_time'),
        ...none,
      })
      const whole = { job_id: jobId, job_type: types[0], begin_time, end_time, ...none }
      const entities = { sub_jobs_total: 1, sub_jobs: [part] }
      assert.deepEqual(heard.json, { status, entities, ...whole })
      if (status === 'RUNNING') assert.equal(end_time, null)
    })

    test('a request that is wrong as a whole is refused at once', async () => {
      const servers = serversOf(nobody)
      const post = (body: unknown, by = mary) => v1(by, 'POST', `/${family}/action`, body)
      const invalid: readonly unknown[] = [
        {},
        { 'os-foo': { servers } },
        { 'os-stop': { servers }, 'os-start': { servers } },
        { 'os-stop': null },
        { 'os-stop': {} },
        { 'os-stop': { servers: [] } },
        { 'os-stop': { servers: {} } },
        { 'os-stop': { servers: [{}] } },
        { 'os-stop': { servers: [{ id: 7 }] } },
        { 'os-stop': { servers: [nobody] } },
        { 'os-stop': { servers, type: 'WARM' } },
        { 'os-stop': { servers, type: 1 } },
        { reboot: { servers } },
        { reboot: { servers, type: 'NONE' } },
      ]
      for (const body of invalid) isRefused(await post(body), 400, is.invalid)
      const many = Array.from({ length: 1001 }, () => ({ id: nobody }))
      isRefused(await post({ 'os-stop': { servers: many } }), 400, is.tooMany)
      for (const raw of ['', '{', '[]', '"x"', 'null']) {
        const path = `/v1/${mary.projectId}/${family}/action`
        const heard = await mary.call('POST', path, { raw })
        isRefused(heard, 400, is.notJson)
      }
      isRefused(await post({ 'os-stop': { servers } }, rita), 403, is.denied)
    })

    test('a thousand servers are one request', async () => {
      const ids = Array.from({ length: 999 }, (_, n) => `nobody-${n}`)
      const id = await made()
      const jobId = await batch(mary, family, {
        'os-stop': { servers: serversOf(...ids, id) },
      })
      const heard = await jobEnded(mary, jobId)
      assert.equal(heard.at('entities.sub_jobs_total'), 1000)
      assert.equal(partsOf(heard).at(-1)?.[1], 'SUCCESS')
    })

    test('another project in the URL is refused, admin or not', async () => {
      for (const by of [mary, ada]) {
        const path = `/v1/${otto.projectId}/${family}/action`
        const body = { 'os-stop': { servers: serversOf(nobody) } }
        isRefused(await by.call('POST', path, { body }), 400, is.mismatch)
        const list = await by.call('GET', `/v1/${otto.projectId}/${family}/detail`)
        isRefused(list, 400, is.mismatch)
      }
      const nowhere = await unscoped(w, 'mary')
      const path = `/v1/${mary.projectId}/${family}/detail`
      isRefused(await nowhere.call('GET', path), 400, is.mismatch)
    })
  })

suite('jobs', () => {
  test('of another project, and ids that no job has, are told apart by nobody', async () => {
    const id = await made()
    const jobId = await batch(mary, 'cloudservers', { 'os-stop': { servers: serversOf(id) } })
    await jobEnded(mary, jobId)
    const amos = await as(w, 'amos')
    const answers = [
      await job(otto, jobId),
      await job(amos, jobId),
      await job(mary, '0'.repeat(32)),
      await job(mary, 'x'),
      await job(mary, '__proto__'),
    ]
    for (const heard of answers) {
      isRefused(heard, 400, 'Common.0011')
      assert.equal(heard.at('error.message'), 'Failed to query system tasks.')
    }
    const other = await mary.call('GET', `/v1/${otto.projectId}/jobs/${jobId}`)
    isRefused(other, 400, 'Common.0018')
    assert.equal((await job(rita, jobId)).status, 200)
  })

  test('a soft stop that a harder one takes over ends with that one', async () => {
    const id = await made('stubborn')
    const stop = (type: string) => ({ 'os-stop': { type, servers: serversOf(id) } })
    const soft = await batch(mary, 'cloudservers', stop('SOFT'))
    assert.equal((await job(mary, soft)).at('status'), 'RUNNING')
    await mary.call('POST', `/api/v1/instances/${id}/actions`, {
      body: { action: 'stop', mode: 'hard' },
      headers: { authorization: `Bearer ${mary.token}` },
    })
    const heard = await jobEnded(mary, soft)
    assert.equal(heard.at('status'), 'SUCCESS', heard.text)
    await settled(mary, id, 'SHUTOFF')
  })

  test('what something else took the place of has failed, and says so', async () => {
    const id = await made('stubborn')
    const soft = await batch(mary, 'cloudservers', { 'os-stop': { servers: serversOf(id) } })
    assert.equal((await mary.call('DELETE', `/compute/v2.1/servers/${id}`)).status, 204)
    const heard = await jobEnded(mary, soft)
    assert.deepEqual(partsOf(heard), [[id, 'FAIL', 'Ecs.0611']])
    const reason = heard.textAt('entities.sub_jobs.0.entities.errorcode_message')
    assert.equal(reason, 'another request took its place')
  })

  test('an idempotency key gives the same job, and a dry run changes nothing', async () => {
    const id = await made()
    const body = { 'os-stop': { servers: serversOf(id, nobody) } }
    const path = `/v1/${mary.projectId}/cloudservers/action`
    const dry = await mary.call('POST', path, { body, headers: { 'x-dry-run': 'true' } })
    assert.equal(dry.status, 200)
    assert.equal(dry.at('dry_run'), true)
    assert.equal(dry.at('plan.servers.0.to'), 'stopping')
    assert.equal(dry.at('plan.servers.1.error_code'), 'Ecs.0114')
    const headers = { 'idempotency-key': 'nightly-1' }
    const first = await mary.call('POST', path, { body, headers })
    const again = await mary.call('POST', path, { body, headers })
    assert.equal(first.status, 200)
    assert.equal(again.textAt('job_id'), first.textAt('job_id'))
    const other = await mary.call('POST', path, {
      body: { 'os-start': { servers: serversOf(id) } },
      headers,
    })
    isRefused(other, 400, 'Ecs.0005')
  })
})

suite('who asks', () => {
  test('credentials that prove nobody are turned away by the gateway', async () => {
    const path = `${w.url}/v1/${mary.projectId}/cloudservers/detail`
    const none = await fetch(path)
    assert.equal(none.status, 401)
    const body: unknown = await none.json()
    const requestId = none.headers.get('x-request-id')
    assert.deepEqual(body, {
      error_msg: 'Incorrect IAM authentication information: token must not be empty',
      error_code: 'APIGW.0301',
      request_id: requestId,
    })
  })

  test('what is not there is told by the gateway', async () => {
    for (const [method, path] of [
      ['GET', '/cloudservers'],
      ['DELETE', '/cloudservers/action'],
      ['GET', '/jobs'],
      ['GET', '/baremetalservers/a/b'],
    ] as const) {
      const heard = await v1(mary, method, path)
      assert.equal(heard.status, 404, path)
      assert.equal(heard.at('error_code'), 'APIGW.0101')
    }
  })
})

suite('bare metal', () => {
  const rungOf = async (id: string): Promise<unknown> => {
    const [operation] = await w.plane.read.list('operations', {
      where: { instanceId: id },
      order: { by: 'startedAtMs', dir: 'desc' },
      limit: 1,
    })
    return operation?.rung
  }

  test('is stopped and rebooted by force, whatever was asked and where', async () => {
    const id = await made('physical.metal')
    for (const family of families) {
      const soft = { type: 'SOFT', servers: serversOf(id) }
      await jobEnded(mary, await batch(mary, family, { reboot: soft }))
      assert.equal(await rungOf(id), 'hard')
      await jobEnded(mary, await batch(mary, family, { 'os-stop': soft }))
      assert.equal(await rungOf(id), 'hard')
      await jobEnded(mary, await batch(mary, family, { 'os-start': { servers: serversOf(id) } }))
    }
  })

  test('the two services stop by default as each documents it', async () => {
    for (const [family, rung] of [
      ['baremetalservers', 'hard'],
      ['cloudservers', 'soft'],
    ] as const) {
      const id = await made()
      await jobEnded(mary, await batch(mary, family, { 'os-stop': { servers: serversOf(id) } }))
      assert.equal(await rungOf(id), rung)
    }
  })
})

test('an admin passes a lock here as well', async () => {
  const id = await made()
  await native(id, { lock: null })
  const jobId = await batch(ada, 'baremetalservers', { 'os-stop': { servers: serversOf(id) } })
  assert.equal((await jobEnded(ada, jobId)).at('status'), 'SUCCESS')
  await until(
    () => mary.call('GET', `/compute/v2.1/servers/${id}`),
    (heard) => heard.at('server.status') === 'SHUTOFF',
  )
})
