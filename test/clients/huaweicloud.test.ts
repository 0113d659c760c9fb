// The vendor's own Node clients, unmodified but for the endpoint: the one of cloud servers signs and runs batches and
// polls their jobs, the one of identity finds projects and makes keys, and the core's generic client makes the calls
// of bare metal, for which no client is published.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js'
import { GlobalCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/GlobalCredentials.js'
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js'
import { ClientRequestException } from '@huaweicloud/huaweicloud-sdk-core/exception/ClientRequestException.js'
import type { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js'
import { Region } from '@huaweicloud/huaweicloud-sdk-core/region/region.js'
import { EcsClient } from '@huaweicloud/huaweicloud-sdk-ecs/v2/EcsClient.js'
import { BatchRebootSeversOption } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchRebootSeversOption.js'
import { BatchRebootServersRequest } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchRebootServersRequest.js'
import { BatchRebootServersRequestBody } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchRebootServersRequestBody.js'
import { BatchStartServersOption } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchStartServersOption.js'
import { BatchStartServersRequest } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchStartServersRequest.js'
import { BatchStartServersRequestBody } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchStartServersRequestBody.js'
import { BatchStopServersOption } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchStopServersOption.js'
import { BatchStopServersRequest } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchStopServersRequest.js'
import { BatchStopServersRequestBody } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/BatchStopServersRequestBody.js'
import { ListServersDetailsRequest } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/ListServersDetailsRequest.js'
import { NovaShowServerRequest } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/NovaShowServerRequest.js'
import { ServerId } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/ServerId.js'
import { ShowJobRequest } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/ShowJobRequest.js'
import { ShowServerRequest } from '@huaweicloud/huaweicloud-sdk-ecs/v2/model/ShowServerRequest.js'
import { at } from '#test/harness/api.ts'
import { logIn } from '#test/harness/openstack.ts'
import { until, type World, world } from '#test/harness/world.ts'

const nobody = '00000000-0000-4000-8000-000000000000'

let w: World
let ecs: EcsClient
let server: string
before(async () => {
  w = await world()
  ecs = ecsWith(projectCredentials())
  const admin = await logIn(w, {
    user: w.credentials['OS_USERNAME'] ?? '',
    password: w.credentials['OS_PASSWORD'] ?? '',
    project: w.credentials['OS_PROJECT_NAME'] ?? '',
  })
  const wanted = { name: 'by-sdk', flavorRef: 'sim.small', imageRef: 'sim' }
  const made = await admin.call('POST', '/compute/v2.1/servers', { body: { server: wanted } })
  server = made.textAt('server.id')
  await until(
    () => show(),
    (shown) => shown === 'ACTIVE',
  )
})
after(() => w.close())

const keys = (secret = w.credentials['HUAWEICLOUD_SDK_SK'] ?? '') =>
  new BasicCredentials().withAk(w.credentials['HUAWEICLOUD_SDK_AK'] ?? '').withSk(secret)

const projectCredentials = (): BasicCredentials =>
  keys().withProjectId(w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? '')

const ecsWith = (credentials: BasicCredentials): EcsClient =>
  EcsClient.newBuilder().withCredential(credentials).withEndpoint(w.url).build()

async function show(client = ecs): Promise<string | undefined> {
  const { server: shown } = await client.showServer(new ShowServerRequest().withServerId(server))
  return shown?.status
}

/** The client answers what was on the wire under its own names; the getters of its types are not there. */
const ended = async (accepted: unknown) => {
  const id = String(at(accepted, 'job_id'))
  return until(
    () => ecs.showJob(new ShowJobRequest().withJobId(id)),
    ({ status }) => status === 'SUCCESS' || status === 'FAIL',
  )
}

const servers = (...ids: readonly string[]) => ids.map((id) => new ServerId().withId(id))

const stop = (...ids: readonly string[]) => {
  const option = new BatchStopServersOption().withServers(servers(...ids)).withType('SOFT')
  const body = new BatchStopServersRequestBody().withOsStop(option)
  return ecs.batchStopServers(new BatchStopServersRequest().withBody(body))
}
const start = (...ids: readonly string[]) => {
  const option = new BatchStartServersOption().withServers(servers(...ids))
  const body = new BatchStartServersRequestBody().withOsStart(option)
  return ecs.batchStartServers(new BatchStartServersRequest().withBody(body))
}
const reboot = (type: string) => {
  const option = new BatchRebootSeversOption().withServers(servers(server)).withType(type)
  const body = new BatchRebootServersRequestBody().withReboot(option)
  return ecs.batchRebootServers(new BatchRebootServersRequest().withBody(body))
}

/** The client throws what is not 2xx; its exception has the code, the text and the request id. */
async function refused(asking: Promise<unknown>, status: number, code: string): Promise<void> {
  await assert.rejects(asking, (thrown) => {
    assert.ok(thrown instanceof ClientRequestException, String(thrown))
    assert.equal(thrown.httpStatusCode, status)
    assert.equal(thrown.errorCode, code)
    assert.notEqual(thrown.errorMsg ?? '', '')
    assert.match(thrown.requestId ?? '', /^[0-9a-f]{32}$/)
    return true
  })
}

suite('the client of cloud servers', () => {
  test('stops, starts and reboots, and follows the jobs to their end', async () => {
    const stopped = await ended(await stop(server))
    assert.equal(stopped.status, 'SUCCESS')
    assert.equal(at(stopped, 'job_type'), 'batchStopServer')
    assert.equal(at(stopped, 'entities', 'sub_jobs', 0, 'entities', 'server_id'), server)
    assert.equal(await show(), 'SHUTOFF')
    assert.equal((await ended(await start(server))).status, 'SUCCESS')
    assert.equal(await show(), 'ACTIVE')
    for (const type of ['SOFT', 'HARD'])
      assert.equal((await ended(await reboot(type))).status, 'SUCCESS', type)
    assert.equal(await show(), 'ACTIVE')
  })

  test('reads the code of one server that failed beside one that did not', async () => {
    const job = await ended(await stop(nobody, server))
    assert.equal(job.status, 'FAIL')
    assert.equal(at(job, 'error_code'), 'Ecs.0114')
    const part = (index: number, name: string) => at(job, 'entities', 'sub_jobs', index, name)
    assert.deepEqual([part(0, 'status'), part(1, 'status')], ['FAIL', 'SUCCESS'])
    assert.equal(at(part(0, 'entities'), 'errorcode_message'), 'The ECS does not exist.')
    assert.equal((await ended(await start(server))).status, 'SUCCESS')
  })

  test('lists and shows, here and natively', async () => {
    const list = await ecs.listServersDetails(
      new ListServersDetailsRequest().withName('by-sdk').withLimit(10).withOffset(1),
    )
    assert.equal(list.count, 1)
    assert.equal(list.servers?.[0]?.id, server)
    assert.equal(list.servers?.[0]?.flavor?.vcpus, '1')
    const native = await ecs.novaShowServer(new NovaShowServerRequest().withServerId(server))
    assert.equal(native.server?.id, server)
  })

  test('understands every refusal', async () => {
    await refused(stop(), 400, 'Ecs.0005')
    await refused(ecs.showJob(new ShowJobRequest().withJobId('0'.repeat(32))), 400, 'Common.0011')
    const unknown = ecs.showServer(new ShowServerRequest().withServerId(nobody))
    await refused(unknown, 404, 'Ecs.0114')
    const wrong = ecsWith(
      keys('wrong').withProjectId(w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? ''),
    )
    await refused(show(wrong), 401, 'APIGW.0301')
  })

  test('finds its project by the name of its region', async () => {
    const name = w.credentials['OS_PROJECT_NAME'] ?? ''
    const client = EcsClient.newBuilder()
      .withCredential(keys().withIamEndpoint(w.url))
      .withRegion(new Region(name, [w.url]))
      .build()
    assert.equal(await show(client), 'ACTIVE')
  })
})

type Sent = Readonly<Record<string, unknown>>

function generic(credentials: BasicCredentials | GlobalCredentials) {
  const client = new ClientBuilder<HcClient>((one) => one, credentials.constructor.name)
    .withCredential(credentials)
    .withEndpoint(w.url)
    .build()
  return (method: string, url: string, data?: Sent, query: Record<string, string> = {}) =>
    client.sendRequest<Sent>({
      method,
      url,
      contentType: 'application/json',
      queryParams: query,
      pathParams: { project_id: w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? '' },
      headers: {},
      ...(data === undefined ? {} : { data }),
    })
}

suite('the generic client', () => {
  test('stops and starts bare metal, and reads its lists', async () => {
    const send = generic(projectCredentials())
    const job = async (body: Sent) => {
      const answer = await send('POST', '/v1/{project_id}/baremetalservers/action', body)
      return await ended(answer)
    }
    const all = [{ id: server }]
    const stopped = await job({ 'os-stop': { type: 'HARD', servers: all } })
    assert.equal(stopped.status, 'SUCCESS')
    assert.equal(at(stopped, 'job_type'), 'baremetalBatchOperate')
    const again = await job({ 'os-stop': { servers: all } })
    assert.equal(at(again, 'error_code'), 'BMS.0039')
    assert.equal((await job({ 'os-start': { servers: all } })).status, 'SUCCESS')
    const list = await send('GET', '/v1/{project_id}/baremetalservers/detail')
    assert.equal(at(list, 'servers', 0, 'id'), server)
    for (const path of ['flavors', 'limits', server])
      await send('GET', `/v1/{project_id}/baremetalservers/${path}`)
    const none = send('POST', '/v1/{project_id}/baremetalservers/action', {})
    await refused(none, 400, 'BMS.0018')
  })

  test('speaks to identity for the whole account: projects, regions, keys', async () => {
    const send = generic(
      new GlobalCredentials()
        .withAk(w.credentials['HUAWEICLOUD_SDK_AK'] ?? '')
        .withSk(w.credentials['HUAWEICLOUD_SDK_SK'] ?? '')
        .withDomainId('default'),
    )
    const name = w.credentials['OS_PROJECT_NAME'] ?? ''
    const projects = await send('GET', '/v3/projects', undefined, { name })
    assert.equal(at(projects, 'projects', 0, 'id'), w.credentials['HUAWEICLOUD_PROJECT_ID'])
    for (const path of ['/v3/auth/projects', '/v3/auth/domains', '/v3/regions', '/v3/auth/catalog'])
      await send('GET', path)
    const own = await send('GET', '/v3.0/OS-CREDENTIAL/credentials')
    const userId = String(at(own, 'credentials', 0, 'user_id'))
    const credential = { user_id: userId, description: 'by the SDK' }
    const made = await send('POST', '/v3.0/OS-CREDENTIAL/credentials', { credential })
    const access = String(at(made, 'credential', 'access'))
    const fresh = new BasicCredentials()
      .withAk(access)
      .withSk(String(at(made, 'credential', 'secret')))
      .withProjectId(w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? '')
    assert.equal(await show(ecsWith(fresh)), 'ACTIVE')
    await send('DELETE', `/v3.0/OS-CREDENTIAL/credentials/${access}`)
    await refused(show(ecsWith(fresh)), 401, 'APIGW.0301')
  })

  test('a temporary key signs with its security token', async () => {
    const token = w.credentials['RUNSTATE_TOKEN'] ?? ''
    const auth = { identity: { methods: ['token'], token: { duration_seconds: 900 } } }
    const answer = await fetch(`${w.url}/v3.0/OS-CREDENTIAL/securitytokens`, {
      method: 'POST',
      headers: { 'x-auth-token': token, 'content-type': 'application/json' },
      body: JSON.stringify({ auth }),
    })
    const made: unknown = await answer.json()
    const part = (name: string) => String(at(made, 'credential', name))
    const passing = new BasicCredentials()
      .withAk(part('access'))
      .withSk(part('secret'))
      .withProjectId(w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? '')
    await refused(show(ecsWith(passing)), 401, 'APIGW.0301')
    assert.equal(await show(ecsWith(passing.withSecurityToken(part('securitytoken')))), 'ACTIVE')
  })
})
