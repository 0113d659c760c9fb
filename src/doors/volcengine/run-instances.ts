// RunInstances: from its many parameters to one creation. What acts on something here (type, image, count,
// charge, tags, protection) goes to the kernel; what a client will ask to see again is kept as facts; the rest
// is checked where the contract says how, and then ignored.
// Source: contracts/volcengine-ecs.md section 7.7.

import { schemes } from '#kernel/aliases.ts'
import { err, ok } from '#kernel/errors.ts'
import type { CreateInstance } from '#kernel/request.ts'
import { type Call, type Outcome, submit, zonesOf } from './call.ts'
import { factsKey, factsKept, type FactsGiven, type NetworkInterfaceFacts } from './facts.ts'
import { business, malformed, missing, outOfSize } from './faults.ts'
import {
  descriptionLike,
  hostnameLike,
  isPassword,
  isUserData,
  nameLike,
  namesFrom,
} from './names.ts'
import type { Reading } from './reading.ts'
import { readTags } from './tag-parameters.ts'

const countMax = 100

export async function runInstances(call: Call): Promise<Outcome> {
  const { reading } = call
  const token = reading.clientToken()
  const request = readCreate(call)
  const dryRun = reading.dryRun()
  // A dry run tells whether one instance could be made.
  if (dryRun && ((request.count ?? 1) > 1 || (request.countMin ?? 1) > 1))
    reading.fail(business.invalidArgument)
  if (reading.fault) return err(reading.fault)
  const receipt = await submit(call, request, { token, dryRun })
  if (!receipt.ok) return receipt
  return ok({ InstanceIds: receipt.value.instanceIds.map((id) => schemes.ecs.make(id)) })
}

function readCreate(call: Call): CreateInstance {
  const { reading } = call
  const zoneId = reading.required('ZoneId')
  if (zoneId !== '' && !zonesOf(call).includes(zoneId)) reading.fail(business.zoneNotFound)
  const imageId = reading.required('ImageId')
  const name = reading.required('InstanceName', { like: nameLike })
  const flavorId = reading.text('InstanceTypeId') ?? reading.required('InstanceType')
  const networkInterfaces = readNetworkInterfaces(reading)
  checkVolumes(reading)
  const counts = readCounts(reading)
  const charge = reading.choice(
    'InstanceChargeType',
    ['PostPaid', 'PrePaid'],
    business.instanceChargeTypeInvalid,
  )
  const expiredAtMs = readTerm(reading, charge, call.plane.nowMs())
  checkCredentials(reading)
  const description = reading.text('Description', { like: descriptionLike })
  const facts: FactsGiven = { ...readFacts(reading), zoneId, networkInterfaces, expiredAtMs }
  const isProtected = reading.flag('DeletionProtection')
  const names = namesFrom(name, counts.count ?? 1, {
    isUnique: reading.flag('UniqueSuffix') ?? false,
    first: reading.integer('SuffixIndex', { min: 0, max: 999_999 }) ?? 0,
  })
  if (names === undefined) reading.fail(malformed('InstanceName'))
  const labels = readTags(reading, 'Tags')
  return {
    verb: 'create',
    kind: 'server',
    name,
    names: names ?? [],
    flavorId,
    imageId,
    ...counts,
    ...(description === undefined ? {} : { description }),
    ...(charge === undefined ? {} : { charge }),
    ...(isProtected === undefined ? {} : { conditions: { deletionProtected: isProtected } }),
    labels,
    attributes: { [factsKey]: factsKept(facts) },
  }
}

function readCounts(reading: Reading): Pick<CreateInstance, 'count' | 'countMin'> {
  const count = reading.integer('Count', { min: 1, max: countMax })
  const countMin = reading.integer('MinCount', { min: 1, max: countMax })
  if (countMin !== undefined && countMin > (count ?? 1)) reading.fail(business.invalidArgument)
  return {
    ...(count === undefined ? {} : { count }),
    ...(countMin === undefined ? {} : { countMin }),
  }
}

const interfacesMax = 16
const securityGroupsMax = 5

function readNetworkInterfaces(reading: Reading): readonly NetworkInterfaceFacts[] {
  const groups = reading.groups('NetworkInterfaces', { max: interfacesMax })
  if (groups.length === 0) reading.fail(missing('NetworkInterfaces'))
  return groups.map((group) => {
    const subnetId = group.required('SubnetId')
    const securityGroupIds = group.list('SecurityGroupIds', { max: securityGroupsMax })
    const primaryIpAddress = group.text('PrimaryIpAddress')
    const given = { subnetId, securityGroupIds }
    return primaryIpAddress === undefined ? given : { ...given, primaryIpAddress }
  })
}

const volumesMax = 16
const systemGiB = { min: 20, max: 2048, fault: outOfSize('SystemVolumeSize') }
const dataGiB = { min: 10, max: 32_768, fault: outOfSize('DataVolumeSize') }

/** Disks are what the flavor and the driver make of them; what is asked for is only checked. */
function checkVolumes(reading: Reading): void {
  for (const [index, volume] of reading.groups('Volumes', { max: volumesMax }).entries()) {
    volume.choice('VolumeType', ['ESSD_PL0', 'ESSD_FlexPL'], malformed('VolumeType'))
    const size = volume.integer('Size', index === 0 ? systemGiB : dataGiB)
    const snapshot = volume.text('SnapshotId')
    volume.flag('DeleteWithInstance')
    if (index > 0 && size === undefined && snapshot === undefined) reading.fail(dataGiB.fault)
  }
}

const monthsMax = 60

/** When a prepaid instance ends; undefined for any other. */
function readTerm(
  reading: Reading,
  charge: 'PostPaid' | 'PrePaid' | undefined,
  nowMs: number,
): number | undefined {
  const months = reading.integer('Period', { min: 1, max: monthsMax })
  reading.choice('PeriodUnit', ['Month'], malformed('PeriodUnit'))
  if (charge !== 'PrePaid') return undefined
  const end = new Date(nowMs)
  end.setUTCMonth(end.getUTCMonth() + (months ?? 1))
  return end.getTime()
}

/** Nothing here logs in to an instance, so a password is checked and then forgotten: it is kept nowhere. */
function checkCredentials(reading: Reading): void {
  const password = reading.secret('Password')
  if (password !== undefined && !isPassword(password)) reading.fail(malformed('Password'))
  reading.flag('KeepImageCredential')
}

function readFacts(
  reading: Reading,
): Omit<FactsGiven, 'zoneId' | 'networkInterfaces' | 'expiredAtMs'> {
  const userData = reading.text('UserData')
  if (userData !== undefined && !isUserData(userData)) reading.fail(malformed('UserData'))
  const placement = reading.group('Placement')
  const cpu = reading.group('CpuOptions')
  return {
    userData,
    hostname:
      reading.text('Hostname', { like: hostnameLike }) ??
      reading.text('HostName', { like: hostnameLike, fault: malformed('Hostname') }),
    keyPairName: reading.text('KeyPairName'),
    projectName: reading.text('ProjectName'),
    hpcClusterId: reading.text('HpcClusterId'),
    deploymentSetId: reading.text('DeploymentSetId'),
    deploymentSetGroupNumber: reading.integer('DeploymentSetGroupNumber', { min: 0, max: 7 }),
    spotStrategy: reading.choice(
      'SpotStrategy',
      ['NoSpot', 'SpotAsPriceGo', 'SpotWithPriceLimit'],
      malformed('SpotStrategy'),
    ),
    spotPriceLimit: reading.decimal('SpotPriceLimit'),
    httpTokens: reading.choice('HttpTokens', ['optional', 'required'], malformed('HttpTokens')),
    affinity: placement.text('Affinity'),
    dedicatedHostId: placement.text('DedicatedHostId'),
    dedicatedHostClusterId: placement.text('DedicatedHostClusterId'),
    tenancy: placement.text('Tenancy'),
    coreCount: cpu.integer('CoreCount', { min: 1, max: 1024 }),
    threadsPerCore: cpu.integer('ThreadsPerCore', { min: 1, max: 8 }),
    topologyType: cpu.text('TopologyType'),
    enableJumboFrame: undefined,
    vpcId: undefined,
    affinityGroupId: undefined,
    scheduledInstanceId: undefined,
    eipAddress: undefined,
  }
}
