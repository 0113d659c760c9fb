// Bodies of this cloud, from the wire to a kernel request. Shapes are schemas; what a schema cannot say (one
// entry for edge, GPU or NPU but not both) follows them.
// Source: edge inference contract, sections 1.2, 1.3 and 1.6.

import type { Static } from 'typebox'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { DeployService, RedeployService } from '#kernel/request.ts'
import { Type } from '#schema/type.ts'
import { readFields } from '../shared/body-fields.ts'
import { isObject, parseJson } from '../shared/http.ts'
import { textIn } from '../shared/json-facts.ts'
import type { Fault } from '../shared/three-keys.ts'
import { badJson, badParameter, emptyParameter, fieldFault, noCluster } from './faults.ts'
import { powerOf } from './states.ts'
import { customFlavor, defaultWorkspaceId, type Kept } from './wire.ts'

const named = Type.String({ minLength: 1 })
// Letters, digits, Chinese, - and _.
const serviceName = Type.String({ minLength: 1, pattern: '^[A-Za-z0-9_\\u4e00-\\u9fff-]{1,64}$' })
const description = Type.String({ pattern: '^[^!<>+&"\']{0,100}$' })
// One sample of the vendor's sends it as a number.
const workspaceId = Type.Union([Type.String(), Type.Integer()])
const anyObject = Type.Object({})
const variableName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' })
const notices = Type.Object({
  smn_notification: Type.Optional(
    Type.Object({
      topic_urn: Type.Optional(Type.String()),
      events: Type.Optional(Type.Array(Type.Enum([1, 3, 7, 11]))),
    }),
  ),
})
const schedule = Type.Array(
  Type.Object({
    type: Type.Enum(['stop']),
    time_unit: Type.Enum(['DAYS', 'HOURS', 'MINUTES']),
    duration: Type.Integer({ minimum: 1 }),
  }),
)

const deployBody = Type.Object({
  service_name: serviceName,
  infer_type: Type.Enum(['real-time', 'batch', 'edge']),
  config: Type.Array(anyObject, { minItems: 1 }),
  description: Type.Optional(description),
  workspace_id: Type.Optional(workspaceId),
  cluster_id: Type.Optional(Type.String()),
  vpc_id: Type.Optional(Type.String()),
  subnet_network_id: Type.Optional(Type.String()),
  security_group_id: Type.Optional(Type.String()),
  schedule: Type.Optional(schedule),
  additional_properties: Type.Optional(notices),
})
const keptConfig = Type.Object({ model_id: named })
const edgeConfig = Type.Object({
  model_id: named,
  specification: named,
  // A string is an id; an update of 2021 sends objects with an id.
  nodes: Type.Array(Type.Union([named, Type.Object({ id: named })]), { minItems: 1 }),
  custom_spec: Type.Optional(
    Type.Object({
      cpu: Type.Number({ minimum: 0.01 }),
      memory: Type.Integer({ minimum: 1 }),
      gpu_p4: Type.Optional(Type.Number({ minimum: 0 })),
      ascend_a310: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
  ),
  envs: Type.Optional(Type.Record(variableName, Type.String(), { additionalProperties: false })),
  cluster_id: Type.Optional(Type.String()),
})
const statusBody = Type.Object({ status: Type.Unknown() })
const powerBody = Type.Object({ status: Type.Optional(Type.Enum(['running', 'stopped'])) })
const updateBody = Type.Object({
  description: Type.Optional(description),
  config: Type.Optional(Type.Array(anyObject, { minItems: 1 })),
  schedule: Type.Optional(schedule),
  additional_properties: Type.Optional(notices),
})

type Deploy = Static<typeof deployBody>
type EdgeConfig = Static<typeof edgeConfig>

/** A body of no bytes is no JSON. A field that is null is as if it had not been sent. */
function parsed(body: Buffer): Result<unknown, Fault> {
  const json = parseJson(body)
  return json.ok ? ok(withoutNulls(json.value)) : err(badJson)
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  const there = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(there.map(([key, inner]) => [key, withoutNulls(inner)]))
}

/** E1: which way the node's instance is to go. */
export function decodeNodeStatus(
  body: Buffer,
): Result<(typeof powerOf)[keyof typeof powerOf], Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const read = readFields(statusBody, json.value)
  if (!read.ok) return err(fieldFault(read.error))
  const { status } = read.value
  if (status === '') return err(emptyParameter('status'))
  if (status === 'running' || status === 'stopped') return ok(powerOf[status])
  return err(badParameter('status', shown(status)))
}

const shown = (value: unknown): string =>
  typeof value === 'object' ? '' : String(value as string | number | boolean).slice(0, 64) // JSON knows no more scalars

/** Whether a body of E5 asks to start or stop: that is a right of its own. */
export function setsStatus(body: Buffer): boolean {
  const json = parsed(body)
  return json.ok && isObject(json.value) && json.value['status'] !== undefined
}

/** E5. Where a status is present it is all that is applied. */
export type Update =
  | { readonly verb: 'start-service' | 'stop-service' }
  | {
      readonly verb: 'update'
      readonly description: string | undefined
      readonly config: readonly JsonObject[] | undefined
      readonly kept: Partial<Kept>
    }

export function decodeUpdate(body: Buffer): Result<Update, Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const power = readFields(powerBody, json.value)
  if (!power.ok) return err(fieldFault(power.error))
  const { status } = power.value
  if (status !== undefined)
    return ok({ verb: status === 'running' ? 'start-service' : 'stop-service' })
  const read = readFields(updateBody, json.value)
  if (!read.ok) return err(fieldFault(read.error))
  const { description: text, config, schedule: plan, ...more } = read.value
  const properties = more.additional_properties
  return ok({
    verb: 'update',
    description: text,
    config: config as readonly JsonObject[] | undefined, // parsed from JSON, so it is JSON
    kept: {
      ...(plan === undefined ? {} : { schedule: plan as readonly JsonObject[] }), // as above
      ...(properties === undefined ? {} : { additionalProperties: properties as JsonObject }), // as above
    },
  })
}

/** What a configuration asks of each node, and the configuration as it is shown from then on. */
export interface Configured
  extends Required<Pick<RedeployService, 'nodes' | 'flavorId' | 'imageId' | 'needs' | 'launch'>> {
  readonly config: readonly JsonObject[]
}

/** E2 and E5: exactly one entry, for the edge. */
export function decodeEdgeConfig(
  config: readonly unknown[],
  outerCluster: string | undefined,
): Result<Configured, Fault> {
  const [first] = config
  if (config.length > 1) return err(badParameter('config', `${config.length} entries`))
  const edge = readFields(edgeConfig, first)
  if (!edge.ok) return err(fieldFault(edge.error))
  const nodes = edge.value.nodes.map((one) => (typeof one === 'string' ? one : one.id))
  if (new Set(nodes).size < nodes.length) return err(badParameter('nodes'))
  const wrong = edgeFault(edge.value, outerCluster)
  if (wrong) return err(wrong)
  const { model_id: imageId, specification, envs = {}, custom_spec: custom } = edge.value
  const isCustom = specification === customFlavor.shownAs
  const customSpec = isCustom && custom !== undefined ? { customSpec: { ...custom } } : {}
  return ok({
    nodes,
    flavorId: isCustom ? customFlavor.id : specification,
    imageId,
    needs: { gpus: custom?.gpu_p4 ?? 0, npus: custom?.ascend_a310 ?? 0 },
    launch: { env: envs, ...customSpec },
    config: [{ ...(first as JsonObject), nodes }], // checked above, and parsed from JSON
  })
}

function edgeFault(config: EdgeConfig, outerCluster: string | undefined): Fault | undefined {
  // There are no edge pools here, so none can be meant.
  const cluster = config.cluster_id ?? outerCluster
  if (cluster !== undefined && cluster !== '') return noCluster(cluster)
  const { specification, custom_spec: custom } = config
  if (specification === customFlavor.id) return badParameter('specification', specification)
  if (specification !== customFlavor.shownAs) return undefined
  if (custom === undefined) return emptyParameter('custom_spec')
  const both = (custom.gpu_p4 ?? 0) > 0 && (custom.ascend_a310 ?? 0) > 0
  return both ? badParameter('custom_spec', 'gpu_p4 and ascend_a310') : undefined
}

/** Of a service that does not run on nodes: each entry names its model. */
export function keptConfigFault(config: readonly unknown[]): Fault | undefined {
  for (const entry of config) {
    const read = readFields(keptConfig, entry)
    if (!read.ok) return fieldFault(read.error)
  }
  return undefined
}

export interface Deploying {
  readonly request: Omit<DeployService, 'attributes'>
  readonly kept: Omit<Kept, 'updates'>
}

/** E2. */
export function decodeDeploy(body: Buffer): Result<Deploying, Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const read = readFields(deployBody, json.value)
  if (!read.ok) return err(fieldFault(read.error))
  const asked = read.value
  if (asked.infer_type !== 'edge') return decodeKept(asked)
  const edge = decodeEdgeConfig(asked.config, asked.cluster_id)
  if (!edge.ok) return edge
  const { config, ...made } = edge.value
  return ok({ request: { ...headOf(asked), ...made, onNodes: true }, kept: keptOf(asked, config) })
}

const headOf = (asked: Deploy) =>
  ({
    verb: 'deploy',
    name: asked.service_name,
    description: asked.description ?? '',
    workspace: String(asked.workspace_id ?? defaultWorkspaceId),
  }) as const

/** Services that do not run on nodes are kept as they were sent, and shown again. */
function decodeKept(asked: Deploy): Result<Deploying, Fault> {
  if (asked.infer_type === 'batch' && asked.config.length > 1)
    return err(badParameter('config', `${asked.config.length} entries`))
  const wrong = keptConfigFault(asked.config)
  if (wrong) return err(wrong)
  if (asked.vpc_id !== undefined && asked.vpc_id !== '')
    for (const name of ['subnet_network_id', 'security_group_id'] as const)
      if (!asked[name]) return err(emptyParameter(name))
  const config = asked.config as readonly JsonObject[] // parsed from JSON, so it is JSON
  const [first] = config
  return ok({
    request: {
      ...headOf(asked),
      nodes: [],
      onNodes: false,
      flavorId: '',
      imageId: textIn(first ?? {}, 'model_id') ?? '',
    },
    kept: keptOf(asked, config),
  })
}

const keptOf = (asked: Deploy, config: readonly JsonObject[]): Deploying['kept'] => ({
  inferType: asked.infer_type,
  config,
  additionalProperties: (asked.additional_properties ?? {}) as JsonObject, // parsed from JSON, so it is JSON
  schedule: (asked.schedule ?? []) as readonly JsonObject[], // as above
})
