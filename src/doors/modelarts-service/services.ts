// The calls of this door that change something, each from its decoded body to its answer. What is allowed when
// is the kernel's.
// Source: edge inference contract, sections 1.2, 1.3, 1.6 and 1.7.

import { err, type KernelError, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { RedeployService, UpdateService } from '#kernel/request.ts'
import type { Service } from '#kernel/service.ts'
import { textIn } from '../shared/json-facts.ts'
import { type Asked, change, seeService } from '../shared/project-route.ts'
import type { Fault } from '../shared/three-keys.ts'
import {
  decodeDeploy,
  decodeEdgeConfig,
  decodeNodeStatus,
  decodeUpdate,
  keptConfigFault,
  type Update,
} from './decode.ts'
import { type Asks, faultOf, notForEdge } from './faults.ts'
import { doorName, encodeDeployed, keptOf, withUpdate } from './wire.ts'

export type Answered = Promise<Result<object, Fault>>

export const serviceIdOf = (asked: Asked): string => asked.exchange.params['service_id'] ?? ''
const nothing = () => ({})
export const faultsFor = (asked: Asked, asks: Asks) => (error: KernelError) =>
  faultOf(error, asks, asked.permission)

/** E1. */
export async function updateNodeStatus(asked: Asked): Answered {
  const power = decodeNodeStatus(asked.exchange.body)
  if (!power.ok) return power
  const service = serviceIdOf(asked)
  const node = asked.exchange.params['node_id'] ?? ''
  const target = { kind: 'edge-instance', service, node } as const
  const says = { faultOf: faultsFor(asked, 'update'), show: nothing }
  return change(asked, { target, ...power.value }, says)
}

/** E2. */
export async function createService(asked: Asked): Answered {
  const decoded = decodeDeploy(asked.exchange.body)
  if (!decoded.ok) return decoded
  const { request, kept } = decoded.value
  const unfit = await unfitModel(asked, request)
  if (unfit) return err(unfit)
  const { requestId } = asked.exchange
  const attributes = {
    [doorName]: { ...kept, updates: withUpdate([], { requestId, config: kept.config }) },
  }
  return change(
    asked,
    { ...request, attributes },
    {
      faultOf: faultsFor(asked, 'deploy'),
      show: async ({ serviceId }) => {
        const service = serviceId && (await asked.plane.read.get('services', serviceId))
        return service ? encodeDeployed(service) : {}
      },
    },
  )
}

interface Modelled {
  readonly imageId: string
  readonly onNodes: boolean
}

/** A model that there is but not for this, told apart from one that there is not. */
async function unfitModel(
  asked: Asked,
  { imageId, onNodes }: Modelled,
): Promise<Fault | undefined> {
  const model = await asked.plane.read.get('images', imageId)
  if (!model) return faultsFor(asked, 'deploy')({ code: 'NotFound', what: 'image', id: imageId })
  return onNodes && !model.kinds.includes('edge-instance') ? notForEdge(imageId) : undefined
}

/** E5. */
export async function updateService(asked: Asked): Answered {
  const update = decodeUpdate(asked.exchange.body)
  if (!update.ok) return update
  const service = serviceIdOf(asked)
  const says = { faultOf: faultsFor(asked, 'update'), show: nothing }
  if (update.value.verb !== 'update')
    return change(asked, { verb: update.value.verb, service }, says)
  const seen = await seeService(asked, service)
  if (!seen.ok) return err(says.faultOf(seen.error))
  const request = await requestOf(asked, seen.value, update.value)
  return request.ok ? change(asked, request.value, says) : request
}

type Said = Extract<Update, { verb: 'update' }>

async function requestOf(
  asked: Asked,
  service: Service,
  { config, description, kept }: Said,
): Promise<Result<UpdateService | RedeployService, Fault>> {
  const said = { service: service.id, ...(description === undefined ? {} : { description }) }
  const before = keptOf(service)
  const attributes = (value: JsonObject) => ({ door: doorName, value })
  if (config === undefined) {
    const isMore = Object.keys(kept).length > 0
    const more = isMore ? { attributes: attributes({ ...before, ...kept }) } : {}
    return ok({ verb: 'update-service', kind: 'inference', ...said, ...more })
  }
  const made = service.onNodes ? decodeEdgeConfig(config, undefined) : asSent(config)
  if (!made.ok) return made
  const { config: shown, ...rest } = made.value
  const unfit = await unfitModel(asked, { ...rest, onNodes: service.onNodes })
  if (unfit) return err(unfit)
  const { requestId } = asked.exchange
  const updates = withUpdate(before.updates ?? [], { requestId, config: shown })
  const value = { ...before, ...kept, config: shown, updates }
  return ok({ verb: 'redeploy', ...said, ...rest, attributes: attributes(value) })
}

/** A service that does not run on nodes is given what was sent, to be shown again. */
function asSent(config: readonly JsonObject[]) {
  const wrong = keptConfigFault(config)
  const imageId = textIn(config[0] ?? {}, 'model_id') ?? ''
  return wrong ? err(wrong) : ok({ nodes: [], flavorId: '', imageId, config })
}

/** E6. All or none. */
export async function deleteServices(asked: Asked): Answered {
  const services = serviceIdOf(asked).split(',')
  return change(
    asked,
    { verb: 'remove-services', services },
    { faultOf: faultsFor(asked, 'remove'), show: nothing },
  )
}
