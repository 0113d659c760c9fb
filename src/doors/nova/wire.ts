// Servers, flavors and moments as this API writes them. Names that only this API knows live here.
//
// - A closed shape: strict clients refuse a property that the negotiated version does not define.
// - Moments come in two spellings, by field: seconds with `Z`, and microseconds without it.
// Source: contract, sections 6.2, 6.4 and 8.1; openstack/nova nova/api/openstack/compute/views/.

import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { type Caller } from '#kernel/caller.ts'
import { type Flavor } from '#kernel/catalogue.ts'
import { type Instance } from '#kernel/instance.ts'
import { textIn } from '../shared/json-facts.ts'
import { type Links } from './call.ts'
import { imageUuid } from './image-ids.ts'
import { type Kept, keptOf } from './kept.ts'
import { type ServerState, stateOf, type Status } from './states.ts'

export const seconds = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`
export const micros = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 23)}000`

/** What an answer about servers depends on besides the servers. */
export interface View {
  readonly links: Links
  readonly caller: Caller
  /** The zone of a server that named none. */
  readonly zone: string
  /** Names of hosts are an admin's to see; one dialect shows them to owners too. */
  readonly isHostShown: boolean
}

const progressing: ReadonlySet<Status> = new Set<Status>(['ACTIVE', 'BUILD'])

/** The whole object, as show and the detailed list give it. */
export function serverDetail(instance: Instance, view: View): object {
  const kept = keptOf(instance)
  const state = stateOf(instance)
  return {
    ...serverCore(instance, view, { kept, state }),
    'OS-EXT-AZ:availability_zone': kept.availabilityZone ?? view.zone,
    config_drive: kept.hasConfigDrive ? 'True' : '',
    key_name: kept.keyName,
    'OS-SRV-USG:launched_at': instance.launchedAtMs === null ? null : micros(instance.launchedAtMs),
    'OS-SRV-USG:terminated_at': state.vmState === 'deleted' ? micros(instance.stateSinceMs) : null,
    security_groups: kept.securityGroups.map((name) => ({ name })),
    'OS-EXT-STS:task_state': state.taskState,
    'OS-EXT-STS:vm_state': state.vmState,
    'OS-EXT-STS:power_state': state.powerState,
    'os-extended-volumes:volumes_attached': [],
    ...(view.isHostShown ? hostFields(instance) : {}),
  }
}

/** What an update answers: the object without everything that Nova's extensions once added. */
export const serverUpdated = (instance: Instance, view: View): object =>
  serverCore(instance, view, { kept: keptOf(instance), state: stateOf(instance) })

interface Facts {
  readonly kept: Kept
  readonly state: ServerState
}

function serverCore(instance: Instance, view: View, { kept, state }: Facts): object {
  const { links, caller } = view
  return {
    id: instance.id,
    name: instance.name,
    status: state.status,
    tenant_id: instance.project,
    user_id: instance.createdBy,
    metadata: instance.labels,
    hostId: hostId(instance),
    image: instance.imageId === null ? '' : imageRef(instance.imageId, links),
    flavor: flavorRef(instance.flavorId ?? '', links),
    created: seconds(instance.createdAtMs),
    updated: seconds(instance.updatedAtMs),
    addresses: state.vmState === 'building' ? {} : addresses(instance),
    accessIPv4: kept.accessIPv4,
    accessIPv6: kept.accessIPv6,
    links: serverLinks(instance.id, links),
    'OS-DCF:diskConfig': kept.diskConfig,
    ...(progressing.has(state.status) ? { progress: 0 } : {}),
    ...faultOf(instance, state, caller),
  }
}

/** Exactly what the short list gives. */
export const serverBrief = (instance: Instance, { links }: Pick<View, 'links'>): object => ({
  id: instance.id,
  name: instance.name,
  links: serverLinks(instance.id, links),
})

export const serverLinks = (id: string, { self, bookmark }: Links): readonly object[] => [
  { rel: 'self', href: `${self}/servers/${id}` },
  { rel: 'bookmark', href: `${bookmark}/servers/${id}` },
]

const imageRef = (id: string, { bookmark }: Links): object => {
  const uuid = imageUuid(id)
  return { id: uuid, links: [{ rel: 'bookmark', href: `${bookmark}/images/${uuid}` }] }
}

const flavorRef = (id: string, { bookmark }: Links): object => ({
  id,
  links: [{ rel: 'bookmark', href: `${bookmark}/flavors/${encodeURIComponent(id)}` }],
})

/** Why it is in ERROR. Nova shows the details of a 500 to admins only. */
function faultOf(instance: Instance, { vmState }: ServerState, caller: Caller): object {
  const { failure } = instance
  if (failure === null || vmState !== 'error') return {}
  const { message, atMs, evidence } = failure
  const details = caller.role === 'admin' ? { details: JSON.stringify(evidence) } : {}
  return { fault: { code: 500, created: seconds(atMs), message, ...details } }
}

/** The host of a server: the edge node it was put on, or the driver that runs it here. */
export const hostOf = (instance: Pick<Instance, 'nodeId' | 'driver'>): string =>
  instance.nodeId ?? instance.driver ?? ''

/** Tells an owner whether two servers share a host, without naming it. */
function hostId(instance: Instance): string {
  const host = hostOf(instance)
  if (host === '') return ''
  const known = hostIds.get(instance.project)?.get(host)
  if (known !== undefined) return known
  const made = createHash('sha224').update(`${instance.project}${host}`).digest('hex')
  const ofProject = hostIds.get(instance.project) ?? new Map<string, string>()
  hostIds.set(instance.project, ofProject.set(host, made))
  return made
}

/** By project and host; both are few, and a page of a thousand servers asks a thousand times. */
const hostIds = new Map<string, Map<string, string>>()

const hostFields = (instance: Instance): object => ({
  'OS-EXT-SRV-ATTR:host': hostOf(instance),
  'OS-EXT-SRV-ATTR:instance_name': `instance-${instance.id.slice(0, 8)}`,
  'OS-EXT-SRV-ATTR:hypervisor_hostname': hostOf(instance),
})

/** The addresses that its driver saw. */
export const addressesOf = (instance: Instance): readonly string[] => {
  const address = textIn(instance.observation.evidence, 'address')
  return address !== undefined && isIP(address) !== 0 ? [address] : []
}

/** The shape wants a MAC with each address: one made from the id, unless a driver saw it. */
function addresses(instance: Instance): object {
  const { evidence } = instance.observation
  const known = addressesOf(instance)
  if (known.length === 0) return {}
  const digits = instance.id.replaceAll('-', '').slice(-6)
  const made = `fa:16:3e:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4)}`
  const mac = textIn(evidence, 'mac') ?? made
  const fixed = { 'OS-EXT-IPS:type': 'fixed', 'OS-EXT-IPS-MAC:mac_addr': mac }
  return { private: known.map((addr) => ({ version: isIP(addr), addr, ...fixed })) }
}

export const flavorLinks = (id: string, { self, bookmark }: Links): readonly object[] => [
  { rel: 'self', href: `${self}/flavors/${encodeURIComponent(id)}` },
  { rel: 'bookmark', href: `${bookmark}/flavors/${encodeURIComponent(id)}` },
]

export const flavorBrief = (flavor: Flavor, links: Links): object => ({
  id: flavor.id,
  name: flavor.name,
  links: flavorLinks(flavor.id, links),
})

export const flavorDetail = (flavor: Flavor, links: Links): object => ({
  id: flavor.id,
  name: flavor.name,
  ram: flavor.memoryMiB,
  disk: flavor.diskGiB,
  swap: '',
  vcpus: flavor.vcpus,
  'OS-FLV-EXT-DATA:ephemeral': 0,
  'OS-FLV-DISABLED:disabled': false,
  'os-flavor-access:is_public': true,
  rxtx_factor: 1,
  links: flavorLinks(flavor.id, links),
})
