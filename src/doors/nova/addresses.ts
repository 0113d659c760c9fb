// The addresses of one server, by network.
// Source: contract, section 6.8.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Call, Reply } from './call.ts'
import type { NovaFault } from './faults.ts'
import { serverIn } from './servers.ts'
import { stateOf } from './states.ts'
import { plainAddresses } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>
type Networks = Readonly<Record<string, readonly object[]>>

async function networksOf(call: Call): Promise<Result<Networks, NovaFault>> {
  const instance = await serverIn(call)
  if (!instance.ok) return instance
  const isBuilding = stateOf(instance.value).vmState === 'building'
  return ok(isBuilding ? {} : plainAddresses(instance.value))
}

export async function listAddresses(call: Call): Answered {
  const networks = await networksOf(call)
  return networks.ok ? ok({ status: 200, body: { addresses: networks.value } }) : networks
}

export async function showAddresses(call: Call): Answered {
  const networks = await networksOf(call)
  if (!networks.ok) return networks
  const label = call.exchange.params['network'] ?? ''
  return Object.hasOwn(networks.value, label)
    ? ok({ status: 200, body: { [label]: networks.value[label] } })
    : err({ status: 404, message: 'Network name not found' })
}
