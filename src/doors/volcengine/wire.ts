// What goes back over the wire: the envelope that every answer has, and instances as DescribeInstances shows
// them. Response names of this cloud live here; its request names are read in the file of each action.
// Source: contracts/volcengine-ecs.md sections 3, 9.1 and 9.4.

import type { Flavor, Image } from '#kernel/catalogue.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Json, JsonObject } from '#kernel/json.ts'
import type { Result } from '#kernel/errors.ts'
import type { Answer } from '#doors/shared/http.ts'
import { listIn, objectIn, textIn } from '#doors/shared/json-facts.ts'
import type { Fault } from './faults.ts'
import { type Facts, factsOf } from './facts.ts'
import { chargeTypes, type Status, statusOf, stoppedModeOf } from './states.ts'

/** What an answer says of its request. */
export interface Asked {
  readonly requestId: string
  readonly action: string
  readonly version: string
  readonly service: string
  readonly region: string
}

/** `ResponseMetadata` is on every answer: without it the vendor's clients crash instead of failing. */
export function envelope(asked: Asked, outcome: Result<object, Fault>): Answer {
  const metadata = {
    RequestId: asked.requestId,
    Action: asked.action,
    Version: asked.version,
    Service: asked.service,
    Region: asked.region,
  }
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'x-tt-logid': asked.requestId,
  }
  if (outcome.ok) {
    return { status: 200, headers, body: { ResponseMetadata: metadata, Result: outcome.value } }
  }
  const { status, retryAfterMs } = outcome.error
  const retry =
    retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }
  const body = { ResponseMetadata: { ...metadata, Error: errorEntry(outcome.error) } }
  return { status, headers: { ...headers, ...retry }, body }
}

/** Also an entry of a batch's `OperationDetails`. */
export const errorEntry = ({ codeN, code, message }: Fault) => ({
  ...(codeN === undefined ? {} : { CodeN: codeN }),
  Code: code,
  Message: message,
})

const offsetMs = 8 * 3_600_000

/** With `+08:00`, never `Z`: Terraform cuts these texts at the plus sign. */
export const localTime = (atMs: number): string =>
  `${new Date(atMs + offsetMs).toISOString().slice(0, 19)}+08:00`

/** 14 digits of local time and 20 upper-case hex digits, as this cloud writes its request ids. */
export function requestIdOf(exchangeId: string, nowMs: number): string {
  const digits = localTime(nowMs).slice(0, 19).replaceAll(/\D/g, '')
  const hex = exchangeId.replaceAll(/[^0-9A-Fa-f]/g, '').toUpperCase()
  return digits + hex.padStart(20, '0').slice(-20)
}

export interface NetworkInterfaceEntry {
  readonly NetworkInterfaceId: string
  readonly MacAddress: string
  readonly PrimaryIpAddress: string
  readonly SubnetId: string
  readonly VpcId: string
  readonly Type: 'primary' | 'secondary'
  readonly SecurityGroupIds: readonly string[]
  readonly Ipv6Addresses: readonly string[]
}

export interface TagEntry {
  readonly Key: string
  readonly Value: string
}

/** One of `Instances`. Every field is always there, for clients that assert types without asking. */
export interface InstanceEntry {
  readonly InstanceId: string
  readonly InstanceName: string
  readonly Description: string
  readonly Hostname: string
  readonly HostName: string
  readonly Status: Status
  readonly StoppedMode: string
  readonly InstanceTypeId: string
  readonly InstanceChargeType: string
  readonly SpotStrategy: string
  readonly SpotPriceLimit: number
  readonly ElasticScheduledInstanceType: string
  readonly Cpus: number
  readonly MemorySize: number
  readonly OsType: string
  readonly OsName: string
  readonly ImageId: string
  readonly ZoneId: string
  readonly VpcId: string
  readonly ProjectName: string
  readonly CreatedAt: string
  readonly UpdatedAt: string
  readonly ExpiredAt: string
  readonly KeyPairId: string
  readonly KeyPairName: string
  readonly HpcClusterId: string
  readonly DeploymentSetId: string
  readonly AffinityGroupId: string
  readonly ScheduledInstanceId: string
  readonly Uuid: string
  readonly DeletionProtection: boolean
  readonly EnableJumboFrame: boolean
  readonly DeploymentSetGroupNumber: number
  readonly EipAddress: { readonly AllocationId: string; readonly IpAddress: string }
  readonly NetworkInterfaces: readonly NetworkInterfaceEntry[]
  readonly Volumes: readonly { readonly VolumeId: string }[]
  readonly LocalVolumes: readonly Json[]
  readonly CpuOptions: JsonObject
  readonly MetadataOptions: { readonly HttpTokens: string }
  readonly Placement: {
    readonly Affinity: string
    readonly DedicatedHostClusterId: string
    readonly DedicatedHostId: string
    readonly Tenancy: string
  }
  readonly RdmaIpAddresses: readonly string[]
  readonly RdmaNetworkInterfaceDetails: readonly Json[]
  readonly Tags: readonly TagEntry[]
}

export interface Surroundings {
  readonly flavor: Flavor | undefined
  readonly image: Image | undefined
  /** Where an instance is that nobody placed. */
  readonly zoneDefault: string
}

/** The part of an id after its prefix, which names what belongs to the instance. */
const tailOf = (instance: Instance): string => (instance.aliases['ecs'] ?? '').slice(2)

export function instanceEntry(instance: Instance, around: Surroundings): InstanceEntry {
  const facts = factsOf(instance)
  const { flavor, image } = around
  const hostname = facts.hostname ?? `iv-${tailOf(instance)}`
  const flavorFacts = objectIn(flavor?.attributes ?? {}, 'ecs') ?? {}
  const imageFacts = objectIn(image?.attributes ?? {}, 'ecs') ?? {}
  const cpus = flavor?.vcpus ?? 0
  return {
    InstanceId: instance.aliases['ecs'] ?? '',
    InstanceName: instance.name,
    Description: instance.description,
    Hostname: hostname,
    HostName: hostname,
    Status: statusOf(instance),
    StoppedMode: stoppedModeOf(instance),
    InstanceTypeId: instance.flavorId ?? '',
    InstanceChargeType: chargeTypes[instance.charge],
    SpotStrategy: facts.spotStrategy ?? 'NoSpot',
    SpotPriceLimit: facts.spotPriceLimit ?? 0,
    ElasticScheduledInstanceType: instance.conditions.scheduled ? 'Esi' : 'NoEsi',
    Cpus: cpus,
    MemorySize: flavor?.memoryMiB ?? 0,
    OsType: textIn(imageFacts, 'OsType') ?? 'Linux',
    OsName: textIn(imageFacts, 'OsName') ?? image?.name ?? '',
    ImageId: instance.imageId ?? '',
    ZoneId: facts.zoneId ?? around.zoneDefault,
    VpcId: facts.vpcId ?? '',
    ProjectName: facts.projectName ?? projectDefault,
    CreatedAt: localTime(instance.createdAtMs),
    UpdatedAt: localTime(instance.updatedAtMs),
    ExpiredAt: expiry(instance, facts),
    KeyPairId: '',
    KeyPairName: facts.keyPairName ?? '',
    HpcClusterId: facts.hpcClusterId ?? '',
    DeploymentSetId: facts.deploymentSetId ?? '',
    AffinityGroupId: facts.affinityGroupId ?? '',
    ScheduledInstanceId: facts.scheduledInstanceId ?? '',
    Uuid: instance.id,
    DeletionProtection: instance.conditions.deletionProtected,
    EnableJumboFrame: facts.enableJumboFrame ?? false,
    DeploymentSetGroupNumber: facts.deploymentSetGroupNumber ?? 0,
    EipAddress: { AllocationId: '', IpAddress: facts.eipAddress ?? '' },
    NetworkInterfaces: networkInterfaces(instance, facts),
    Volumes: [],
    LocalVolumes: listIn(flavorFacts, 'LocalVolumes') ?? [],
    CpuOptions: {
      CoreCount: facts.coreCount ?? cpus,
      ThreadsPerCore: facts.threadsPerCore ?? 1,
      TopologyType: facts.topologyType ?? '',
    },
    MetadataOptions: { HttpTokens: facts.httpTokens ?? 'optional' },
    Placement: {
      Affinity: facts.affinity ?? '',
      DedicatedHostClusterId: facts.dedicatedHostClusterId ?? '',
      DedicatedHostId: facts.dedicatedHostId ?? '',
      Tenancy: facts.tenancy ?? 'Default',
    },
    RdmaIpAddresses: [],
    RdmaNetworkInterfaceDetails: [],
    Tags: tagEntries(instance),
  }
}

function networkInterfaces(instance: Instance, facts: Facts): readonly NetworkInterfaceEntry[] {
  return facts.networkInterfaces.map((given, index) => ({
    NetworkInterfaceId: `eni-${tailOf(instance)}${index === 0 ? '' : index}`,
    MacAddress: '',
    PrimaryIpAddress: given.primaryIpAddress ?? '',
    SubnetId: given.subnetId,
    VpcId: facts.vpcId ?? '',
    Type: index === 0 ? 'primary' : 'secondary',
    SecurityGroupIds: given.securityGroupIds,
    Ipv6Addresses: [],
  }))
}

const monthMs = 30 * 86_400_000

/** A term has an end even when nobody said which: Terraform panics without one. */
function expiry(instance: Instance, facts: Facts): string {
  if (instance.charge !== 'PrePaid') return ''
  return localTime(facts.expiredAtMs ?? instance.createdAtMs + monthMs)
}

/** Where an instance is that was put into no project of the account. */
export const projectDefault = 'default'
export const systemTag = 'sys:created-by'

/** The owner's tags; and the system's, by which the refusal of a foreign service's instance says to find it. */
export function tagEntries(instance: Instance): readonly TagEntry[] {
  const own = Object.entries(instance.labels).map(([Key, Value]) => ({ Key, Value }))
  const service = instance.conditions.createdByService
  return service === null ? own : [...own, { Key: systemTag, Value: service }]
}
