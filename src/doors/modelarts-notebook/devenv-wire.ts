// A notebook as the first family's instance object. Moments of creation and update are texts of digits here,
// all others are numbers; run times are seconds.
// Source: notebook contract, section 1.9.

import type { Flavor, Image } from '#kernel/catalogue.ts'
import type { Instance } from '#kernel/instance.ts'
import { flagIn, listIn, numberIn, objectIn, textIn, textsIn } from '../shared/json-facts.ts'
import type { Facts } from './facts.ts'
import { type DevenvStatus, devenvStatusOf } from './states.ts'
import { aiProjectOf, isFree, keptOf, runTimeOf, secondsOf, urlOf, workspaceOf } from './wire.ts'

export interface DevenvView {
  readonly instance: Instance
  readonly facts: Facts
  readonly baseUrl: string
  /** Right after a request: what it came to, whatever the instance has become since. */
  readonly status?: DevenvStatus
}

export const devenvId = (instance: Instance): string => instance.aliases['devenv'] ?? instance.id

export function encodeDevenv(view: DevenvView): object {
  const { instance, facts } = view
  const kept = keptOf(instance)
  const status = view.status ?? devenvStatusOf(instance)
  const { flavor } = facts
  const pool = objectIn(kept, 'pool')
  const failure = instance.failure === null ? {} : { error_code: failureCode(instance) }
  return {
    id: devenvId(instance),
    name: instance.name,
    description: instance.description,
    status,
    creation_timestamp: String(instance.createdAtMs),
    latest_update_timestamp: String(instance.updatedAtMs),
    flavor: instance.flavorId,
    flavor_details: flavor === undefined ? null : encodeFlavor(flavor, facts),
    profile: encodeProfile(instance.imageId ?? '', facts.image),
    spec: encodeSpec(view, status),
    workspace: { id: workspaceOf(instance) },
    ai_project: { id: aiProjectOf(instance) },
    user: { id: instance.createdBy, name: facts.userName },
    ...(pool === undefined ? {} : { pool }),
    ...(instance.queue === null ? {} : { queuing_info: encodeQueuing(view, status) }),
    ...failure,
  }
}

/** Which of the vendor's codes says most about it: the back end could not start it, or something else. */
const failureCode = ({ failure }: Instance): string =>
  failure?.verb === 'create' || failure?.verb === 'start' || failure?.verb === 'restart'
    ? 'ModelArts.6360'
    : 'ModelArts.6361'

function encodeFlavor(flavor: Flavor, { sale, nowMs }: Facts): object {
  const queues = isFree(flavor) && sale.isSoldOut
  const gpuType = textIn(flavor.attributes, 'gpu_type')
  const storages = textsIn(flavor.attributes, 'storages')
  return {
    name: flavor.id,
    status: sale.isSoldOut ? 'soldOut' : 'onSale',
    type: flavor.hardware,
    params: {
      CPU: flavor.vcpus,
      GPU: flavor.gpus,
      memory: `${Math.round(flavor.memoryMiB / 102.4) / 10}GiB`,
      ...(gpuType === undefined ? {} : { gpu_type: gpuType }),
    },
    promo_type: isFree(flavor) ? 'Free' : 'NoDiscount',
    ...(queues
      ? {
          queuing_num: sale.waiting,
          queue_left_time: secondsOf((sale.turns.get('')?.atMs ?? nowMs) - nowMs),
        }
      : {}),
    storage_list: storages.length > 0 ? storages.map((one) => one.toLowerCase()) : ['obs', 'evs'],
    is_permitted: sale.isPermitted,
    instance_num: sale.ownCount,
    ...(flavor.autoStopMs === null ? {} : { duration: secondsOf(flavor.autoStopMs) }),
    store_time: flavor.storeMs === null ? -1 : Math.round(flavor.storeMs / 3_600_000),
    billing_flavor: flavor.id,
    billing_params: 1,
  }
}

const profileHardware = { CPU: 'CPU', GPU: 'GPU', ASCEND: 'Ascend' } as const

function encodeProfile(id: string, image: Image | undefined): object {
  const facts = image?.attributes ?? {}
  return {
    id,
    name: image?.name ?? id,
    description: textIn(facts, 'description') ?? '',
    de_type: 'Notebook',
    flavor_type: profileHardware[image?.hardware ?? 'CPU'],
    provision: {
      type: 'Docker',
      annotations: { category: textIn(facts, 'category') ?? image?.name ?? id, type: 'system' },
      spec: {
        engine: 'CCE',
        params: {
          annotations: null,
          namespace: textIn(facts, 'namespace') ?? 'atelier',
          image_name: textIn(facts, 'image_name') ?? image?.name ?? id,
          image_tag: textIn(facts, 'image_tag') ?? 'latest',
        },
      },
    },
  }
}

function encodeSpec({ instance, facts, baseUrl }: DevenvView, status: DevenvStatus): object {
  const kept = keptOf(instance)
  const { failure } = instance
  const extended = listIn(kept, 'extendStorage') ?? []
  return {
    annotations: {
      ...objectIn(kept, 'annotations'),
      target_domain: baseUrl,
      url: status === 'RUNNING' ? urlOf(instance) : '',
    },
    auto_stop: encodeAutoStop(instance, facts, status),
    extend_params: null,
    extend_storage: extended.length > 0 ? extended : null,
    failed_reasons:
      failure === null
        ? null
        : { code: failureCode(instance), message: failure.message, detail: failure.verb },
    repository: null,
    storage: encodeStorage(instance),
    ...(status === 'READY_TO_START' ? { resource_reserved_timestamp: instance.stateSinceMs } : {}),
  }
}

function encodeAutoStop(instance: Instance, facts: Facts, status: DevenvStatus): object {
  const { enabled, afterMs } = runTimeOf(instance, facts.flavor)
  const { autoStopAtMs } = instance.timers
  const isArmed = status === 'RUNNING' && enabled && autoStopAtMs !== null
  return {
    enable: enabled,
    ...(afterMs === null ? {} : { duration: Math.round(afterMs / 1000) }),
    prompt: flagIn(keptOf(instance), 'prompt') ?? true,
    ...(isArmed
      ? { stop_timestamp: autoStopAtMs, remain_time: secondsOf(autoStopAtMs - facts.nowMs) }
      : {}),
  }
}

const workPath = '/home/ma-user/work'

function encodeStorage(instance: Instance): object {
  const storage = objectIn(keptOf(instance), 'storage') ?? {}
  const location = objectIn(storage, 'location') ?? {}
  const type = textIn(storage, 'type') ?? 'evs'
  if (type === 'obs') return { type, location: { path: textIn(location, 'path') ?? '' } }
  if (type === 'obsfs')
    return {
      type,
      location: {
        path: textIn(location, 'path') ?? '',
        mount_path: textIn(location, 'mount_path') ?? workPath,
        access_modes: textIn(location, 'access_modes') ?? 'ReadWriteMany',
      },
    }
  return {
    type: 'evs',
    location: {
      path: workPath,
      volume_size: numberIn(location, 'volume_size') ?? 5,
      volume_unit: 'GB',
    },
  }
}

/**
 * The estimate is for the whole wait: it ends at `begin_timestamp` plus so many whole seconds.
 * Source: section 2.4.
 */
function encodeQueuing({ instance, facts }: DevenvView, status: DevenvStatus): object {
  const beginsAtMs = instance.queue?.sinceMs ?? instance.stateSinceMs
  const { flavor, sale, nowMs } = facts
  const { rank, atMs } = sale.turns.get(instance.id) ?? { rank: 1, atMs: nowMs }
  const endsAtMs = beginsAtMs + secondsOf(atMs - beginsAtMs) * 1000
  return {
    id: devenvId(instance),
    name: instance.name,
    de_type: 'Notebook',
    flavor: instance.flavorId,
    flavor_details: flavor === undefined ? null : encodeFlavor(flavor, facts),
    status,
    begin_timestamp: beginsAtMs,
    remain_time: secondsOf(endsAtMs - nowMs),
    end_timestamp: endsAtMs,
    rank,
  }
}
