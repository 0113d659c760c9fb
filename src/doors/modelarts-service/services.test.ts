// E2 to E7 and E10 through real sockets: deploy, list, show, update, delete, events, specifications.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at, listAt, type Reply } from '#test/harness/api.ts'
import { type EdgeWorld, edgeWorld } from '#test/harness/edge-world.ts'
import { until } from '#test/harness/world.ts'

let edge: EdgeWorld
before(async () => {
  edge = await edgeWorld()
})
after(() => edge.close())

const codeOf = (reply: Reply) => `${reply.status} ${String(at(reply.body, 'error_code'))}`
const services = '/v1/{p}/services'
const entry = { model_id: 'sim', specification: 'sim.fast', nodes: ['edge-1'] }
const body = { service_name: 'any', infer_type: 'edge', config: [entry] }

suite('E2, deploy', () => {
  test('it is deploying at once, then runs on every node, and E4 shows it all', async () => {
    const envs = { MODELARTS_SSL_ENABLED: 'false' }
    const custom = { cpu: 1.5, memory: 3072, gpu_p4: 0, ascend_a310: 1 }
    await edge.direct({ verb: 'put', table: 'flavors', row: await customOf(edge) })
    const made = await edge.bob.call('POST', services, {
      ...body,
      service_name: 'line7-检测',
      description: 'defect detection, line 7',
      workspace_id: '0',
      additional_properties: { smn_notification: { topic_urn: 't', events: [1] } },
      config: [
        {
          ...entry,
          specification: 'custom',
          custom_spec: custom,
          envs,
          nodes: ['edge-2', 'edge-1'],
        },
      ],
    })
    assert.equal(made.status, 200)
    const id = String(at(made.body, 'service_id'))
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.match(String(at(made.body, 'resource_ids', 0)), /^INF-[0-9a-f]{16}@\d{13}$/)
    const first = (await edge.show(id)).body
    assert.equal(at(first, 'status'), 'deploying')
    assert.equal(at(first, 'config', 0, 'nodes', 0, 'instance_status'), 'notReady')
    const { body: shown } = await edge.becomes(id, 'running')
    assert.equal(at(shown, 'service_name'), 'line7-检测')
    assert.equal(at(shown, 'description'), 'defect detection, line 7')
    assert.equal(at(shown, 'project'), edge.bob.project)
    assert.equal(at(shown, 'infer_type'), 'edge')
    assert.equal(at(shown, 'progress'), 100)
    assert.equal(at(shown, 'is_free'), false)
    assert.equal(at(shown, 'error_msg'), undefined)
    assert.deepEqual(at(shown, 'additional_properties'), {
      smn_notification: { topic_urn: 't', events: [1] },
    })
    const config = at(shown, 'config', 0)
    assert.equal(at(config, 'model_id'), 'sim')
    assert.equal(at(config, 'model_name'), 'Simulated machine')
    assert.equal(at(config, 'specification'), 'custom')
    assert.deepEqual(at(config, 'custom_spec'), custom)
    assert.deepEqual(at(config, 'envs'), envs)
    // In the order in which they were named.
    assert.deepEqual(
      [at(config, 'nodes', 0, 'id'), at(config, 'nodes', 1, 'id')],
      ['edge-2', 'edge-1'],
    )
    const node = at(config, 'nodes', 1)
    assert.equal(at(node, 'state'), 'RUNNING')
    assert.equal(at(node, 'host_name'), 'edge-host-1')
    assert.equal(at(node, 'cpu'), 4)
    assert.equal(at(node, 'memory'), 8192)
    assert.equal(at(node, 'enable_gpu'), false)
    assert.deepEqual(at(node, 'host_ips'), ['127.0.0.1'])
    assert.equal(at(node, 'message'), undefined)
    assert.match(String(at(node, 'predict_url')), /^http:\/\//)
    assert.match(String(at(node, 'created_at')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
    assert.ok(Number(at(node, 'deployment_num')) >= 1)
  })

  const long = 'x'.repeat(101)
  const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const deep = JSON.stringify({ ...body, more: 0 }).replace('"more":0', `"more":${nested}`)
  const refusals: readonly (readonly [string, object | string, string])[] = [
    ['no JSON', '{', '400 ModelArts.4105'],
    ['nested beyond all sense', deep, '400 ModelArts.4105'],
    ['no name', { ...body, service_name: undefined }, '400 ModelArts.3610'],
    ['a name that is null', { ...body, service_name: null }, '400 ModelArts.3610'],
    ['nodes that are null', withEntry({ nodes: null }), '400 ModelArts.3610'],
    ['a node that is null', withEntry({ nodes: [null] }), '400 ModelArts.3037'],
    ['an empty name', { ...body, service_name: '' }, '400 ModelArts.3610'],
    ['a name of 65', { ...body, service_name: 'x'.repeat(65) }, '400 ModelArts.3037'],
    ['a name with a blank', { ...body, service_name: 'a b' }, '400 ModelArts.3037'],
    ['a name that is a number', { ...body, service_name: 7 }, '400 ModelArts.3037'],
    ['no type', { ...body, infer_type: undefined }, '400 ModelArts.3610'],
    ['another type', { ...body, infer_type: 'cloud' }, '400 ModelArts.3037'],
    ['a long description', { ...body, description: long }, '400 ModelArts.3037'],
    ['a description with <', { ...body, description: '<b>' }, '400 ModelArts.3037'],
    ['another workspace', { ...body, workspace_id: 'w-1' }, '400 ModelArts.7005'],
    ['no config', { ...body, config: undefined }, '400 ModelArts.3610'],
    ['an empty config', { ...body, config: [] }, '400 ModelArts.3610'],
    ['two configs', { ...body, config: [entry, entry] }, '400 ModelArts.3037'],
    ['a config that is no list', { ...body, config: {} }, '400 ModelArts.3037'],
    ['no model', withEntry({ model_id: undefined }), '400 ModelArts.3610'],
    ['an unknown model', withEntry({ model_id: 'none' }), '404 ModelArts.3507'],
    [
      'a model that is not for the edge',
      withEntry({ model_id: 'server-only' }),
      '400 ModelArts.3589',
    ],
    ['no specification', withEntry({ specification: undefined }), '400 ModelArts.3610'],
    ['an unknown specification', withEntry({ specification: 'huge' }), '400 ModelArts.3037'],
    [
      'the inner name of custom',
      withEntry({ specification: 'modelarts.vm.custom' }),
      '400 ModelArts.3037',
    ],
    ['custom without its sizes', withEntry({ specification: 'custom' }), '400 ModelArts.3610'],
    ['custom without memory', withCustom({ cpu: 1 }), '400 ModelArts.3610'],
    ['custom with too little', withCustom({ cpu: 0.001, memory: 1 }), '400 ModelArts.3037'],
    [
      'custom with both kinds of accelerator',
      withCustom({ cpu: 1, memory: 1, gpu_p4: 1, ascend_a310: 1 }),
      '400 ModelArts.3037',
    ],
    ['no nodes', withEntry({ nodes: undefined }), '400 ModelArts.3610'],
    ['an empty list of nodes', withEntry({ nodes: [] }), '400 ModelArts.3610'],
    ['nodes that are numbers', withEntry({ nodes: [1] }), '400 ModelArts.3037'],
    ['a node twice', withEntry({ nodes: ['edge-1', 'edge-1'] }), '400 ModelArts.3037'],
    ['an unknown node', withEntry({ nodes: ['edge-9'] }), '404 ModelArts.0015'],
    ['a node out of contact', withEntry({ nodes: ['edge-3'] }), '400 ModelArts.3598'],
    ['an edge pool', { ...body, cluster_id: 'c-1' }, '400 ModelArts.3547'],
    ['an edge pool inside', withEntry({ cluster_id: 'c-1' }), '400 ModelArts.3547'],
    ['envs that are numbers', withEntry({ envs: { A: 1 } }), '400 ModelArts.3037'],
    ['envs of another name', withEntry({ envs: { 'A B': 'x' } }), '400 ModelArts.3037'],
  ]
  for (const [name, sent, code] of refusals) {
    test(`${name} is ${code}, and nothing is made`, async () => {
      const before = await edge.w.plane.read.count('services', {})
      assert.equal(codeOf(await edge.bob.call('POST', services, sent)), code)
      assert.equal(await edge.w.plane.read.count('services', {}), before)
    })
  }

  test('a name is unique within its project, and free again once its service is gone', async () => {
    const id = await edge.deploy('unique')
    assert.equal(
      codeOf(await edge.bob.call('POST', services, { ...body, service_name: 'unique' })),
      '409 ModelArts.3503',
    )
    const elsewhere = await edge.stranger.call('POST', services, {
      ...body,
      service_name: 'unique',
    })
    assert.equal(elsewhere.status, 200)
    await edge.bob.call('DELETE', `${services}/${id}`)
    await until(
      () => edge.show(id),
      (reply) => reply.status === 404,
    )
    await edge.deploy('unique')
  })

  test('a service that is not for nodes is kept, shown, and needs a known model', async () => {
    const config = [{ model_id: 'sim', specification: 'x', weight: 100, instance_count: 1 }]
    const online = { service_name: 'online', infer_type: 'real-time', config }
    const made = await edge.bob.call('POST', services, online)
    const shown = (await edge.show(String(at(made.body, 'service_id')))).body
    assert.equal(at(shown, 'infer_type'), 'real-time')
    assert.equal(at(shown, 'config', 0, 'weight'), 100)
    assert.equal(at(shown, 'config', 0, 'nodes'), undefined)
    const unknown = {
      ...online,
      service_name: 'other',
      config: [{ ...config[0], model_id: 'none' }],
    }
    assert.equal(codeOf(await edge.bob.call('POST', services, unknown)), '404 ModelArts.3507')
  })
})

suite('E3, list', () => {
  test('filters, order and pages go by record', async () => {
    for (const name of ['list-a', 'list-b', 'list-c'])
      await edge.deploy(name, { nodes: ['edge-1'] })
    const list = async (query: string) => (await edge.bob.call('GET', `${services}?${query}`)).body
    const names = async (query: string) =>
      listAt(await list(query), 'services').map((one) => at(one, 'service_name'))
    const all = await names('sort_by=service_name&order=asc')
    assert.deepEqual(
      all.filter((one) => String(one).startsWith('list-')),
      ['list-a', 'list-b', 'list-c'],
    )
    const first = all.indexOf('list-a')
    const page = await list(`sort_by=service_name&order=asc&offset=${first + 1}&limit=1`)
    assert.equal(at(page, 'total_count'), all.length)
    assert.equal(at(page, 'count'), 1)
    assert.equal(at(page, 'services', 0, 'service_name'), 'list-b')
    assert.deepEqual(await names('offset=9999'), [])
    assert.deepEqual(await names('service_name=list-b'), ['list-b'])
    const id = String(at(await list('service_name=list-c'), 'services', 0, 'service_id'))
    assert.deepEqual(await names(`service_id=${id}`), ['list-c'])
    assert.deepEqual(await names('infer_type=batch'), [])
    assert.ok((await names('infer_type=edge&model_id=sim&status=running')).includes('list-a'))
    assert.deepEqual(await names('status=finished'), [])
    assert.deepEqual(await names('model_id=none'), [])
    assert.deepEqual(await names('workspace_id=w-1'), [])
    assert.deepEqual(await names('cluster_id=c-1'), [])
    assert.equal((await names('order=desc&limit=1'))[0], 'list-c')
    const foreign = await edge.stranger.call('GET', `${services}?service_id=${id}`)
    assert.equal(at(foreign.body, 'total_count'), 0)
  })

  test('a service that another door deployed is found by its model, and is as free as it is', async () => {
    const fast = await edge.w.plane.read.get('flavors', 'sim.fast')
    assert.ok(fast)
    await edge.direct({
      verb: 'put',
      table: 'flavors',
      row: { ...fast, id: 'gift', charge: 'free' },
    })
    await edge.direct({
      verb: 'deploy',
      name: 'list-native',
      nodes: ['edge-1'],
      onNodes: true,
      flavorId: 'gift',
      imageId: 'sim',
    })
    const list = async (query: string) =>
      (await edge.admin.call('GET', `${services}?${query}`)).body
    const query = 'service_name=list-native'
    await until(
      () => list(query),
      (body) => at(body, 'services', 0, 'status') === 'running',
    )
    assert.equal(at(await list(query), 'services', 0, 'is_free'), true)
    assert.equal(at(await list(`${query}&model_id=sim`), 'total_count'), 1)
    assert.equal(at(await list(`${query}&model_id=server-only`), 'total_count'), 0)
  })

  for (const query of [
    'status=up',
    'infer_type=cloud',
    'limit=0',
    'limit=x',
    'offset=-1',
    'sort_by=size',
    'order=up',
  ])
    test(`${query} is refused`, async () => {
      assert.equal(codeOf(await edge.bob.call('GET', `${services}?${query}`)), '400 ModelArts.3037')
    })
})

suite('E5, the whole service', () => {
  test('stopped and running again, seen on every node; what is so already is refused', async () => {
    const id = await edge.deploy('whole')
    const path = `${services}/${id}`
    assert.equal((await edge.bob.call('PUT', path, { status: 'stopped' })).text, '{}')
    const { body: stopped } = await edge.becomes(id, 'stopped')
    assert.equal(at(stopped, 'config', 0, 'nodes', 0, 'instance_status'), 'stopped')
    assert.equal(at(stopped, 'config', 0, 'nodes', 1, 'instance_status'), 'stopped')
    assert.equal(
      codeOf(await edge.bob.call('PUT', path, { status: 'stopped' })),
      '400 ModelArts.3519',
    )
    const publishedAt = Number(at(stopped, 'publish_at'))
    assert.equal((await edge.bob.call('PUT', path, { status: 'running' })).status, 200)
    const { body: running } = await edge.becomes(id, 'running')
    assert.ok(Number(at(running, 'publish_at')) > publishedAt)
    assert.equal(at(running, 'update_time'), at(stopped, 'update_time'))
    assert.ok(Number(at(running, 'transition_at')) > Number(at(stopped, 'transition_at')))
  })

  test('what is null is as if it had not been sent, here and in a deploy', async () => {
    const sent = {
      description: null,
      schedule: null,
      additional_properties: null,
      cluster_id: null,
    }
    const config = [{ ...entry, envs: null, custom_spec: null, cluster_id: null }]
    const made = await edge.bob.call('POST', services, {
      ...body,
      ...sent,
      config,
      service_name: 'nulls',
    })
    const id = String(at(made.body, 'service_id'))
    assert.deepEqual(at((await edge.becomes(id, 'running')).body, 'config', 0, 'envs'), {})
    const update = { status: null, config: null, description: 'new' }
    assert.equal((await edge.bob.call('PUT', `${services}/${id}`, update)).text, '{}')
    assert.equal(at((await edge.show(id)).body, 'description'), 'new')
    const told = await edge.reader.call('PUT', `${services}/${id}`, update)
    assert.match(told.text, /modelarts:service:update/)
  })

  test('stopped on each node is stopped as a whole', async () => {
    const id = await edge.deploy('by-node')
    for (const node of ['edge-1', 'edge-2'])
      await edge.bob.call('PUT', `${services}/${id}/nodes/${node}/status`, { status: 'stopped' })
    await edge.becomes(id, 'stopped')
  })

  test('a description changes by itself, and is left alone beside a status', async () => {
    const id = await edge.deploy('described')
    const path = `${services}/${id}`
    assert.equal((await edge.bob.call('PUT', path, { description: 'new' })).text, '{}')
    assert.equal(at((await edge.show(id)).body, 'description'), 'new')
    await edge.bob.call('PUT', path, { status: 'stopped', description: 'ignored', config: [] })
    assert.equal(at((await edge.becomes(id, 'stopped')).body, 'description'), 'new')
  })

  test('wrong bodies, unknown services and other owners are refused', async () => {
    const id = await edge.deploy('wrong-update')
    const put = (sent: unknown, path = `${services}/${id}`) => edge.bob.call('PUT', path, sent)
    assert.equal(codeOf(await put('nope')), '400 ModelArts.4105')
    assert.equal(codeOf(await put({ status: 'deleting' })), '400 ModelArts.3037')
    assert.equal(codeOf(await put({ status: 1 })), '400 ModelArts.3037')
    assert.equal(codeOf(await put({ description: '&' })), '400 ModelArts.3037')
    assert.equal(codeOf(await put({ config: [] })), '400 ModelArts.3610')
    assert.equal(codeOf(await put({ config: [entry, entry] })), '400 ModelArts.3037')
    assert.equal(codeOf(await put({ config: [{ ...entry, nodes: [] }] })), '400 ModelArts.3610')
    const of = { ...entry, model_id: 'none' }
    assert.equal(codeOf(await put({ config: [of] })), '404 ModelArts.3507')
    assert.equal(codeOf(await put({ config: [entry] }, `${services}/none`)), '404 ModelArts.3502')
    assert.equal(codeOf(await put({ status: 'stopped' }, `${services}/none`)), '404 ModelArts.3502')
    const other = await edge.mia.call('PUT', `${services}/${id}`, { status: 'stopped' })
    assert.equal(codeOf(other), '400 ModelArts.3540')
    assert.match(String(at(other.body, 'error_msg')), /service wrong-update\.$/)
    assert.equal(at((await edge.show(id)).body, 'status'), 'running')
  })
})

suite('E6, delete', () => {
  test('one or several, all or none; in the end it is 404', async () => {
    const one = await edge.deploy('gone-1')
    const two = await edge.deploy('gone-2')
    assert.equal(
      codeOf(await edge.bob.call('DELETE', `${services}/${one},none`)),
      '404 ModelArts.3502',
    )
    assert.equal(codeOf(await edge.mia.call('DELETE', `${services}/${one}`)), '400 ModelArts.3540')
    assert.equal(at((await edge.show(one)).body, 'status'), 'running')
    assert.equal((await edge.bob.call('DELETE', `${services}/${one},${two}`)).text, '{}')
    for (const id of [one, two])
      await until(
        () => edge.show(id),
        (reply) => codeOf(reply) === '404 ModelArts.3502',
      )
    assert.equal(codeOf(await edge.bob.call('DELETE', `${services}/${one}`)), '404 ModelArts.3502')
  })

  test('one that a node fails says so, and is not deleting for ever: it can be asked again', async () => {
    const id = await edge.deploy('stays')
    await edge.scenario(id, 'edge-1', { refuse: ['remove'] })
    assert.equal((await edge.bob.call('DELETE', `${services}/${id}`)).text, '{}')
    const left = await edge.becomes(id, 'failed')
    assert.match(String(at(left.body, 'error_msg')), /remove/)
    assert.equal(listAt(left.body, 'config', 0, 'nodes').length, 1)
    await edge.scenario(id, 'edge-1', {})
    assert.equal((await edge.bob.call('DELETE', `${services}/${id}`)).text, '{}')
    await until(
      () => edge.show(id),
      (reply) => codeOf(reply) === '404 ModelArts.3502',
    )
  })
})

suite('E7, events', () => {
  test('one line per step of the service and of each node', async () => {
    const id = await edge.deploy('told', { nodes: ['edge-1'] })
    await edge.bob.call('PUT', `${services}/${id}/nodes/edge-1/status`, { status: 'stopped' })
    await edge.becomes(id, 'stopped')
    const ask = async (query: string) =>
      (await edge.bob.call('GET', `${services}/${id}/events?${query}`)).body
    const lines = (reply: unknown) => listAt(reply, 'events').map((one) => at(one, 'event_info'))
    const all = await ask('order=asc')
    assert.equal(at(all, 'service_name'), 'told')
    assert.equal(lines(all)[0], 'start to deploy service')
    assert.ok(lines(all).includes('stop instance on node [edge-1]'))
    assert.ok(lines(all).includes('instance is stopped on node [edge-1]'))
    assert.equal(at(all, 'total_count'), lines(all).length)
    assert.deepEqual(lines(await ask('')), lines(all).toReversed())
    assert.deepEqual(lines(await ask('order=asc&offset=1&limit=1')), lines(all).slice(1, 2))
    assert.deepEqual(lines(await ask('event_type=abnormal')), [])
    assert.deepEqual(lines(await ask('end_time=1')), [])
    assert.equal(
      codeOf(await edge.bob.call('GET', `${services}/${id}/events?event_type=bad`)),
      '400 ModelArts.3037',
    )
    assert.equal(
      codeOf(await edge.bob.call('GET', `${services}/none/events`)),
      '404 ModelArts.3502',
    )
  })

  test('a failure is told as abnormal, with its reason', async () => {
    const id = await edge.deploy('told-badly', {
      nodes: ['edge-1'],
      specification: 'sim.broken',
      until: 'failed',
    })
    const reply = await edge.bob.call('GET', `${services}/${id}/events?event_type=abnormal`)
    assert.match(reply.text, /instance failed on node \[edge-1\]: /)
  })
})

suite('E10, specifications', () => {
  test('flavors for the edge, by the names that a deploy takes', async () => {
    await edge.direct({ verb: 'put', table: 'flavors', row: await customOf(edge) })
    const reply = await edge.bob.call('GET', `${services}/specifications?infer_type=edge`)
    const names = listAt(reply.body, 'specifications').map((one) => at(one, 'specification'))
    assert.ok(names.includes('sim.fast') && names.includes('custom'))
    assert.ok(!names.includes('modelarts.vm.custom'))
    const other = await edge.bob.call('GET', `${services}/specifications`)
    assert.deepEqual(other.body, { specifications: [] })
  })
})

/** The built-in one runs processes; here it is simulated. */
async function customOf(world: EdgeWorld) {
  const fast = await world.w.plane.read.get('flavors', 'sim.fast')
  assert.ok(fast)
  return { ...fast, id: 'modelarts.vm.custom', name: 'modelarts.vm.custom' }
}

function withEntry(change: object): object {
  return { ...body, config: [{ ...entry, ...change }] }
}

function withCustom(custom: object): object {
  return withEntry({ specification: 'custom', custom_spec: custom })
}
