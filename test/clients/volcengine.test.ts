// The vendor's two Node clients, unmodified but for the endpoint, against the whole server.
//
// `@volcengine/openapi` resolves with the envelope whatever the status; `@volcengine/sdk-core` throws, and tries
// again after 429 and 5xx.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Service } from '@volcengine/openapi'
import {
  buildRequestConfigFromMetaPath,
  Client,
  Command,
  HttpRequestError,
} from '@volcengine/sdk-core'
import { type Bench, bench, keysOf } from '#test/harness/ecs.ts'
import { type GatedStore, gatedStore } from '#test/harness/gated-store.ts'
import { stopFaults } from '#test/harness/stop-faults.ts'
import { until, world, type World } from '#test/harness/world.ts'

interface Reply {
  /** Undefined where the client does not tell. */
  readonly status: number | undefined
  readonly code: string | undefined
  readonly message: string | undefined
  readonly result: Readonly<Record<string, unknown>> | undefined
}
type Send = (action: string, params?: object) => Promise<Reply>

interface Envelope {
  readonly ResponseMetadata: {
    readonly RequestId: string
    readonly Error?: { readonly Code?: string; readonly Message?: string }
  }
  readonly Result?: Readonly<Record<string, unknown>>
}

const replyOf = (envelope: Envelope, status: number | undefined): Reply => {
  assert.match(envelope.ResponseMetadata.RequestId, /^\d{14}[0-9A-F]{20}$/)
  const { Code, Message } = envelope.ResponseMetadata.Error ?? {}
  return { status, code: Code, message: Message, result: envelope.Result }
}

const version = '2020-04-01'

function openapi(w: World, method: 'GET' | 'form' | 'JSON'): Send {
  const service = new Service({
    ...keysOf(w),
    host: w.credentials['VOLCENGINE_ENDPOINT'] ?? '',
    protocol: 'http:',
    serviceName: 'ecs',
    region: w.credentials['VOLCENGINE_REGION'] ?? '',
    defaultVersion: version,
  })
  const make = { GET: 'createAPI', form: 'createUrlEncodeAPI', JSON: 'createJSONAPI' } as const
  return async (action, params = {}) => {
    const answer = await service[make[method]](action)(params)
    return replyOf(answer as Envelope, undefined) // the client's own type says Result is unknown
  }
}

function sdkCore(w: World): Send {
  const { accessKeyId, secretKey } = keysOf(w)
  const client = new Client({
    host: w.credentials['VOLCENGINE_ENDPOINT'] ?? '',
    protocol: 'http',
    region: w.credentials['VOLCENGINE_REGION'] ?? '',
    accessKeyId,
    secretAccessKey: secretKey,
  })
  return async (action, params = {}) => {
    const command = new Command<object, Envelope>(params)
    command.requestConfig = buildRequestConfigFromMetaPath(
      `/${action}/${version}/ecs/get/text_plain/`,
    )
    try {
      return replyOf(await client.send(command), 200)
    } catch (thrown) {
      if (!(thrown instanceof HttpRequestError) || thrown.data === undefined) throw thrown
      return replyOf(thrown.data as Envelope, thrown.status) // the body, as it came
    }
  }
}

const clients = {
  '@volcengine/openapi, GET': (w: World) => openapi(w, 'GET'),
  '@volcengine/openapi, POST form': (w: World) => openapi(w, 'form'),
  '@volcengine/openapi, POST JSON': (w: World) => openapi(w, 'JSON'),
  '@volcengine/sdk-core': sdkCore,
} as const

for (const [name, open] of Object.entries(clients)) {
  suite(name, () => {
    let w: World
    let b: Bench
    let gated: GatedStore
    let send: Send

    before(async () => {
      gated = gatedStore()
      // Slow enough that nobody who polls misses a state on its way.
      const slow = { createMs: 50, startMs: 400, stopMs: 800 }
      const flavors = [
        { id: 'ecs.g3i.large', driver: 'simulated', pool: 'ecs.g3i.large', attributes: slow },
      ]
      w = await world({ store: gated.store, config: { catalogue: { flavors } } })
      b = await bench(w)
      send = open(w)
    })
    after(() => w.close())

    const seen = async (id: string): Promise<Readonly<Record<string, unknown>> | undefined> => {
      const { result } = await send('DescribeInstances', { 'InstanceIds.1': id })
      const [found] = (result?.['Instances'] ?? []) as readonly Record<string, unknown>[] // what DescribeInstances answers
      return found
    }
    const reach = (id: string, status: string) =>
      until(
        async () => (await seen(id))?.['Status'] ?? 'none',
        (now) => now === status,
      )
    const accepted = async (
      action: string,
      params: object,
    ): Promise<Readonly<Record<string, unknown>>> => {
      const reply = await send(action, params)
      assert.equal(reply.code, undefined, `${action}: ${reply.code} ${reply.message}`)
      assert(reply.result)
      return reply.result
    }

    test('a whole life: run, stop, start, reboot, stop charging, batch, delete', async () => {
      const { InstanceIds } = await accepted('RunInstances', {
        ZoneId: 'cn-beijing-a',
        ImageId: 'sim',
        InstanceName: "a b+c/d=é*~(x)'!".replaceAll(/[^a-z]/g, ''),
        Description: "a b+c/d=é*~(x)'!",
        InstanceTypeId: 'ecs.g3i.large',
        'NetworkInterfaces.1.SubnetId': 'subnet-1',
        ClientToken: randomUUID(),
      })
      const [id = ''] = InstanceIds as readonly string[] // what RunInstances answers
      await reach(id, 'RUNNING')
      assert.equal((await seen(id))?.['Description'], "a b+c/d=é*~(x)'!")
      // An absent mode is sent as an empty one by some of these clients.
      assert.deepEqual(
        await accepted('StopInstance', { InstanceId: id, StoppedMode: undefined }),
        {},
      )
      await reach(id, 'STOPPING')
      await reach(id, 'STOPPED')
      assert.equal((await seen(id))?.['StoppedMode'], 'KeepCharging')
      await accepted('StartInstance', { InstanceId: id })
      await reach(id, 'RUNNING')
      await accepted('RebootInstance', { InstanceId: id, ForceStop: true })
      await reach(id, 'REBOOTING')
      await reach(id, 'RUNNING')
      await accepted('StopInstance', {
        InstanceId: id,
        ForceStop: true,
        StoppedMode: 'StopCharging',
      })
      await reach(id, 'STOPPED')
      assert.equal((await seen(id))?.['StoppedMode'], 'StopCharging')
      const unknown = 'i-00000000000000000000'
      const { OperationDetails } = await accepted('StartInstances', {
        'InstanceIds.1': id,
        'InstanceIds.2': unknown,
      })
      assert.deepEqual(OperationDetails, [
        { InstanceId: id },
        {
          InstanceId: unknown,
          Error: {
            Code: 'InvalidInstance.NotFound',
            Message: 'The specified instance does not exist.',
          },
        },
      ])
      await reach(id, 'RUNNING')
      await accepted('DeleteInstance', { InstanceId: id })
      await reach(id, 'none')
    })

    test('a dry run tells what would come of it, and a token gives the first answer again', async () => {
      const id = await b.server()
      const dry = await send('StopInstance', { InstanceId: id, DryRun: true, ClientToken: 'dry' })
      assert.equal(dry.code, 'DryRunOperation')
      assert.equal((await seen(id))?.['Status'], 'RUNNING')
      const asked = { InstanceId: id, ClientToken: randomUUID() }
      await accepted('StopInstance', asked)
      await reach(id, 'STOPPED')
      await accepted('StartInstance', { InstanceId: id })
      await reach(id, 'RUNNING')
      assert.deepEqual(await accepted('StopInstance', asked), {})
      assert.equal((await seen(id))?.['Status'], 'RUNNING', 'an answer again is no stop again')
      const other = await send('StopInstance', { ...asked, ForceStop: true })
      assert.equal(other.code, 'IdempotentParameterMismatch')
    })

    test('filters, all at once, and pages until there is no token', async () => {
      const labels = { run: randomUUID() }
      const ids = [
        await b.server({ labels }),
        await b.server({ labels }),
        await b.server({ labels }),
      ]
      const found: unknown[] = []
      for (let NextToken: unknown; NextToken !== ''; ) {
        const page = await accepted('DescribeInstances', {
          'TagFilters.1.Key': 'run',
          'TagFilters.1.Values.1': labels.run,
          Status: 'RUNNING',
          ZoneId: 'cn-beijing-a',
          'InstanceTypeIds.1': 'ecs.g3i.large',
          MaxResults: 2,
          NextToken,
        })
        assert.equal(page['TotalCount'], ids.length)
        found.push(...(page['Instances'] as { InstanceId: string }[]).map((one) => one.InstanceId)) // what DescribeInstances answers
        NextToken = page['NextToken']
      }
      assert.deepEqual(found, ids.toReversed())
    })

    for (const { status, code, message, how, prepare } of stopFaults) {
      test(`StopInstance, ${how}: ${code}`, async () => {
        const { params, around = (ask) => ask() } = await prepare(b, gated)
        const reply = await around(() => send('StopInstance', params))
        assert.deepEqual([reply.code, reply.message], [code, message])
        assert.equal(reply.status ?? status, status)
      })
    }

    test('a wrong secret, an unknown action and an unknown key are told apart', async () => {
      const wrong = { ...w, credentials: { ...w.credentials, VOLCENGINE_SECRET_KEY: 'wrong' } }
      assert.equal((await open(wrong)('DescribeInstances')).code, 'SignatureDoesNotMatch')
      const nobody = {
        ...w,
        credentials: { ...w.credentials, VOLCENGINE_ACCESS_KEY: 'AKLTNOBODY' },
      }
      assert.equal((await open(nobody)('DescribeInstances')).code, 'InvalidAccessKey')
      assert.equal((await send('StopEverything')).code, 'InvalidActionOrVersion')
    })
  })
}

suite('lists, as each client writes them', () => {
  let w: World
  let b: Bench
  before(async () => {
    w = await world()
    b = await bench(w)
  })
  after(() => w.close())

  for (const [name, send] of [
    ['@volcengine/openapi repeats the bare name', (world: World) => openapi(world, 'GET')],
    ['@volcengine/openapi sends a JSON array', (world: World) => openapi(world, 'JSON')],
    ['@volcengine/sdk-core numbers them', sdkCore],
  ] as const) {
    test(name, async () => {
      const InstanceIds = [await b.server(), await b.server()]
      const reply = await send(w)('StopInstances', { InstanceIds, ForceStop: true })
      const { OperationDetails = [] } = reply.result ?? {}
      const details = OperationDetails as readonly { InstanceId: string; Error?: object }[] // what a batch answers
      assert(details.every((one) => one.Error === undefined))
      // This client sorts what it repeats, so only the set is what was asked for.
      assert.deepEqual(new Set(details.map((one) => one.InstanceId)), new Set(InstanceIds))
    })
  }
})
