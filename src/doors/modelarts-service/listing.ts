// What there is: services, one of them with its nodes, and what may be deployed.
// Source: edge inference contract, sections 1.4, 1.5, 1.11 and 1.12.

import { seesFlavor } from '#kernel/access.ts'
import type { Flavor, Image, Node } from '#kernel/catalogue.ts'
import { err, ok } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { isA } from '#kernel/lifecycle.ts'
import { lifecycles } from '#kernel/kinds.ts'
import { type Service, serviceStates, type ServiceState } from '#kernel/service.ts'
import { offsetPage, walk } from '../shared/offset-page.ts'
import { type Asked, seeService } from '../shared/project-route.ts'
import {
  decodeClusterQuery,
  decodeServiceQuery,
  decodeSpecificationQuery,
  hasTags,
  type ServiceQuery,
} from './query.ts'
import { type Answered, faultsFor, serviceIdOf } from './services.ts'
import { serviceStatus } from './states.ts'
import {
  encodeDetail,
  encodeService,
  encodeSpecification,
  flavorIdOf,
  inferTypeOf,
  isKnownByInstances,
  madeOf,
  modelsOf,
} from './wire.ts'

/** E3. */
export async function listServices(asked: Asked): Answered {
  const query = decodeServiceQuery(asked.query)
  if (!query.ok) return query
  const { total, rows } = await matching(asked, query.value)
  const flavors = new Map<string, Flavor | undefined>()
  const services: object[] = []
  for (const service of rows) {
    // What another door deployed is known by its instances alone.
    const isNeeded = service.status === 'deploying' || isKnownByInstances(service)
    const instances = isNeeded ? await instancesOf(asked, service) : []
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
  const { name, status, by, dir, offset, limit } = query
  const states = livingStates.filter((one) => status === undefined || serviceStatus[one] === status)
  // No edge pools exist: nothing is in one.
  if (states.length === 0 || query.cluster !== undefined) return { total: 0, rows: [] }
  const ofModel = await servicesOf(asked, query.model)
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
    { offset, limit, keep: (service) => fits(service, query, ofModel) },
  )
}

/** The services of the project that have an instance of a model. */
async function servicesOf(
  { plane, project }: Asked,
  model: string | undefined,
): Promise<ReadonlySet<Instance['serviceId']>> {
  const found = new Set<Instance['serviceId']>()
  if (model === undefined) return found
  const where = { project, kind: 'edge-instance', imageId: model, state: carriedStates }
  for await (const { serviceId } of walk(plane.read, 'instances', { where })) found.add(serviceId)
  return found
}

/** What the store has no column for. */
const fits = (
  service: Service,
  { id, inferType, model, workspace, tags }: ServiceQuery,
  ofModel: ReadonlySet<Instance['serviceId']>,
): boolean =>
  service.workspace === workspace &&
  (id === undefined || service.id === id) &&
  (inferType === undefined || inferTypeOf(service) === inferType) &&
  (model === undefined ||
    (isKnownByInstances(service) ? ofModel.has(service.id) : modelsOf(service).includes(model))) &&
  hasTags(service.labels, tags)

/** E4. */
export async function showService(asked: Asked): Answered {
  const seen = await seeService(asked, serviceIdOf(asked))
  if (!seen.ok) return err(faultsFor(asked, 'read')(seen.error))
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
  const id = (instances[0] && madeOf(instances[0]).imageId) ?? modelsOf(service)[0]
  return id === undefined ? undefined : asked.plane.read.get('images', id)
}

/** Those not gone, in the order in which their nodes were named. */
export async function instancesOf(asked: Asked, service: Service): Promise<readonly Instance[]> {
  const found = await asked.plane.read.find('instances', 'serviceId', service.id)
  const rank = ({ nodeId }: Instance): number => {
    const index = service.nodes.indexOf(nodeId ?? '')
    // One on a node that is no longer named stands behind those that are, until it is gone.
    return index === -1 ? service.nodes.length : index
  }
  return found
    .filter((one) => !isA(lifecycles[one.kind], one.state, 'final'))
    .toSorted((a, b) => rank(a) - rank(b))
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
  const id = (instances[0] && madeOf(instances[0]).flavorId) ?? flavorIdOf(service)
  if (!flavors.has(id)) flavors.set(id, await asked.plane.read.get('flavors', id))
  const isFree = flavors.get(id)?.charge === 'free'
  const tenant = asked.caller.domainId
  return { service, tenant, nowMs: asked.plane.nowMs(), isFree, instances }
}

/** E10. Nothing but services on nodes is really run here, so other types have no specification. */
export async function listSpecifications(asked: Asked): Answered {
  const query = decodeSpecificationQuery(asked.query)
  if (!query.ok) return query
  const specifications: object[] = []
  for await (const flavor of walk(asked.plane.read, 'flavors', {})) {
    if (query.value !== 'edge' || !flavor.kinds.includes('edge-instance')) continue
    if (!seesFlavor(asked.caller, flavor)) continue
    const pool =
      flavor.poolId === null ? undefined : await asked.plane.read.get('pools', flavor.poolId)
    const isSoldOut = pool !== undefined && pool.capacity - pool.taken < flavor.units
    specifications.push(encodeSpecification(flavor, isSoldOut))
  }
  return ok({ specifications })
}

/** E11. There are no dedicated pools here, and an empty list is a valid one. */
export function listClusters(asked: Asked): Answered {
  const query = decodeClusterQuery(asked.query)
  return Promise.resolve(query.ok ? ok({ total_count: 0, count: 0, clusters: [] }) : query)
}
