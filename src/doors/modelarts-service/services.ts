// The calls of this door, each from its decoded body to its answer. What is allowed when is the kernel's.
// Source: edge inference contract, sections 1.2 to 1.7 and 1.11.

import { type Flavor, type Image, type Node } from '#kernel/catalogue.ts'
import { err, type KernelError, ok, type Result } from '#kernel/errors.ts'
import { type Instance } from '#kernel/instance.ts'
import { isA } from '#kernel/lifecycle.ts'
import { lifecycles } from '#kernel/kinds.ts'
import { type DeployService } from '#kernel/request.ts'
import { type Service, serviceStates, type ServiceState } from '#kernel/service.ts'
import { offsetPage, walk } from '../shared/offset-page.ts'
import { type Asked, change, seeService } from '../shared/project-route.ts'
import { type Fault } from '../shared/three-keys.ts'
import { decodeDeploy, decodeNodeStatus, decodeUpdate } from './decode.ts'
import { type Asks, faultOf, notForEdge } from './faults.ts'
import { decodeServiceQuery, type ServiceQuery } from './query.ts'
import { serviceStatus } from './states.ts'
import {
  encodeDeployed,
  encodeDetail,
  encodeService,
  encodeSpecification,
  flavorIdOf,
  inferTypeOf,
  modelsOf,
  nodeOrderOf,
} from './wire.ts'

type Answered = Promise<Result<object, Fault>>

const serviceIdOf = (asked: Asked): string => asked.exchange.params['service_id'] ?? ''
const nothing = () => ({})
const faultsFor = (asks: Asks) => (error: KernelError) => faultOf(error, asks)

/** E1. */
export async function updateNodeStatus(asked: Asked): Answered {
  const power = decodeNodeStatus(asked.exchange.body)
  if (!power.ok) return power
  const service = serviceIdOf(asked)
  const node = asked.exchange.params['node_id'] ?? ''
  const target = { kind: 'edge-instance', service, node } as const
  const { from } = power.value
  return power.value.verb === 'stop'
    ? change(
        asked,
        { verb: 'stop', target, from, rung: 'soft' },
        { faultOf: faultsFor('update'), show: nothing },
      )
    : change(
        asked,
        { verb: 'start', target, from },
        { faultOf: faultsFor('update'), show: nothing },
      )
}

/** E2. */
export async function createService(asked: Asked): Answered {
  const request = decodeDeploy(asked.exchange.body, asked.plane.nowMs())
  if (!request.ok) return request
  const unfit = await unfitModel(asked, request.value)
  if (unfit) return err(unfit)
  return change(asked, request.value, {
    faultOf: faultsFor('deploy'),
    show: async ({ serviceId }) => {
      const service = serviceId && (await asked.plane.read.get('services', serviceId))
      return service ? encodeDeployed(service) : {}
    },
  })
}

/** A model that there is but not for this, told apart from one that there is not. */
async function unfitModel(asked: Asked, request: DeployService): Promise<Fault | undefined> {
  const { imageId, onNodes } = request
  const model = await asked.plane.read.get('images', imageId)
  if (!model) return faultOf({ code: 'NotFound', what: 'image', id: imageId }, 'deploy')
  return onNodes && !model.kinds.includes('edge-instance') ? notForEdge(imageId) : undefined
}

/** E5. */
export async function updateService(asked: Asked): Answered {
  const update = decodeUpdate(asked.exchange.body)
  if (!update.ok) return update
  const service = serviceIdOf(asked)
  return change(
    asked,
    { ...update.value, service },
    { faultOf: faultsFor('update'), show: nothing },
  )
}

/** E6. All or none. */
export async function deleteServices(asked: Asked): Answered {
  const services = serviceIdOf(asked).split(',')
  return change(
    asked,
    { verb: 'remove-services', services },
    { faultOf: faultsFor('remove'), show: nothing },
  )
}

/** E3. */
export async function listServices(asked: Asked): Answered {
  const query = decodeServiceQuery(asked.query)
  if (!query.ok) return query
  const { total, rows } = await matching(asked, query.value)
  const flavors = new Map<string, Flavor | undefined>()
  const services: object[] = []
  for (const service of rows) {
    const isDeploying = service.status === 'deploying'
    const instances = isDeploying ? await instancesOf(asked, service) : []
    services.push(encodeService(await sceneOf(asked, service, { instances, flavors })))
  }
  return ok({ total_count: total, count: services.length, services })
}

const livingStates = (Object.keys(serviceStates) as ServiceState[]).filter(
  (one) => one !== 'deleted',
) // keys of a const table

async function matching(
  asked: Asked,
  query: ServiceQuery,
): Promise<{ readonly total: number; readonly rows: readonly Service[] }> {
  const { id, name, status, model, inferType, cluster, workspace, by, dir, offset, limit } = query
  // One workspace and no edge pools exist: nothing is in another.
  if (workspace !== '0' || cluster !== undefined) return { total: 0, rows: [] }
  const states = livingStates.filter((one) => status === undefined || serviceStatus[one] === status)
  const keep = (service: Service): boolean =>
    (id === undefined || service.id === id) &&
    (inferType === undefined || inferTypeOf(service) === inferType) &&
    (model === undefined || modelsOf(service).includes(model))
  const needsReading = id !== undefined || inferType !== undefined || model !== undefined
  if (states.length === 0) return { total: 0, rows: [] }
  return offsetPage(
    asked.plane.read,
    'services',
    {
      where: {
        project: asked.project,
        kind: 'inference',
        status: states,
        ...(name === undefined ? {} : { name }),
      },
      order: { by, dir },
    },
    { offset, limit, keep: needsReading ? keep : undefined },
  )
}

/** E4. */
export async function showService(asked: Asked): Answered {
  const seen = await seeService(asked, serviceIdOf(asked))
  if (!seen.ok) return err(faultOf(seen.error, 'read'))
  const service = seen.value
  const { read } = asked.plane
  const instances = await instancesOf(asked, service)
  const nodes = new Map<string, Node>()
  const deployments = new Map<string, number>()
  for (const { nodeId } of instances) {
    const node = nodeId === null ? undefined : await read.get('nodes', nodeId)
    if (node) nodes.set(node.id, node)
    if (node) deployments.set(node.id, await carriedBy(asked, node.id))
  }
  const image = await imageOf(asked, service, instances)
  const scene = await sceneOf(asked, service, { instances, flavors: new Map() })
  return ok(encodeDetail({ ...scene, image, nodes, deployments }))
}

const carriedStates = Object.keys(lifecycles['edge-instance'].states).filter(
  (state) => !isA(lifecycles['edge-instance'], state, 'final'),
)

const carriedBy = (asked: Asked, nodeId: string): Promise<number> =>
  asked.plane.read.count('instances', {
    where: { nodeId, kind: 'edge-instance', state: carriedStates },
  })

async function imageOf(
  asked: Asked,
  service: Service,
  instances: readonly Instance[],
): Promise<Image | undefined> {
  const id = instances[0]?.imageId ?? modelsOf(service)[0]
  return id === undefined ? undefined : asked.plane.read.get('images', id)
}

/** Those not gone, in the order in which their nodes were named. */
async function instancesOf(asked: Asked, service: Service): Promise<readonly Instance[]> {
  const order = nodeOrderOf(service)
  const found = await asked.plane.read.find('instances', 'serviceId', service.id)
  return found
    .filter((one) => !isA(lifecycles[one.kind], one.state, 'final'))
    .toSorted((a, b) => order.indexOf(a.nodeId ?? '') - order.indexOf(b.nodeId ?? ''))
}

async function sceneOf(
  asked: Asked,
  service: Service,
  {
    instances,
    flavors,
  }: {
    readonly instances: readonly Instance[]
    /** Those read for this answer so far. */
    readonly flavors: Map<string, Flavor | undefined>
  },
) {
  const id = instances[0]?.flavorId ?? flavorIdOf(service)
  if (!flavors.has(id)) flavors.set(id, await asked.plane.read.get('flavors', id))
  const isFree = flavors.get(id)?.charge === 'free'
  const tenant = asked.caller.domainId
  return { service, tenant, nowMs: asked.plane.nowMs(), isFree, instances }
}

/** E10. Nothing but services on nodes is really run here, so other types have no specification. */
export async function listSpecifications(asked: Asked): Answered {
  const inferType = asked.query.get('infer_type') ?? 'real-time'
  const specifications: object[] = []
  for await (const flavor of walk(asked.plane.read, 'flavors', {})) {
    if (inferType !== 'edge' || !flavor.kinds.includes('edge-instance')) continue
    const pool =
      flavor.poolId === null ? undefined : await asked.plane.read.get('pools', flavor.poolId)
    const isSoldOut = pool !== undefined && pool.capacity - pool.taken < flavor.units
    specifications.push(encodeSpecification(flavor, isSoldOut))
  }
  return ok({ specifications })
}
