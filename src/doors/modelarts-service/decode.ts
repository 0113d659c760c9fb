// Bodies of this cloud, from the wire to a kernel request. Shapes are schemas; what a schema cannot say (one
// entry for edge, GPU or NPU but not both) follows them.
// Source: edge inference contract, sections 1.2, 1.3 and 1.6.

import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { err, ok, type Result } from '#kernel/errors.ts'
import { type JsonObject } from '#kernel/json.ts'
import { type DeployService } from '#kernel/request.ts'
import { readFields } from '../shared/body-fields.ts'
import { isObject, parseJson } from '../shared/http.ts'
import { type Fault } from '../shared/three-keys.ts'
import {
  badJson,
  badParameter,
  badValues,
  emptyParameter,
  faultOf,
  noCluster,
  noWorkspace,
} from './faults.ts'
import { powerOf } from './states.ts'
import { customFlavor, doorName, type Kept } from './wire.ts'

const named = Type.String({ minLength: 1 })
// Letters, digits, Chinese, - and _.
const serviceName = Type.String({ minLength: 1, pattern: '^[A-Za-z0-9_\\u4e00-\\u9fff-]{1,64}$' })
const description = Type.String({ pattern: '^[^!<>+&"\']{0,100}$' })
// One sample of the vendor's sends it as a number.
const workspaceId = Type.Union([Type.String(), Type.Integer()])
const anyObject = Type.Object({})
const variableName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' })

const deployBody = Type.Object({
  service_name: serviceName,
  infer_type: Type.Enum(['real-time', 'batch', 'edge']),
  config: Type.Array(anyObject, { minItems: 1 }),
  description: Type.Optional(description),
  workspace_id: Type.Optional(workspaceId),
  cluster_id: Type.Optional(Type.String()),
  schedule: Type.Optional(Type.Array(anyObject)),
  additional_properties: Type.Optional(anyObject),
})
const keptConfig = Type.Object({ model_id: named })
const edgeConfig = Type.Object({
  model_id: named,
  specification: named,
  nodes: Type.Array(named, { minItems: 1, uniqueItems: true }),
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
const updateBody = Type.Object({
  status: Type.Optional(Type.Enum(['running', 'stopped'])),
  description: Type.Optional(description),
  config: Type.Optional(Type.Array(anyObject)),
})

const compiled = {
  deploy: Compile(deployBody),
  kept: Compile(keptConfig),
  edge: Compile(edgeConfig),
  status: Compile(statusBody),
  update: Compile(updateBody),
}

type Deploy = Static<typeof deployBody>
type EdgeConfig = Static<typeof edgeConfig>

/** A body of no bytes is no JSON. */
function parsed(body: Buffer): Result<unknown, Fault> {
  const json = parseJson(body)
  return json.ok ? ok(json.value) : err(badJson)
}

/** E1: which way the node's instance is to go. */
export function decodeNodeStatus(
  body: Buffer,
): Result<(typeof powerOf)[keyof typeof powerOf], Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const read = readFields(compiled.status, json.value)
  if (!read.ok) return err(faultOf(read.error, 'update'))
  const { status } = read.value
  if (status === null || status === '') return err(emptyParameter('status'))
  if (status === 'running' || status === 'stopped') return ok(powerOf[status])
  return err(badParameter('status', shown(status)))
}

const shown = (value: unknown): string =>
  typeof value === 'object' ? '' : String(value as string | number | boolean).slice(0, 64) // JSON knows no more scalars

/** Whether a body of E5 asks to start or stop: that is a right of its own. */
export function setsStatus(body: Buffer): boolean {
  const json = parseJson(body)
  return json.ok && isObject(json.value) && json.value['status'] !== undefined
}

export type Update =
  | { readonly verb: 'start-service' | 'stop-service' }
  | { readonly verb: 'update-service'; readonly description?: string }

/** E5. Where a status is present it is all that is applied. */
export function decodeUpdate(body: Buffer): Result<Update, Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const read = readFields(compiled.update, json.value)
  if (!read.ok) return err(faultOf(read.error, 'update'))
  const { status, description: text, config } = read.value
  if (status !== undefined)
    return ok({ verb: status === 'running' ? 'start-service' : 'stop-service' })
  // TODO(#5): a new configuration. Until then it is refused rather than silently left out.
  if (config !== undefined) return err(badValues('config'))
  return ok({ verb: 'update-service', ...(text === undefined ? {} : { description: text }) })
}

/** E2. */
export function decodeDeploy(body: Buffer, nowMs: number): Result<DeployService, Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const read = readFields(compiled.deploy, json.value)
  if (!read.ok) return err(faultOf(read.error, 'deploy'))
  const asked = read.value
  const workspace = String(asked.workspace_id ?? '0')
  if (workspace !== '0') return err(noWorkspace(workspace))
  if (asked.infer_type !== 'edge') return decodeKept(asked, nowMs)
  const [first] = asked.config
  if (asked.config.length > 1) return err(badParameter('config', `${asked.config.length} entries`))
  const edge = readFields(compiled.edge, first)
  if (!edge.ok) return err(faultOf(edge.error, 'deploy'))
  const wrong = edgeFault(edge.value, asked.cluster_id)
  return wrong ? err(wrong) : ok(deployOf(asked, edge.value, nowMs))
}

function edgeFault(config: EdgeConfig, outerCluster: string | undefined): Fault | undefined {
  // There are no edge pools here, so none can be meant.
  const cluster = config.cluster_id ?? outerCluster
  if (cluster !== undefined && cluster !== '') return noCluster(cluster)
  const { specification, custom_spec: custom } = config
  if (specification === customFlavor.id) return badParameter('specification', specification)
  if (specification !== 'custom') return undefined
  if (custom === undefined) return emptyParameter('custom_spec')
  const both = (custom.gpu_p4 ?? 0) > 0 && (custom.ascend_a310 ?? 0) > 0
  return both ? badParameter('custom_spec', 'gpu_p4 and ascend_a310') : undefined
}

function deployOf(asked: Deploy, config: EdgeConfig, nowMs: number): DeployService {
  const { nodes, envs = {}, custom_spec: custom } = config
  const isCustom = config.specification === 'custom'
  const customSpec = isCustom && custom !== undefined ? { customSpec: { ...custom } } : {}
  return {
    verb: 'deploy',
    name: asked.service_name,
    description: asked.description ?? '',
    nodes,
    onNodes: true,
    flavorId: isCustom ? customFlavor.id : config.specification,
    imageId: config.model_id,
    launch: { env: envs, ...customSpec },
    attributes: { [doorName]: keptOf(asked, nowMs) },
  }
}

/** Services that do not run on nodes are kept as they were sent, and shown again. */
function decodeKept(asked: Deploy, nowMs: number): Result<DeployService, Fault> {
  for (const entry of asked.config) {
    const read = readFields(compiled.kept, entry)
    if (!read.ok) return err(faultOf(read.error, 'deploy'))
  }
  const [first] = asked.config as readonly Static<typeof keptConfig>[] // each was read just now
  return ok({
    verb: 'deploy',
    name: asked.service_name,
    description: asked.description ?? '',
    nodes: [],
    onNodes: false,
    flavorId: '',
    imageId: first?.model_id ?? '',
    attributes: { [doorName]: keptOf(asked, nowMs) },
  })
}

function keptOf(asked: Deploy, nowMs: number): Kept {
  return {
    inferType: asked.infer_type,
    workspaceId: '0',
    config: asked.config as readonly JsonObject[], // parsed from JSON, so it is JSON
    additionalProperties: (asked.additional_properties ?? {}) as JsonObject, // as above
    schedule: (asked.schedule ?? []) as readonly JsonObject[], // as above
    updatedAtMs: nowMs,
  }
}
