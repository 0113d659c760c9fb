// Rows, from the kernel to this cloud's wire. Its names live here and in decode.ts.
// Source: edge inference contract, sections 1.3 to 1.5 and 1.11.

import type { Flavor, Image, Node } from '#kernel/catalogue.ts'
import { compact } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import { isJsonObject, type Json, type JsonObject } from '#kernel/json.ts'
import type { Service } from '#kernel/service.ts'
import { flagIn, listIn, numberIn, objectIn, textIn, textsIn } from '../shared/json-facts.ts'
import { hostInUrl, seenUrl } from '../shared/seen-url.ts'
import { hostState, serviceStatus, shownInstance } from './states.ts'

/** This door's name; it is also the name under which it keeps what it was told. */
export const doorName = 'modelarts-service'

export const defaultWorkspaceId = '0'

/** The flavor behind `specification: "custom"`; the sizes come with each service. */
export const customFlavor = { id: 'modelarts.vm.custom', shownAs: 'custom' } as const

/** What a service was deployed with, kept to be shown again. */
export type Kept = {
  readonly inferType: string
  readonly config: readonly JsonObject[]
  readonly additionalProperties: JsonObject
  readonly schedule: readonly JsonObject[]
  /** Every configuration that it was given, by the request that gave it: the newest, as far as they fit. */
  readonly updates: readonly Given[]
}
export type Given = { readonly requestId: string; readonly config: readonly JsonObject[] }

/** Configurations hold what their senders like, so the row that keeps them all is bounded. */
const updatesMax = 100
const updatesTextMax = 262_144

export function withUpdate(before: readonly Given[], given: Given): readonly Given[] {
  const all = [...before, given].slice(-updatesMax)
  while (all.length > 1 && JSON.stringify(all).length > updatesTextMax) all.shift()
  return all
}

export const keptOf = (service: Service): Partial<Kept> =>
  (service.attributes[doorName] ?? {}) as Partial<Kept> // this door alone writes it

export const inferTypeOf = (service: Service): string =>
  textIn(service.attributes[doorName] ?? {}, 'inferType') ??
  (service.onNodes ? 'edge' : 'real-time')

export const modelsOf = (service: Service): readonly string[] =>
  configsOf(service).flatMap((entry) => textIn(entry, 'model_id') ?? [])

/** Another door deployed it: what it was given was never told here. */
export const isKnownByInstances = (service: Service): boolean =>
  service.onNodes && configsOf(service).length === 0

const configsOf = (service: Service): readonly JsonObject[] =>
  (listIn(service.attributes[doorName] ?? {}, 'config') ?? []).filter(isJsonObject)

export const flavorIdOf = (service: Service): string => {
  const specification = textIn(configsOf(service)[0] ?? {}, 'specification') ?? ''
  return specification === customFlavor.shownAs ? customFlavor.id : specification
}

export const encodeDeployed = (service: Service): object => ({
  service_id: service.id,
  resource_ids: [`INF-${compact(service.id).slice(-16)}@${service.createdAtMs}`],
})

/** What is shown of a service besides its own row. */
export interface Scene {
  readonly service: Service
  /** Account id of the caller's project. */
  readonly tenant: string
  readonly nowMs: number
  readonly isFree: boolean
  /** Those not gone. In a list only a service needs them that is being deployed, or that another door deployed. */
  readonly instances: readonly Instance[]
}

/** An entry of a list. */
export function encodeService({ service, tenant, nowMs, isFree, instances }: Scene): object {
  const kept = service.attributes[doorName] ?? {}
  const schedule = listIn(kept, 'schedule') ?? []
  return {
    service_id: service.id,
    service_name: service.name,
    description: service.description,
    tenant,
    project: service.project,
    owner: service.createdBy,
    publish_at: service.deployedAtMs,
    infer_type: inferTypeOf(service),
    workspace_id: service.workspace,
    status: serviceStatus[service.status],
    progress: service.status === 'deploying' ? progressOf(instances) : 100,
    invocation_times: 0,
    failed_times: 0,
    is_shared: service.shared,
    shared_count: service.shared ? 1 : 0,
    operation_time: nowMs,
    transition_at: service.statusSinceMs,
    is_free: isFree,
    is_opened_sample_collection: false,
    additional_properties: objectIn(kept, 'additionalProperties') ?? {},
    ...(schedule.length === 0 ? {} : { schedule, due_time: dueMs(service, schedule) }),
  }
}

const unitMs = { DAYS: 86_400_000, HOURS: 3_600_000, MINUTES: 60_000 } as const

/** When the first of the scheduled stops is due. */
function dueMs({ deployedAtMs }: Service, schedule: readonly Json[]): number {
  const all = schedule.filter(isJsonObject).map((one) => {
    const unit = textIn(one, 'time_unit') as keyof typeof unitMs // one of its keys, checked when it was sent
    return (numberIn(one, 'duration') ?? 0) * unitMs[unit]
  })
  return deployedAtMs + Math.min(...all)
}

/** Percent of instances that are no longer under way; below 100, since something still is. */
function progressOf(instances: readonly Instance[]): number {
  if (instances.length === 0) return 0
  const settled = instances.filter((one) => one.underway === null).length
  return Math.min(99, Math.floor((100 * settled) / instances.length))
}

export interface Detail extends Scene {
  readonly image: Image | undefined
  readonly nodes: ReadonlyMap<string, Node>
  /** How many instances each node carries. */
  readonly deployments: ReadonlyMap<string, number>
}

export function encodeDetail(detail: Detail): object {
  const { service } = detail
  return {
    ...encodeService(detail),
    update_time: service.configuredAtMs,
    ...(service.status === 'failed' ? { error_msg: service.failure ?? '' } : {}),
    config: service.onNodes
      ? [encodeEdgeConfig(detail)]
      : configsOf(service).map((entry) => ({ ...entry, ...modelFacts(detail.image) })),
  }
}

export const modelFacts = (image: Image | undefined): object =>
  image === undefined
    ? {}
    : {
        model_name: image.name,
        model_version: textIn(image.attributes, 'version') ?? '0.0.1',
      }

export const specificationOf = (flavorId: string): string =>
  flavorId === customFlavor.id ? customFlavor.shownAs : flavorId

/** What it is to be made of, once what was there before is gone. */
export const madeOf = (instance: Instance): Pick<Instance, 'flavorId' | 'imageId' | 'launch'> =>
  instance.refit ?? instance

function encodeEdgeConfig({ service, instances, image, nodes, deployments }: Detail): object {
  const first = instances[0] && madeOf(instances[0])
  const launch = first?.launch ?? {}
  return {
    model_id: first?.imageId ?? modelsOf(service)[0] ?? '',
    ...modelFacts(image),
    specification: specificationOf(first?.flavorId ?? flavorIdOf(service)),
    custom_spec: objectIn(launch, 'customSpec') ?? {},
    envs: objectIn(launch, 'env') ?? {},
    nodes: instances.map((instance) =>
      encodeNode(
        instance,
        nodes.get(instance.nodeId ?? ''),
        deployments.get(instance.nodeId ?? '') ?? 0,
      ),
    ),
  }
}

function encodeNode(instance: Instance, node: Node | undefined, deployments: number): object {
  const facts = node?.attributes ?? {}
  const { status, message } = shownInstance(instance)
  return {
    id: instance.nodeId,
    name: node?.name ?? instance.nodeId,
    description: textIn(facts, 'description') ?? '',
    node_label: textIn(facts, 'node_label') ?? '',
    host_name: textIn(facts, 'host_name') ?? node?.name ?? '',
    instance_status: status,
    ...(message === null ? {} : { message }),
    predict_url: predictUrl(instance, facts),
    state: hostState[node?.state ?? 'unconnected'],
    os_name: textIn(facts, 'os_name') ?? '',
    os_type: textIn(facts, 'os_type') ?? 'linux',
    os_version: textIn(facts, 'os_version') ?? '',
    arch: textIn(facts, 'arch') ?? 'x86_64',
    cpu: numberIn(facts, 'cpu') ?? 0,
    memory: numberIn(facts, 'memory') ?? 0,
    gpu_num: numberIn(facts, 'gpu_num') ?? 0,
    enable_gpu: flagIn(facts, 'enable_gpu') ?? hasGpu(node),
    host_ips: textsIn(facts, 'host_ips'),
    deployment_num: deployments,
    created_at: wireTime(node?.createdAtMs ?? instance.createdAtMs),
    updated_at: wireTime(node?.updatedAtMs ?? instance.updatedAtMs),
  }
}

const hasGpu = (node: Node | undefined): boolean =>
  node?.accelerators?.includes('GPU') === true ||
  (numberIn(node?.attributes ?? {}, 'gpu_num') ?? 0) > 0

/** Where its driver says that it listens; before it knows, where this cloud would have put it. */
function predictUrl(instance: Instance, facts: JsonObject): string {
  // What runs here speaks plain HTTP: nothing in front of it holds a certificate.
  const seen = seenUrl(instance.observation.evidence)
  if (seen !== undefined) return seen
  const env = objectIn(instance.launch, 'env') ?? {}
  const scheme = textIn(env, 'MODELARTS_SSL_ENABLED') === 'false' ? 'http' : 'https'
  return `${scheme}://${hostInUrl(textsIn(facts, 'host_ips')[0] ?? '127.0.0.1')}:1032`
}

/** `YYYY-MM-DDThh:mm:ss`, UTC. */
const wireTime = (ms: number): string => new Date(ms).toISOString().slice(0, 19)

export const encodeSpecification = (flavor: Flavor, isSoldOut: boolean): object => {
  const name = specificationOf(flavor.id)
  return {
    specification: name,
    billing_spec: name,
    spec_status: isSoldOut ? 'sellout' : 'normal',
    is_open: true,
    source_type: '',
    is_free: flavor.charge === 'free',
    over_quota: false,
    extend_params: 1,
    display_en: flavor.name,
    display_cn: textIn(flavor.attributes, 'display_cn') ?? flavor.name,
  }
}
