// What a service is given and what it makes of it, through real sockets: E5 with a configuration, E8, E9, E11.

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
const entry = { model_id: 'sim', specification: 'sim.fast' }
const give = (id: string, change: object, more: object = {}) =>
  edge.bob.call('PUT', `${services}/${id}`, { config: [{ ...entry, ...change }], ...more })
const logs = async (id: string, query = '') =>
  listAt((await edge.bob.call('GET', `${services}/${id}/logs${query}`)).body, 'logs')
/** Until the newest update has ended. */
const ended = (id: string) =>
  until(
    () => logs(id),
    (all) => at(all[0], 'result') !== 'RUNNING',
  )
const detail = (log: unknown) =>
  listAt(log, 'result_detail').map((one) => [
    at(one, 'node_id'),
    at(one, 'operation'),
    at(one, 'result'),
  ])

suite('E5, another configuration', () => {
  test('is deployed at once on the nodes it names, and the service runs of it', async () => {
    const id = await edge.deploy('again', { nodes: ['edge-1'] })
    const before = (await edge.show(id)).body
    const envs = { MODE: 'new' }
    const reply = await give(
      id,
      { envs, nodes: ['edge-2', { id: 'edge-1' }] },
      { description: 'n' },
    )
    assert.equal(reply.text, '{}')
    const { body: shown } = await edge.becomes(id, 'running')
    const config = at(shown, 'config', 0)
    assert.deepEqual(at(config, 'envs'), envs)
    assert.deepEqual(
      listAt(config, 'nodes').map((one) => [at(one, 'id'), at(one, 'instance_status')]),
      [
        ['edge-2', 'running'],
        ['edge-1', 'running'],
      ],
    )
    assert.equal(at(shown, 'description'), 'n')
    assert.ok(Number(at(shown, 'update_time')) > Number(at(before, 'update_time')))
    assert.equal(at(shown, 'publish_at'), at(shown, 'update_time'))
  })

  test('takes away the node that it no longer names, and what happened there stays told', async () => {
    const id = await edge.deploy('fewer')
    assert.equal((await give(id, { nodes: ['edge-2'] })).status, 200)
    await ended(id)
    const { body: shown } = await edge.becomes(id, 'running')
    assert.deepEqual(
      listAt(shown, 'config', 0, 'nodes').map((one) => at(one, 'id')),
      ['edge-2'],
    )
    const gone = await edge.bob.call('PUT', `${services}/${id}/nodes/edge-1/status`, {
      status: 'stopped',
    })
    assert.equal(codeOf(gone), '404 ModelArts.0015')
    const events = await edge.bob.call('GET', `${services}/${id}/events?order=asc`)
    const lines = listAt(events.body, 'events').map((one) => at(one, 'event_info'))
    for (const line of [
      'deploy instance on node [edge-1]',
      'start to redeploy service',
      'instance is deleted from node [edge-1]',
      'redeploy instance on node [edge-2]',
    ])
      assert.ok(lines.includes(line), line)
  })

  test('is the way out for a node that failed, and from stopped', async () => {
    const id = await edge.deploy('mended', {
      nodes: ['edge-1'],
      specification: 'sim.broken',
      until: 'failed',
    })
    assert.equal((await give(id, { nodes: ['edge-1'] })).status, 200)
    await edge.becomes(id, 'running')
    await edge.bob.call('PUT', `${services}/${id}`, { status: 'stopped' })
    await edge.becomes(id, 'stopped')
    assert.equal((await give(id, { nodes: ['edge-1'] })).status, 200)
    await edge.becomes(id, 'running')
  })

  test('waits while the service is under way as a whole', async () => {
    const id = await edge.deploy('patient', { nodes: ['edge-1'] })
    await edge.scenario(id, 'edge-1', { stopMs: 3_000 })
    assert.equal((await give(id, { nodes: ['edge-1'] })).status, 200)
    assert.equal(at((await edge.show(id)).body, 'status'), 'deploying')
    assert.equal(await edge.nodeStatus(id, 'edge-1'), 'notReady')
    assert.equal(codeOf(await give(id, { nodes: ['edge-1'] })), '400 ModelArts.3519')
    assert.equal((await edge.bob.call('DELETE', `${services}/${id}`)).status, 200)
    assert.equal(codeOf(await give(id, { nodes: ['edge-1'] })), '400 ModelArts.3519')
  })

  test('of a service that does not run on nodes is kept and shown', async () => {
    const body = { service_name: 'kept', infer_type: 'real-time', config: [{ model_id: 'sim' }] }
    const made = await edge.bob.call('POST', services, body)
    const id = String(at(made.body, 'service_id'))
    const config = [
      { model_id: 'sim', weight: 70 },
      { model_id: 'sim', weight: 30 },
    ]
    assert.equal((await edge.bob.call('PUT', `${services}/${id}`, { config })).text, '{}')
    assert.equal(at((await edge.show(id)).body, 'config', 1, 'weight'), 30)
    const all = await logs(id)
    assert.deepEqual(
      all.map((log) => [at(log, 'result'), listAt(log, 'config').length]),
      [
        ['SUCCESS', 2],
        ['SUCCESS', 1],
      ],
    )
  })
})

suite('E8, the update log', () => {
  test('tells each configuration, newest first, and what came of it on each node', async () => {
    const id = await edge.deploy('logged')
    const envs = { MODE: 'new' }
    await give(id, { nodes: ['edge-1'], envs })
    await edge.becomes(id, 'running')
    const all = await ended(id)
    assert.deepEqual(
      all.map((log) => at(log, 'result')),
      ['SUCCESS', 'SUCCESS'],
    )
    assert.deepEqual(
      all.map((log) => [at(log, 'success_num'), at(log, 'failed_num')]),
      [
        [2, 0],
        [2, 0],
      ],
    )
    assert.deepEqual(detail(all[0]), [
      ['edge-1', 'deploy', true],
      ['edge-2', 'delete', true],
    ])
    assert.deepEqual(detail(all[1]), [
      ['edge-1', 'deploy', true],
      ['edge-2', 'deploy', true],
    ])
    assert.deepEqual(at(all[0], 'config', 0, 'envs'), envs)
    assert.equal(at(all[0], 'config', 0, 'model_name'), 'Simulated machine')
    assert.deepEqual(at(all[1], 'config', 0, 'nodes'), ['edge-1', 'edge-2'])
    const shown = (await edge.show(id)).body
    assert.equal(at(all[0], 'update_time'), at(shown, 'update_time'))
    const one = await logs(id, `?update_time=${String(at(all[1], 'update_time'))}`)
    assert.deepEqual(one, [all[1]])
    assert.deepEqual(await logs(id, '?update_time=1'), [])
    const wrong = await edge.bob.call('GET', `${services}/${id}/logs?update_time=x`)
    assert.equal(codeOf(wrong), '400 ModelArts.3037')
    assert.equal(codeOf(await edge.bob.call('GET', `${services}/no/logs`)), '404 ModelArts.3502')
  })

  test('says RUNNING meanwhile, and FAIL with the reason when a node failed', async () => {
    const broken = { specification: 'sim.broken', nodes: ['edge-1'], until: 'failed' }
    const id = await edge.deploy('ill', broken)
    const [log] = await logs(id)
    assert.equal(at(log, 'result'), 'FAIL')
    assert.deepEqual(detail(log), [['edge-1', 'deploy', false]])
    assert.equal(typeof at(log, 'result_detail', 0, 'message'), 'string')
    const slow = await edge.deploy('slow', { nodes: ['edge-1'] })
    await edge.scenario(slow, 'edge-1', { stopMs: 3_000 })
    await give(slow, { nodes: ['edge-1'] })
    const [first, second] = await logs(slow)
    assert.deepEqual([at(first, 'result'), at(second, 'result')], ['RUNNING', 'SUCCESS'])
    assert.deepEqual(detail(first), [])
  })

  test('a service that another door deployed has its log too', async () => {
    const made = await edge.direct({
      verb: 'deploy',
      name: 'elsewhere',
      nodes: ['edge-1'],
      onNodes: true,
      flavorId: 'sim.fast',
      imageId: 'sim',
    })
    const id = made.serviceId ?? ''
    await edge.becomes(id, 'running')
    const [log] = await logs(id)
    assert.deepEqual(
      [at(log, 'result'), at(log, 'config', 0, 'specification'), at(log, 'config', 0, 'nodes')],
      ['SUCCESS', 'sim.fast', ['edge-1']],
    )
  })
})

suite('E9, monitoring', () => {
  test('numbers of each node, zero where nothing runs', async () => {
    const id = await edge.deploy('measured')
    await edge.bob.call('PUT', `${services}/${id}/nodes/edge-2/status`, { status: 'stopped' })
    await edge.settles(id, 'edge-2', 'stopped')
    const ask = async (query = '') =>
      (await edge.bob.call('GET', `${services}/${id}/monitor${query}`)).body
    const all = await ask()
    assert.equal(at(all, 'service_name'), 'measured')
    const common = { cpu_core_total: 1, cpu_memory_total: 1024, gpu_usage: 0, gpu_total: 0 }
    const first = { node_id: 'edge-1', node_name: 'edge-1', ...common }
    assert.deepEqual(listAt(all, 'monitors'), [
      { ...first, cpu_core_usage: 0.25, cpu_memory_usage: 128 },
      { ...first, node_id: 'edge-2', node_name: 'edge-2', cpu_core_usage: 0, cpu_memory_usage: 0 },
    ])
    assert.deepEqual(
      listAt(await ask('?node_id=edge-2'), 'monitors').map((one) => at(one, 'node_id')),
      ['edge-2'],
    )
    const none = await edge.bob.call('GET', `${services}/${id}/monitor?node_id=edge-3`)
    assert.equal(codeOf(none), '404 ModelArts.0015')
    assert.equal(codeOf(await edge.bob.call('GET', `${services}/no/monitor`)), '404 ModelArts.3502')
  })
})

suite('workspaces and labels', () => {
  test('a service is in the one it was deployed in, and E3 shows one at a time', async () => {
    const project = await edge.w.plane.read.get('projects', edge.bob.project)
    assert.ok(project)
    const workspaces = [
      { id: 'w-1', name: 'line', isAbnormal: false, denies: [], instancesMax: null },
    ]
    await edge.direct({ verb: 'put', table: 'projects', row: { ...project, workspaces } })
    const config = [{ ...entry, nodes: ['edge-1'] }]
    const body = { service_name: 'inside', infer_type: 'edge', workspace_id: 'w-1', config }
    const made = await edge.bob.call('POST', services, body)
    const id = String(at(made.body, 'service_id'))
    assert.equal(at((await edge.becomes(id, 'running')).body, 'workspace_id'), 'w-1')
    const names = async (query: string) =>
      listAt((await edge.bob.call('GET', `${services}?${query}`)).body, 'services').map((one) =>
        at(one, 'service_name'),
      )
    assert.deepEqual(await names('workspace_id=w-1'), ['inside'])
    assert.ok(!(await names('')).includes('inside'))
    const labelled = { verb: 'update-service', service: id, labels: { line: '7' } } as const
    await edge.direct(labelled)
    assert.deepEqual(await names('workspace_id=w-1&tags=line'), ['inside'])
    assert.deepEqual(await names('workspace_id=w-1&tags=line%3D7,line'), ['inside'])
    assert.deepEqual(await names('workspace_id=w-1&tags=line%3D8'), [])
  })
})

suite('E11, clusters', () => {
  test('there are none, and a query is held to what there may be', async () => {
    const list = (query: string) => edge.bob.call('GET', `/v1/{p}/clusters${query}`)
    const none = { total_count: 0, count: 0, clusters: [] }
    assert.deepEqual((await list('?status=running&sort_by=created_at&order=asc')).body, none)
    assert.equal(codeOf(await list('?status=asleep')), '400 ModelArts.3037')
    assert.equal(codeOf(await list('?sort_by=size')), '400 ModelArts.3037')
    assert.equal(codeOf(await list('?limit=-1')), '400 ModelArts.3037')
  })
})
