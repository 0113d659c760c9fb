// What an account and a request's own words allow of services on nodes.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { admin, Board, code, flavor, member, settled } from '#test/harness/board.ts'
import { projectId } from '../ids.ts'
import type { Project } from '../project.ts'
import type { DeployService, Request } from '../request.ts'
import type { Result } from '../errors.ts'

const project: Project = {
  id: projectId('p1'),
  name: 'p1',
  domainId: 'default',
  enabled: true,
  description: '',
  frozen: false,
  lacksBalance: false,
  releasesByDefault: false,
  deniedFlavors: [],
}
const deploy = (change: Partial<DeployService> = {}): DeployService => ({
  verb: 'deploy',
  name: 'one',
  nodes: ['n1'],
  onNodes: true,
  flavorId: 'small',
  imageId: 'sim',
  ...change,
})
const because = (result: Result<unknown>): string | undefined =>
  result.ok || result.error.code !== 'Unusable' ? code(result) : result.error.because

describe('quotas', () => {
  const board = (quotas: Project['quotas']): Board => {
    const made = new Board()
    made.put('projects', { ...project, ...(quotas ? { quotas } : {}) })
    return made
  }
  const quotaOf = (result: Result<unknown>): string | undefined =>
    !result.ok && result.error.code === 'QuotaExceeded' ? result.error.quota : code(result)

  it('count what one user has, and what is gone no longer', () => {
    const own = board({ services: 1 })
    settled(own)
    assert.equal(quotaOf(own.ask(deploy())), 'services')
    assert.equal(quotaOf(own.ask(deploy(), { as: admin })), undefined)
    const id = own.all('services')[0]?.id ?? ''
    own.must({ verb: 'remove-services', services: [id] })
    for (const one of own.all('instances')) if (one.serviceId === id) own.settle(one.id)
    assert.equal(quotaOf(own.ask(deploy({ name: 'two' }))), undefined)
  })

  it('of nodes and instances hold a new configuration too; of running services a start', () => {
    const own = board({ nodes: 2, serviceInstances: 2, runningServices: 1 })
    settled(own)
    const service = own.all('services')[0]?.id ?? ''
    own.put('nodes', { id: 'n3', name: 'n3', state: 'ready', attributes: {} })
    const again = { verb: 'redeploy', service, flavorId: 'small', imageId: 'sim' } as const
    assert.equal(quotaOf(own.ask({ ...again, nodes: ['n1', 'n2', 'n3'] })), 'serviceInstances')
    assert.equal(quotaOf(own.ask(deploy())), 'runningServices')
    own.must({ verb: 'stop-service', service })
    for (const one of own.all('instances')) own.settle(one.id)
    own.put('projects', { ...project, quotas: { runningServices: 0 } })
    assert.equal(quotaOf(own.ask({ verb: 'start-service', service })), 'runningServices')
    own.put('projects', { ...project, quotas: { nodes: 2 } })
    assert.equal(quotaOf(own.ask(deploy({ nodes: ['n3'] }))), 'nodes')
    assert.equal(quotaOf(own.ask(deploy({ nodes: ['n2'] }))), undefined)
  })
})

describe('workspaces', () => {
  it('one that is not there, is out of order, or forbids it, holds everything in it', () => {
    const board = new Board()
    const workspaces = (change: object) =>
      board.put('projects', {
        ...project,
        workspaces: [
          { id: 'w', name: 'w', isAbnormal: false, denies: [], instancesMax: null, ...change },
        ],
      })
    workspaces({})
    assert.equal(code(board.ask(deploy({ workspace: 'x' }))), 'NotFound')
    board.must(deploy({ workspace: 'w' }))
    for (const one of board.all('instances')) board.settle(one.id)
    const service = board.all('services')[0]?.id ?? ''
    const [instance] = board.all('instances')
    const stops: readonly Request[] = [
      { verb: 'stop-service', service },
      { verb: 'stop', target: { kind: 'any', id: instance?.id ?? '' }, rung: 'soft' },
      { verb: 'stop', target: { kind: 'edge-instance', service, node: 'n1' }, rung: 'soft' },
      { verb: 'remove-services', services: [service] },
    ]
    workspaces({ isAbnormal: true })
    for (const stop of stops) assert.equal(because(board.ask(stop)), 'abnormal')
    workspaces({ denies: ['stop', 'stop-service', 'remove-services'] })
    for (const stop of stops) assert.equal(because(board.ask(stop)), 'denied')
    assert.equal(because(board.ask(deploy({ name: 'two', workspace: 'w' }))), undefined)
  })

  it('one that is no more holds nothing that is in it', () => {
    const board = new Board()
    const workspace = { id: 'w', name: 'w', isAbnormal: false, denies: [], instancesMax: null }
    board.put('projects', { ...project, workspaces: [workspace] })
    board.must(deploy({ workspace: 'w' }))
    for (const one of board.all('instances')) board.settle(one.id)
    board.put('projects', { ...project, workspaces: [] })
    board.must({ verb: 'stop-service', service: board.all('services')[0]?.id ?? '' })
  })
})

describe('what a service must be let alone for', () => {
  it('shared: it takes no change but to be shared no longer; needed: it is not removed', () => {
    const board = new Board()
    const id = settled(board)
    const service = board.all('services')[0]?.id ?? ''
    const say = { verb: 'update-service', service, kind: 'inference' } as const
    board.must({ ...say, shared: true })
    const rest = { flavorId: 'small', imageId: 'sim', nodes: ['n1'] }
    for (const change of [
      { ...say, description: 'x' },
      { verb: 'stop-service', service },
      { verb: 'redeploy', service, ...rest },
      { verb: 'stop', target: { kind: 'any', id }, rung: 'soft' },
    ] as const)
      assert.equal(because(board.ask(change)), 'shared')
    board.must({ ...say, shared: false, usedBy: 'brain' })
    assert.equal(because(board.ask({ verb: 'remove-services', services: [service] })), 'associated')
    board.must({ ...say, usedBy: null })
    assert.equal(because(board.ask({ verb: 'remove-services', services: [service] })), undefined)
  })
})

describe('what a node must have', () => {
  const row = { name: 'n1', state: 'ready', attributes: {} } as const
  const image = { name: 'i', kinds: ['edge-instance'], launch: {}, attributes: {} } as const

  it('an accelerator that the request or the flavor needs', () => {
    const board = new Board([flavor(), flavor({ id: 'gpu', hardware: 'GPU' })])
    board.put('images', { ...image, id: 'cuda', hardware: 'GPU' })
    const gpu = deploy({ flavorId: 'gpu', imageId: 'cuda' })
    const npu = deploy({ needs: { gpus: 0, npus: 1 } })
    assert.deepEqual([because(board.ask(gpu)), because(board.ask(npu))], ['no-gpu', 'no-npu'])
    board.put('nodes', { ...row, id: 'n1', accelerators: ['GPU', 'ASCEND'] })
    assert.equal(because(board.ask(gpu)), undefined)
    assert.equal(because(board.ask({ ...npu, name: 'two' })), undefined)
  })

  it('the port that the image needs, unless it is the service\u2019s own; and a finished image', () => {
    const board = new Board()
    board.put('images', { ...image, id: 'web', hardware: 'CPU', hostPort: 80 })
    board.put('images', { ...image, id: 'new', hardware: 'CPU', publishing: true })
    assert.equal(because(board.ask(deploy({ imageId: 'new' }))), 'publishing')
    board.must(deploy({ imageId: 'web' }))
    for (const one of board.all('instances')) board.settle(one.id)
    const other = deploy({ name: 'two', imageId: 'web' })
    assert.equal(because(board.ask(other)), 'port-taken')
    assert.equal(because(board.ask({ ...other, nodes: ['n2'] })), undefined)
    const service = board.all('services')[0]?.id ?? ''
    const again = { verb: 'redeploy', service, flavorId: 'small', imageId: 'web' } as const
    assert.equal(because(board.ask({ ...again, nodes: ['n1'] }, { as: member })), undefined)
  })
})
