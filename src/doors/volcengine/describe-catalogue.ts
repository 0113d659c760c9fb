// What instances can be made of and where: regions, zones, types, images. All of it is the plane's catalogue
// and this door's settings, put into this cloud's words.
//
// A flavor's and an image's `attributes.ecs` holds facts that only this cloud shows, in its own words
// (`Processor`, `LocalVolumes`, `OsType`, …); they go over what is derived here.
// Source: contracts/volcengine-ecs.md section 7.6; DescribeImages has no section there, its fields are those of
// the vendor's SDK models `DescribeImagesInput` and `ImageForDescribeImagesOutput`.

import { seesFlavor } from '#kernel/access.ts'
import { type Flavor, type Image, isImageOf } from '#kernel/catalogue.ts'
import { err, ok } from '#kernel/errors.ts'
import { isJsonObject, type JsonObject } from '#kernel/json.ts'
import { flagIn, listIn, objectIn, textIn } from '#doors/shared/json-facts.ts'
import { walk } from '#doors/shared/offset-page.ts'
import { type Call, isHere, type Outcome, zonesOf } from './call.ts'
import { business } from './faults.ts'
import { tagFilters } from './filters.ts'
import { pageOfList } from './paging.ts'
import type { Reading } from './reading.ts'
import type { TagEntry } from './wire.ts'

const placesMax = 20

export async function describeRegions({ reading, place }: Call): Promise<Outcome> {
  const ids = reading.list('RegionIds', { max: placesMax, fault: business.regionIdsExceeded })
  const all = [{ RegionId: place.region }]
  const found = all.filter(({ RegionId }) => ids.length === 0 || ids.includes(RegionId))
  const page = pageOfList(reading, found, { size: 10, max: 20, idOf: (one) => one.RegionId })
  if (reading.fault) return err(reading.fault)
  return ok({ Regions: page.rows, NextToken: page.next })
}

export async function describeZones(call: Call): Promise<Outcome> {
  const ids = call.reading.list('ZoneIds', { max: placesMax })
  const zones = zonesOf(call)
  if (ids.some((id) => !zones.includes(id))) call.reading.fail(business.zoneNotFound)
  if (call.reading.fault) return err(call.reading.fault)
  const found = zones.filter((zone) => ids.length === 0 || ids.includes(zone))
  return ok({ Zones: found.map((ZoneId) => ({ ZoneId })) })
}

/** Only the first so many names count; more are no error. */
const namesMax = 100

export async function describeInstanceTypes(call: Call): Promise<Outcome> {
  const { reading, plane } = call
  const unlimited = { max: Number.POSITIVE_INFINITY }
  const named = [
    ...reading.list('InstanceTypeIds', unlimited),
    ...reading.list('InstanceTypes', unlimited),
  ].slice(0, namesMax)
  const imageId = reading.text('ImageId')
  const flavors = isHere(call) ? await Array.fromAsync(walk(plane.read, 'flavors', {})) : []
  const image = imageId === undefined ? undefined : await imageNamed(call, imageId)
  const found = flavors.filter(
    (flavor) =>
      flavor.kinds.includes('server') &&
      seesFlavor(call.principal.caller, flavor) &&
      (named.length === 0 || named.includes(flavor.id)) &&
      (imageId === undefined || flavor.hardware === image?.hardware),
  )
  const page = pageOfList(reading, found, { size: 10, max: 1000, idOf: ({ id }) => id })
  if (reading.fault) return err(reading.fault)
  const InstanceTypes = page.rows.map(instanceTypeEntry)
  return ok({ InstanceTypes, NextToken: page.next, TotalCount: found.length })
}

async function typeNamed({ plane, principal }: Call, id: string): Promise<Flavor | undefined> {
  const flavor = await plane.read.get('flavors', id)
  return flavor && seesFlavor(principal.caller, flavor) ? flavor : undefined
}

/** One that another account captured is as good as none. */
async function imageNamed({ plane, principal }: Call, id: string): Promise<Image | undefined> {
  const image = await plane.read.get('images', id)
  return image && isImageOf(image, principal.account) ? image : undefined
}

/** `Gpu` is there only for types that have some: its presence is what says so. */
function instanceTypeEntry(flavor: Flavor): object {
  const gpu = { Count: flavor.gpus, ProductName: '', Memory: { Size: 0, EncryptedSize: 0 } }
  return {
    InstanceTypeId: flavor.id,
    InstanceTypeFamily: flavor.family,
    Processor: { Cpus: flavor.vcpus, Model: '', BaseFrequency: 0, TurboFrequency: 0 },
    Memory: { Size: flavor.memoryMiB, EncryptedSize: 0 },
    Network: {
      BaselineBandwidthMbps: 0,
      MaximumBandwidthMbps: 0,
      MaximumNetworkInterfaces: 1,
      MaximumPrivateIpv4AddressesPerNetworkInterface: 1,
      MaximumQueuesPerNetworkInterface: 1,
      MaximumThroughputKpps: 0,
    },
    Volume: { MaximumCount: 1, SupportedVolumeTypes: ['ESSD_PL0', 'ESSD_FlexPL'] },
    LocalVolumes: [],
    BaselineCredit: 0,
    InitialCredit: 0,
    IsSupportAffinityGroup: false,
    IsSupportJumboFrame: false,
    ...(flavor.gpus > 0 ? { Gpu: { GpuDevices: [gpu] } } : {}),
    ...objectIn(flavor.attributes, 'ecs'),
  }
}

export async function describeImages(call: Call): Promise<Outcome> {
  const { reading, plane } = call
  const ids = reading.list('ImageIds', { max: namesMax })
  const fits = imageTests(reading)
  const typeId = reading.text('InstanceTypeId')
  const type = typeId === undefined ? undefined : await typeNamed(call, typeId)
  const rows = isHere(call) ? await Array.fromAsync(walk(plane.read, 'images', {})) : []
  const found = rows
    .filter((image) => image.kinds.includes('server') && isImageOf(image, call.principal.account))
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .filter(({ hardware }) => typeId === undefined || hardware === type?.hardware)
    .map(imageEntry)
    .filter((entry) => fits.every((test) => test(entry)))
  const page = pageOfList(reading, found, { size: 10, max: 100, idOf: (one) => one.ImageId })
  if (reading.fault) return err(reading.fault)
  return ok({ Images: page.rows, NextToken: page.next, TotalCount: found.length })
}

/** Parameters and the field that each is about. */
const imageTexts = {
  ImageName: 'ImageName',
  ImageStatus: 'Status',
  OsType: 'OsType',
  Platform: 'Platform',
  ProjectName: 'ProjectName',
  Visibility: 'Visibility',
} as const
const imageFlags = ['IsSupportCloudInit', 'IsLTS'] as const

/** All must hold. A field that nobody has said anything of is empty, a flag false. */
function imageTests(reading: Reading): readonly ((entry: JsonObject) => boolean)[] {
  const texts = Object.entries(imageTexts).flatMap(([name, field]) => {
    const text = reading.text(name)
    return text === undefined ? [] : [(entry: JsonObject) => textIn(entry, field) === text]
  })
  const flags = imageFlags.flatMap((name) => {
    const flag = reading.flag(name)
    return flag === undefined
      ? []
      : [(entry: JsonObject) => (flagIn(entry, name) ?? false) === flag]
  })
  const statuses = reading.list('Status', { max: namesMax })
  const ofStatus = (entry: JsonObject) => statuses.includes(textIn(entry, 'Status') ?? '')
  const tags = tagFilters(reading).map(
    ({ fitsTags }) =>
      (entry: JsonObject) =>
        fitsTags(tagsIn(entry)),
  )
  return [...texts, ...flags, ...(statuses.length === 0 ? [] : [ofStatus]), ...tags]
}

const tagsIn = (entry: JsonObject): readonly TagEntry[] =>
  (listIn(entry, 'Tags') ?? []).filter(isJsonObject).map((tag) => ({
    Key: textIn(tag, 'Key') ?? '',
    Value: textIn(tag, 'Value') ?? '',
  }))

const imageEntry = (image: Image) => ({
  Architecture: 'amd64',
  Description: '',
  ImageName: image.name,
  IsSupportCloudInit: false,
  OsName: image.name,
  OsType: 'Linux',
  Platform: '',
  PlatformVersion: '',
  ProjectName: 'default',
  ShareStatus: '',
  Size: 0,
  Snapshots: [],
  Status: 'available',
  Tags: [],
  Visibility: 'public',
  ...objectIn(image.attributes, 'ecs'),
  ImageId: image.id,
  // What it was captured from may say otherwise of itself, and so would the copy.
  ...(image.isSaving ? { Status: 'creating' } : {}),
  ...(image.project === undefined ? {} : { Visibility: 'private' }),
})
