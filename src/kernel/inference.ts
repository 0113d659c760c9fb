// The status of a service that runs on nodes, derived from its instances. A node stopped on purpose does not
// degrade the service.
// Source: edge inference contract, section 2.6.

import type { Instance } from './instance.ts'
import { isA } from './lifecycle.ts'
import { lifecycles } from './kinds.ts'
import { present } from './present.ts'
import type { Service, ServiceState } from './service.ts'

type Part = 'running' | 'stopped' | 'failed' | 'pending'

function partOf(instance: Instance): Part {
  // It should run, and the last look could not tell whether it does: shown like one whose node is out of contact.
  if (instance.state === 'running' && present(instance).unsure) return 'pending'
  if (instance.state === 'running' || instance.state === 'stopped' || instance.state === 'failed')
    return instance.state
  return 'pending'
}

const under = (instance: Instance): boolean =>
  isA(lifecycles[instance.kind], instance.state, 'busy')

/**
 * What is still under way for the whole service once these are its instances. A removal that left some behind is
 * over as well: it failed, and whoever asked for it can ask again.
 */
export function phaseOf(service: Service, instances: readonly Instance[]): Service['phase'] {
  const isGone = service.phase === 'deleting' && instances.length === 0
  return isGone || instances.some(under) ? service.phase : 'settled'
}

export function statusOf(service: Service, instances: readonly Instance[]): ServiceState {
  if (service.phase === 'deleting') return instances.length === 0 ? 'deleted' : 'deleting'
  if (service.phase !== 'settled') return service.phase
  const parts = new Set(instances.map(partOf))
  if (instances.length === 0) return 'stopped'
  if (parts.has('running'))
    return parts.has('failed') || parts.has('pending') ? 'concerning' : 'running'
  if (parts.has('pending')) return service.status
  return parts.has('failed') ? 'failed' : 'stopped'
}
