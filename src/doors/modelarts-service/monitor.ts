// E9: what the instance on each node uses of what it was given. One that does not run uses nothing.
// Source: edge inference contract, section 1.10.

import type { Flavor } from '#kernel/catalogue.ts'
import { err, ok } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { numberIn, objectIn } from '../shared/json-facts.ts'
import { type Asked, seeService } from '../shared/project-route.ts'
import { instancesOf } from './listing.ts'
import { type Answered, faultsFor, serviceIdOf } from './services.ts'

export async function showMonitor(asked: Asked): Answered {
  const says = faultsFor(asked, 'read')
  const seen = await seeService(asked, serviceIdOf(asked))
  if (!seen.ok) return err(says(seen.error))
  const service = seen.value
  const wanted = asked.query.get('node_id') ?? ''
  const instances = (await instancesOf(asked, service)).filter(
    ({ nodeId }) => wanted === '' || nodeId === wanted,
  )
  if (wanted !== '' && instances.length === 0)
    return err(says({ code: 'NotFound', what: 'node', id: wanted }))
  const monitors = await Promise.all(instances.map((instance) => monitorOf(asked, instance)))
  return ok({ service_id: service.id, service_name: service.name, monitors })
}

const unused = { cpuCores: 0, memoryMiB: 0, gpus: 0 } as const

async function monitorOf(asked: Asked, instance: Instance): Promise<object> {
  const { read } = asked.plane
  const { nodeId, flavorId, state } = instance
  const node = nodeId === null ? undefined : await read.get('nodes', nodeId)
  const flavor = flavorId === null ? undefined : await read.get('flavors', flavorId)
  const used = state === 'running' ? await asked.plane.usage(instance, asked.exchange.signal) : null
  const { cpuCores, memoryMiB, gpus } = used ?? unused
  const total = totalsOf(instance, flavor)
  return {
    node_id: nodeId,
    node_name: node?.name ?? nodeId,
    cpu_core_usage: cpuCores,
    cpu_core_total: total.cpuCores,
    cpu_memory_usage: memoryMiB,
    cpu_memory_total: total.memoryMiB,
    gpu_usage: gpus,
    gpu_total: total.gpus,
  }
}

/** Its own size where it was told one, else its flavor's. */
function totalsOf({ launch }: Instance, flavor: Flavor | undefined): Totals {
  const custom = objectIn(launch, 'customSpec') ?? {}
  return {
    cpuCores: numberIn(custom, 'cpu') ?? flavor?.vcpus ?? 0,
    memoryMiB: numberIn(custom, 'memory') ?? flavor?.memoryMiB ?? 0,
    gpus: numberIn(custom, 'gpu_p4') ?? flavor?.gpus ?? 0,
  }
}

interface Totals {
  readonly cpuCores: number
  readonly memoryMiB: number
  readonly gpus: number
}
