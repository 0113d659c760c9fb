// Jobs, servers and flavors as this API writes them. Names that only this API knows live here.
//
// - A server is the native object with differences: a flavor of texts, versions of addresses as texts, and facts
//   that the native API shows only to admins or from some microversion on.
// Source: contract, sections 10 and 11.3; the services' own pages of these calls.

import { createHash } from 'node:crypto'
import type { BatchRow } from '#kernel/batch.ts'
import type { Flavor, Image } from '#kernel/catalogue.ts'
import { compact } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import { isObject } from '../shared/http.ts'
import { objectIn } from '../shared/json-facts.ts'
import { partsFailed, type Words } from './faults.ts'
import { type Action, type Family, type JobStatus, jobTypes } from './states.ts'

/** One server's part of a job. */
export interface Part {
  readonly serverId: string
  readonly status: JobStatus
  readonly beginMs: number
  /** Null while it runs. */
  readonly endMs: number | null
  /** Null unless it failed. */
  readonly failure: Words | null
  /** Why, in our own words. */
  readonly detail: string | null
}

const timeText = (ms: number): string => new Date(ms).toISOString()

export function jobObject(
  row: BatchRow,
  { family, action }: { readonly family: Family; readonly action: Action },
  parts: readonly Part[],
): object {
  const types = jobTypes[family][action]
  const running = parts.some(({ endMs }) => endMs === null)
  const failures = parts.flatMap(({ failure }) => (failure === null ? [] : [failure]))
  const status: JobStatus = running ? 'RUNNING' : failures.length === 0 ? 'SUCCESS' : 'FAIL'
  const failure = status === 'FAIL' ? wholeFailure(failures) : null
  const ends = parts.map(({ endMs }) => endMs ?? row.atMs)
  return {
    status,
    entities: {
      sub_jobs_total: parts.length,
      sub_jobs: parts.map((part, index) =>
        partObject(part, { id: partId(row, index), family, type: types.part }),
      ),
    },
    job_id: compact(row.id),
    job_type: types.whole,
    begin_time: timeText(row.atMs),
    end_time: running ? null : timeText(Math.max(row.atMs, ...ends)),
    error_code: failure?.code ?? null,
    fail_reason: failure?.message ?? null,
  }
}

/** One code for all, or the code that says that several differ. */
function wholeFailure(failures: readonly Words[]): Words {
  const [first] = failures
  const isOne = first !== undefined && failures.every(({ code }) => code === first.code)
  return isOne ? first : partsFailed
}

function partObject(
  part: Part,
  { id, family, type }: { readonly id: string; readonly family: Family; readonly type: string },
): object {
  const { status, serverId, beginMs, endMs, failure, detail } = part
  const isTold = family === 'ecs' && failure !== null
  return {
    status,
    entities: {
      server_id: serverId,
      ...(isTold ? { errorcode_message: detail ?? failure.message } : {}),
    },
    job_id: id,
    job_type: type,
    begin_time: timeText(beginMs),
    end_time: endMs === null ? null : timeText(endMs),
    error_code: failure?.code ?? null,
    fail_reason: failure === null ? null : reasonText(failure, detail),
  }
}

const reasonText = ({ message }: Words, detail: string | null): string =>
  detail === null || detail === message ? message : `${message} ${detail}`

/** The same each time it is asked for. */
const partId = ({ id }: BatchRow, index: number): string =>
  createHash('sha256').update(`${id} ${index}`).digest('hex').slice(0, 32)

/** What a server's object is made of besides its row. */
export interface Surroundings {
  /** As the native API shows it. */
  readonly native: Readonly<Record<string, unknown>>
  readonly flavor: Flavor | undefined
  readonly image: Image | undefined
  readonly tags: readonly string[]
  readonly reservationId: string | undefined
  readonly isLocked: boolean
}

export const bareMetalTag = '__type_baremetal'
/** There is one enterprise project, the default one. */
export const enterpriseProject = '0'

export function serverObject(instance: Instance, around: Surroundings): object {
  const { native, flavor, image, tags, reservationId, isLocked } = around
  return {
    ...native,
    flavor: flavorRef(instance.flavorId ?? '', flavor),
    addresses: addressesOf(instance, native['addresses']),
    metadata: { ...instance.labels, ...systemMetadata(flavor, image) },
    description: instance.description,
    host_status: 'UP',
    locked: isLocked,
    tags,
    sys_tags: [{ key: '_sys_enterprise_project_id', value: enterpriseProject }],
    'os:scheduler_hints': {},
    enterprise_project_id: enterpriseProject,
    'OS-EXT-SRV-ATTR:hostname': instance.name,
    'OS-EXT-SRV-ATTR:reservation_id': reservationId ?? '',
    'OS-EXT-SRV-ATTR:launch_index': 0,
    'OS-EXT-SRV-ATTR:kernel_id': '',
    'OS-EXT-SRV-ATTR:ramdisk_id': '',
    'OS-EXT-SRV-ATTR:root_device_name': '/dev/sda',
    'OS-EXT-SRV-ATTR:user_data': '',
  }
}

const flavorRef = (id: string, flavor: Flavor | undefined): object => ({
  id,
  name: flavor?.name ?? id,
  disk: String(flavor?.diskGiB ?? 0),
  vcpus: String(flavor?.vcpus ?? 0),
  ram: String(flavor?.memoryMiB ?? 0),
})

const systemMetadata = (
  flavor: Flavor | undefined,
  image: Image | undefined,
): Readonly<Record<string, string>> => ({
  'metering.resourcetype': flavor?.bareMetal ? bareMetalTag : '1',
  'metering.resourcespeccode': flavor?.id ?? '',
  chargingMode: '0',
  os_type: 'Linux',
  os_bit: '64',
  ...(image === undefined ? {} : { image_name: image.name }),
  vpc_id: networkId,
})

/** One network, without a service that would list it. */
const networkId = '7e2d2a3c-9c39-5a5e-8f0a-4d2f5b8a1c60'

function addressesOf(instance: Instance, native: unknown): object {
  const networks = isObject(native) ? Object.entries(native) : []
  return Object.fromEntries(
    networks.map(([label, addresses]) => [
      label,
      (Array.isArray(addresses) ? addresses : []).map((one: unknown) => portOf(instance, one)),
    ]),
  )
}

function portOf(instance: Instance, address: unknown): object {
  const known = isObject(address) ? address : {}
  const digits = createHash('sha256')
    .update(`${instance.id} ${String(known['addr'])}`)
    .digest('hex')
  const port = [8, 12, 16, 20, 32].map((end, at, ends) => digits.slice(ends[at - 1] ?? 0, end))
  return { ...known, version: String(known['version']), 'OS-EXT-IPS:port_id': port.join('-') }
}

export const flavorObject = (flavor: Flavor, baseUrl: string, project: string): object => ({
  id: flavor.id,
  name: flavor.name,
  vcpus: String(flavor.vcpus),
  ram: flavor.memoryMiB,
  disk: String(flavor.diskGiB),
  swap: '',
  'OS-FLV-EXT-DATA:ephemeral': 0,
  'OS-FLV-DISABLED:disabled': false,
  rxtx_factor: 1,
  rxtx_quota: null,
  rxtx_cap: null,
  'os-flavor-access:is_public': true,
  links: [
    { rel: 'self', href: `${baseUrl}/v2.1/${project}/flavors/${encodeURIComponent(flavor.id)}` },
    { rel: 'bookmark', href: `${baseUrl}/${project}/flavors/${encodeURIComponent(flavor.id)}` },
  ],
  os_extra_specs: { resource_type: 'ironic', ...objectIn(flavor.attributes, 'extra_specs') },
})
