// A notebook as the second family's object, with its lease, and the lists that lead to one: flavors and images.
// All moments are numbers here and run times are milliseconds. Enumerations are upper case, but for `arch` of a
// flavor.
// Source: notebook contract, sections 1.10, 1.12, 1.14, 1.16 and 1.17.

import type { Flavor, Image } from '#kernel/catalogue.ts'
import type { Instance } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import { listIn, numberIn, objectIn, textIn, textsIn } from '../shared/json-facts.ts'
import type { Facts, Sale } from './facts.ts'
import { labRows, type LabStatus, notebookSituation } from './states.ts'
import { isFree, keptOf, runTimeOf, tokenOf, urlOf, workspaceOf } from './wire.ts'

export interface LabView {
  readonly instance: Instance
  readonly facts: Facts
  /** Right after a request: what it came to, whatever the notebook has become since. */
  readonly status?: LabStatus
}

export const labId = (instance: Instance): string => instance.aliases['lab'] ?? instance.id

export function encodeNotebook({ instance, facts, status }: LabView): object {
  const kept = keptOf(instance)
  const { image, flavor, userName, domain } = facts
  const pool = objectIn(kept, 'pool')
  const { failure } = instance
  const url = urlOf(instance)
  const progress = encodeProgress(instance)
  return {
    id: labId(instance),
    name: instance.name,
    description: instance.description,
    feature: featureOf(flavor),
    flavor: instance.flavorId,
    status: status ?? labRows[notebookSituation(instance)].status,
    workspace_id: workspaceOf(instance),
    create_at: instance.createdAtMs,
    update_at: instance.updatedAtMs,
    image: image === undefined ? { id: instance.imageId } : encodeImage(image),
    lease: encodeLease(instance, flavor),
    volume: encodeVolume(instance),
    endpoints: (listIn(kept, 'endpoints') ?? []).map((one) => encodeEndpoint(one, url)),
    url,
    token: tokenOf(instance),
    ...(progress.length === 0 ? {} : { action_progress: progress }),
    ...(failure === null ? {} : { fail_reason: failure.message }),
    ...(pool === undefined ? {} : { pool: { name: '', ...pool } }),
    billing_items: billingOf(flavor),
    user: { id: instance.createdBy, name: userName, domain },
    user_id: instance.createdBy,
    tags: Object.entries(instance.labels).map(([key, value]) => ({ key, value })),
    ...objectIn(kept, 'extras'),
  }
}

export const featureOf = (flavor: Flavor | undefined): 'NOTEBOOK' | 'DEFAULT' =>
  isFree(flavor) ? 'DEFAULT' : 'NOTEBOOK'

/** What of it is charged for. */
export const billingOf = (flavor: Flavor | undefined): readonly string[] =>
  isFree(flavor) ? [] : ['ALL']

const runMsDefault = 3_600_000

/**
 * The run time counts from the creation, not from the last start: it ends at `create_at + duration`.
 * Source: section 1.12, "Arithmetic".
 */
export function encodeLease(instance: Instance, flavor: Flavor | undefined): object {
  const kept = objectIn(keptOf(instance), 'lease') ?? {}
  const { enabled, afterMs } = runTimeOf(instance, flavor)
  const runMs = afterMs ?? runMsDefault
  const { createdAtMs } = instance
  const sinceMs = instance.autoStop?.sinceMs ?? upSinceMs(instance, runMs)
  return {
    create_at: createdAtMs,
    update_at: sinceMs,
    duration: sinceMs - createdAtMs + runMs,
    enable: enabled,
    type: textIn(kept, 'type') ?? 'TIMING',
  }
}

/** One that was made through another door may have an auto stop that counts from when it was seen up. */
const upSinceMs = ({ timers, createdAtMs }: Instance, runMs: number): number =>
  timers.autoStopAtMs === null ? createdAtMs : timers.autoStopAtMs - runMs

/** What this family, or the other one, was told of its storage. */
export function volumeOf(instance: Instance) {
  const kept = keptOf(instance)
  const volume = objectIn(kept, 'volume') ?? {}
  const location = objectIn(objectIn(kept, 'storage') ?? {}, 'location') ?? {}
  return {
    kept: volume,
    category: textIn(volume, 'category') ?? 'EVS',
    capacity: numberIn(volume, 'capacity') ?? numberIn(location, 'volume_size') ?? 5,
  }
}

function encodeVolume(instance: Instance): object {
  const { kept, category, capacity } = volumeOf(instance)
  const uri = textIn(kept, 'uri')
  const id = textIn(kept, 'id')
  return {
    category,
    ownership: textIn(kept, 'ownership') ?? 'MANAGED',
    mount_path: '/home/ma-user/work/',
    capacity,
    ...(uri === undefined ? {} : { uri }),
    ...(id === undefined ? {} : { id }),
  }
}

const progressSteps = ['storage', 'compute', 'network', 'initialise'] as const

/**
 * How far a creation or a start has come; a failed one shows where it ended. Both spellings of the description.
 * The thing is made (its storage is there), then started (it computes), then it answers, then it is ready.
 */
function encodeProgress(instance: Instance): readonly object[] {
  const { observation, handle } = instance
  const situation = notebookSituation(instance)
  const isFailed = situation === 'failed/create' || situation === 'failed/start'
  const isComing = instance.underway?.verb === 'create' || instance.underway?.verb === 'start'
  if (!isFailed && !isComing) return []
  const done = handle === null ? 0 : observation.seen === 'up' ? (observation.ready ? 3 : 2) : 1
  return progressSteps.map((name, index) => ({
    notebook_id: labId(instance),
    step: index + 1,
    status:
      index < done ? 'COMPLETED' : index > done ? 'WAITING' : isFailed ? 'FAILED' : 'PROCESSING',
    step_description: name,
    description: name,
  }))
}

/** Documentation and SDKs disagree about where the key names are, so both have them. */
function encodeEndpoint(endpoint: unknown, url: string): object {
  const asked = (endpoint ?? {}) as JsonObject // kept by this door, from a body whose shape was checked
  const names = textsIn(asked, 'key_pair_names')
  return {
    service: textIn(asked, 'service') ?? 'SSH',
    dev_service: textIn(asked, 'service') ?? 'SSH',
    uri: url,
    key_pair_names: names,
    ssh_keys: names,
    allowed_access_ips: textsIn(asked, 'allowed_access_ips'),
  }
}

export function encodeImage(image: Image): object {
  const facts = image.attributes
  const tag = textIn(facts, 'image_tag') ?? 'latest'
  return {
    id: image.id,
    name: image.name,
    swr_path: textIn(facts, 'swr_path') ?? `${image.name}:${tag}`,
    tag,
    type: 'BUILD_IN',
    description: textIn(facts, 'description') ?? '',
    arch: (textIn(facts, 'arch') ?? 'X86_64').toUpperCase(),
    status: 'ACTIVE',
  }
}

export function encodeFlavor(flavor: Flavor, sale: Sale): object {
  const storages = textsIn(flavor.attributes, 'storages')
  const gpuType = textIn(flavor.attributes, 'gpu_type') ?? ''
  return {
    id: flavor.id,
    name: flavor.name,
    description: textIn(flavor.attributes, 'description') ?? '',
    arch: (textIn(flavor.attributes, 'arch') ?? 'x86_64').toLowerCase(),
    category: flavor.hardware,
    feature: featureOf(flavor),
    free: isFree(flavor),
    sold_out: sale.isSoldOut,
    vcpus: flavor.vcpus,
    // KB.
    memory: flavor.memoryMiB * 1024,
    storages: storages.length > 0 ? storages.map((one) => one.toUpperCase()) : ['EVS', 'EFS'],
    billing: { code: flavor.id, unit_num: 1 },
    ...(flavor.gpus === 0 ? {} : { gpu: { gpu: flavor.gpus, gpu_memory: '', type: gpuType } }),
  }
}

/** Pages are counted from 1. */
export const encodePage = <Data extends object>(
  data: readonly Data[],
  {
    offset,
    limit,
    total,
  }: { readonly offset: number; readonly limit: number; readonly total: number },
) => ({
  current: Math.floor(offset / limit) + 1,
  data,
  pages: Math.ceil(total / limit),
  size: limit,
  total,
})
