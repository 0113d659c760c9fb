// Servers, flavors and moments as this API writes them. Names that only this API knows live here.
//
// - A closed shape: strict clients refuse a property that the negotiated version does not define.
// - Moments come in two spellings, by field: seconds with `Z`, and microseconds without it.
// Source: contract, sections 6.2, 6.4 and 8.1; openstack/nova nova/api/openstack/compute/views/.

import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { Caller } from '#kernel/caller.ts'
import type { Flavor } from '#kernel/catalogue.ts'
import type { Hold, Instance } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import { objectIn, textIn } from '../shared/json-facts.ts'
import type { Links } from './call.ts'
import { imageUuid } from './image-ids.ts'
import { type Kept, keptOf, keptOfFlavor } from './kept.ts'
import type { Microversion } from './microversion.ts'
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
  readonly version: Microversion
  /** Read where the version shows a server's flavor whole. */
  readonly flavors: ReadonlyMap<string, Flavor>
  /** Drivers that are out of service; read where an admin is shown the state of hosts. */
  readonly downHosts: ReadonlySet<string>
  /** Bare-metal flavors carry a tag that nobody has set, in one dialect. */
  readonly metal: ReadonlySet<string>
}

const progressing: ReadonlySet<Status> = new Set<Status>(['ACTIVE', 'BUILD', 'REBUILD'])

/** What each version added to every view of a server. Source: contract, section 12. */
const added: readonly {
  readonly since: Microversion
  readonly fields: (instance: Instance, view: View, kept: Kept) => object
}[] = [
  { since: 9, fields: (instance) => ({ locked: lockOf(instance) !== undefined }) },
  {
    since: 16,
    fields: (instance, { caller, downHosts }) =>
      caller.role === 'admin'
        ? { host_status: downHosts.has(hostOf(instance)) ? 'DOWN' : 'UP' }
        : {},
  },
  { since: 19, fields: ({ description }) => ({ description: description || null }) },
  { since: 26, fields: (instance, view) => ({ tags: tagsOf(instance, view) }) },
  { since: 63, fields: () => ({ trusted_image_certificates: null }) },
  { since: 73, fields: (instance) => ({ locked_reason: lockOf(instance)?.reason ?? null }) },
  {
    since: 90,
    fields: (instance, _view, kept) => ({
      'OS-EXT-SRV-ATTR:hostname': kept.hostname ?? hostnameFrom(instance.name),
    }),
  },
]

const addedIn = (instance: Instance, view: View, kept: Kept): object =>
  Object.assign(
    {},
    ...added
      .filter(({ since }) => view.version >= since)
      .map(({ fields }) => fields(instance, view, kept)),
  ) as object // each part is one

/** An admin's comes on top of an owner's, so the last one is whose word counts. */
export const lockOf = ({ holds }: Instance): Hold | undefined =>
  holds.findLast(({ kind }) => kind === 'lock')

export const bareMetalTag = '__type_baremetal'
export function tagsOf(
  instance: Pick<Instance, 'attributes' | 'flavorId'>,
  { metal }: Pick<View, 'metal'>,
): readonly string[] {
  const isMetal = instance.flavorId !== null && metal.has(instance.flavorId)
  return [...keptOf(instance).tags, ...(isMetal ? [bareMetalTag] : [])]
}

/** A host's name has letters, digits and dashes only. */
const hostnameFrom = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63) || 'server'

/** The whole object, as show and the detailed list give it. */
export function serverDetail(instance: Instance, view: View): object {
  const kept = keptOf(instance)
  const state = stateOf(instance)
  return {
    ...serverCore(instance, view, { kept, state }),
    addresses: state.vmState === 'building' ? {} : addresses(instance),
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
    ...(view.isHostShown ? hostFields(instance, view, kept) : {}),
    ...addedIn(instance, view, kept),
  }
}

/** What show gives beyond the detailed list. */
export const serverShown = (instance: Instance, view: View): object => ({
  ...serverDetail(instance, view),
  ...(view.version >= groupsSince ? { server_groups: [] } : {}),
})

const groupsSince = 71
const fullUpdateSince = 75

/** What an update answers: at first the object without everything that Nova's extensions once added. */
export function serverUpdated(instance: Instance, view: View): object {
  if (view.version >= fullUpdateSince) return serverShown(instance, view)
  const kept = keptOf(instance)
  const { host_status: _, ...later } = addedIn(instance, view, kept) as { host_status?: string } // what may be in it
  return {
    ...serverCore(instance, view, { kept, state: stateOf(instance) }),
    ...later,
    ...(view.version >= groupsSince ? { server_groups: [] } : {}),
  }
}

/** The same with what a rebuild may have changed; what is shown as `user_data` is not shown under its other name. */
export function serverRebuilt(instance: Instance, view: View): object {
  const { keyName, userData } = keptOf(instance)
  const { 'OS-EXT-SRV-ATTR:user_data': _, ...updated } = serverUpdated(instance, view) as {
    'OS-EXT-SRV-ATTR:user_data'?: string | null // what may be in it
  }
  return {
    ...updated,
    ...(view.version >= 54 ? { key_name: keyName } : {}),
    ...(view.version >= 57 ? { user_data: userData ?? null } : {}),
  }
}

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
    flavor: flavorOf(instance.flavorId ?? '', view),
    created: seconds(instance.createdAtMs),
    updated: seconds(instance.updatedAtMs),
    addresses: state.vmState === 'building' ? {} : plainAddresses(instance),
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

export const wholeFlavorSince = 47

/** At first a reference; later what the flavor was, so that nobody has to look it up. */
function flavorOf(id: string, { version, links, flavors }: View): object {
  if (version < wholeFlavorSince) return flavorRef(id, links)
  const flavor = flavors.get(id)
  const kept = flavor && keptOfFlavor(flavor)
  return {
    vcpus: flavor?.vcpus ?? 0,
    ram: flavor?.memoryMiB ?? 0,
    disk: flavor?.diskGiB ?? 0,
    ephemeral: kept?.ephemeralGiB ?? 0,
    swap: kept?.swapMiB ?? 0,
    original_name: flavor?.name ?? id,
    extra_specs: flavor ? extraSpecs(flavor) : {},
  }
}

/** Under this name the attributes of a flavor hold them, for every door that shows some. */
export const extraSpecsName = 'extra_specs'

/** What the catalogue says, and that bare metal is bare metal. */
export const extraSpecs = ({ bareMetal, attributes }: Flavor): JsonObject => ({
  ...(bareMetal ? { resource_type: 'ironic' } : {}),
  ...objectIn(attributes, extraSpecsName),
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
export function hostId(instance: Instance): string {
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

const hostFields = (instance: Instance, { version }: View, kept: Kept): object => ({
  'OS-EXT-SRV-ATTR:host': hostOf(instance),
  'OS-EXT-SRV-ATTR:instance_name': `instance-${instance.id.slice(-8)}`,
  'OS-EXT-SRV-ATTR:hypervisor_hostname': hostOf(instance),
  ...(version < 3
    ? {}
    : {
        'OS-EXT-SRV-ATTR:reservation_id': kept.reservationId ?? '',
        'OS-EXT-SRV-ATTR:launch_index': 0,
        'OS-EXT-SRV-ATTR:hostname': kept.hostname ?? hostnameFrom(instance.name),
        'OS-EXT-SRV-ATTR:kernel_id': '',
        'OS-EXT-SRV-ATTR:ramdisk_id': '',
        // Where upstream's first disk is; clients follow it without asking whether it is there.
        'OS-EXT-SRV-ATTR:root_device_name': instance.launchedAtMs === null ? null : '/dev/vda',
        'OS-EXT-SRV-ATTR:user_data': kept.userData ?? null,
      }),
})

/** The addresses that its driver saw. */
export const addressesOf = (instance: Instance): readonly string[] => {
  const address = textIn(instance.observation.evidence, 'address')
  return address !== undefined && isIP(address) !== 0 ? [address] : []
}

/** As the view of addresses alone, and of an update, has them: without what extensions once added. */
export function plainAddresses(instance: Instance): Readonly<Record<string, readonly object[]>> {
  const known = addressesOf(instance)
  return known.length === 0 ? {} : { private: known.map((addr) => ({ version: isIP(addr), addr })) }
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

/** From which version on a flavor has a description. */
export const flavorTextSince = 55

export const flavorBrief = (flavor: Flavor, links: Links, version: Microversion): object => ({
  id: flavor.id,
  name: flavor.name,
  links: flavorLinks(flavor.id, links),
  ...(version >= flavorTextSince ? { description: keptOfFlavor(flavor).description } : {}),
})

export function flavorDetail(flavor: Flavor, links: Links, version: Microversion): object {
  const { swapMiB, ephemeralGiB, rxtxFactor, description } = keptOfFlavor(flavor)
  return {
    id: flavor.id,
    name: flavor.name,
    ram: flavor.memoryMiB,
    disk: flavor.diskGiB,
    swap: version < 75 && swapMiB === 0 ? '' : swapMiB,
    vcpus: flavor.vcpus,
    'OS-FLV-EXT-DATA:ephemeral': ephemeralGiB,
    'OS-FLV-DISABLED:disabled': false,
    'os-flavor-access:is_public': flavor.projects === undefined,
    rxtx_factor: rxtxFactor,
    links: flavorLinks(flavor.id, links),
    ...(version >= flavorTextSince ? { description } : {}),
    ...(version >= 61 ? { extra_specs: extraSpecs(flavor) } : {}),
  }
}
