// The built-in catalogue, and how runstate.yaml adds to it. What the file names wins at every start; what is
// built in is only put where nothing is, so a change made through the native door stays.

import { join } from 'node:path'
import type { Static } from 'typebox'
import { type Flavor, type Image, type Node, plainFlavor } from '#kernel/catalogue.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Kind } from '#kernel/kinds.ts'
import type { PutCatalogue } from '#kernel/request.ts'
import { Type } from '#schema/type.ts'

const closed = { additionalProperties: false }
const id = Type.String({ minLength: 1, maxLength: 128 })
const kinds = Type.Array(Type.Enum(['server', 'notebook', 'edge-instance']), { minItems: 1 })
const facts = Type.Record(Type.String(), Type.Unknown())
const hardware = Type.Enum(['CPU', 'GPU', 'ASCEND'])
const ms = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }))

const flavorSchema = Type.Object(
  {
    id,
    name: Type.Optional(Type.String()),
    kinds: Type.Optional(kinds),
    projects: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Names of those who alone have it. Left out: as it was, everybody at first.',
      }),
    ),
    driver: Type.String({ minLength: 1 }),
    vcpus: Type.Optional(Type.Integer({ minimum: 1 })),
    memoryMiB: Type.Optional(Type.Integer({ minimum: 1 })),
    diskGiB: Type.Optional(Type.Integer({ minimum: 0 })),
    gpus: Type.Optional(Type.Integer({ minimum: 0 })),
    charge: Type.Optional(Type.Enum(['PostPaid', 'PrePaid', 'free'])),
    pool: Type.Optional(id),
    units: Type.Optional(Type.Integer({ minimum: 1 })),
    bareMetal: Type.Optional(Type.Boolean()),
    mayRelease: Type.Optional(Type.Boolean()),
    releasesOnStop: Type.Optional(Type.Boolean()),
    autoStopMs: ms('Imposed auto stop after each start.'),
    storeMs: ms('An inactive instance is removed after so long.'),
    reserveMs: ms('How long a reserved place waits for its start. Default 5 minutes.'),
    graceMs: ms('How long a soft stop may take before it becomes hard. Default 10 s.'),
    startMs: ms('How long a start may take until the thing is ready. Default 60 s.'),
    family: Type.Optional(Type.String()),
    hardware: Type.Optional(hardware),
    attributes: Type.Optional(facts),
  },
  closed,
)
const imageSchema = Type.Object(
  {
    id,
    name: Type.Optional(Type.String()),
    kinds: Type.Optional(kinds),
    launch: Type.Optional(facts),
    hardware: Type.Optional(hardware),
    publishing: Type.Optional(
      Type.Boolean({ description: 'No service can be deployed of it yet.' }),
    ),
    hostPort: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description: 'A port of its node that each instance needs for itself.',
      }),
    ),
    attributes: Type.Optional(facts),
  },
  closed,
)
const poolSchema = Type.Object({ id, capacity: Type.Integer({ minimum: 0 }) }, closed)
const nodeSchema = Type.Object(
  {
    id,
    name: Type.Optional(Type.String()),
    state: Type.Optional(Type.Enum(['ready', 'failed', 'unconnected'])),
    accelerators: Type.Optional(Type.Array(Type.Enum(['GPU', 'ASCEND']))),
    attributes: Type.Optional(facts),
  },
  closed,
)

export const catalogueSchema = Type.Object(
  {
    flavors: Type.Optional(Type.Array(flavorSchema)),
    images: Type.Optional(Type.Array(imageSchema)),
    pools: Type.Optional(Type.Array(poolSchema)),
    nodes: Type.Optional(Type.Array(nodeSchema)),
  },
  closed,
)
export type CatalogueFile = Static<typeof catalogueSchema>

/** Which projects have it is not said here: their ids are known to identity alone. */
function flavorOf(file: Static<typeof flavorSchema>): Flavor {
  const { pool, projects: _, attributes, ...given } = file
  return {
    ...plainFlavor,
    name: file.id,
    kinds: ['server'],
    family: file.id.split('.').slice(0, -1).join('.') || file.id,
    ...given,
    poolId: pool ?? null,
    attributes: (attributes ?? {}) as JsonObject, // YAML yields JSON values only
  }
}

const imageOf = (file: Static<typeof imageSchema>): Image => ({
  name: file.id,
  kinds: ['server'] as readonly Kind[],
  hardware: 'CPU',
  ...file,
  launch: (file.launch ?? {}) as JsonObject, // YAML yields JSON values only
  attributes: (file.attributes ?? {}) as JsonObject, // YAML yields JSON values only
})

const nodeOf = (file: Static<typeof nodeSchema>): Node => ({
  name: file.id,
  state: 'ready',
  ...file,
  attributes: (file.attributes ?? {}) as JsonObject,
}) // YAML yields JSON values only

export function puts(file: CatalogueFile): readonly PutCatalogue[] {
  return [
    ...(file.pools ?? []).map((row) => ({ verb: 'put', table: 'pools', row }) as const),
    ...(file.flavors ?? []).map(
      (row) => ({ verb: 'put', table: 'flavors', row: flavorOf(row) }) as const,
    ),
    ...(file.images ?? []).map(
      (row) => ({ verb: 'put', table: 'images', row: imageOf(row) }) as const,
    ),
    ...(file.nodes ?? []).map(
      (row) => ({ verb: 'put', table: 'nodes', row: nodeOf(row) }) as const,
    ),
  ]
}

const echo = {
  command: [
    process.execPath,
    join(import.meta.dirname, '../drivers/process/samples/echo-http.mjs'),
  ],
  port: 'auto',
  probe: { kind: 'http', path: '/healthz' },
}
const edgeFacts = (host: string): JsonObject => ({
  host_name: host,
  os_name: 'Linux',
  os_type: 'linux',
  os_version: '6.1',
  arch: 'x86_64',
  cpu: 4,
  memory: 8192,
  gpu_num: 0,
  host_ips: ['127.0.0.1'],
})
const quick = { createMs: 50, startMs: 200, stopMs: 200, removeMs: 50, captureMs: 400 }

/** Useful without any configuration: the names that the README, the starter fleet and outsiders' tests count on. */
export const builtIn: CatalogueFile = {
  pools: [
    { id: 'ecs.g3i.large', capacity: 64 },
    { id: 'modelarts.vm.cpu.free', capacity: 2 },
  ],
  flavors: [
    {
      id: 'sim.small',
      driver: 'simulated',
      kinds: ['server', 'notebook', 'edge-instance'],
      attributes: quick,
    },
    { id: 'proc.small', driver: 'process', kinds: ['server', 'notebook', 'edge-instance'] },
    {
      id: 'modelarts.vm.cpu.2u',
      driver: 'process',
      kinds: ['notebook', 'edge-instance'],
      vcpus: 2,
      memoryMiB: 8192,
      releasesOnStop: true,
    },
    {
      id: 'modelarts.vm.cpu.free',
      driver: 'process',
      kinds: ['notebook'],
      vcpus: 2,
      memoryMiB: 8192,
      charge: 'free',
      pool: 'modelarts.vm.cpu.free',
      releasesOnStop: true,
      autoStopMs: 3_600_000,
      storeMs: 72 * 3_600_000,
    },
    { id: 'modelarts.vm.custom', driver: 'process', kinds: ['edge-instance'] },
    {
      id: 'ecs.g3i.large',
      driver: 'simulated',
      vcpus: 2,
      memoryMiB: 8192,
      diskGiB: 40,
      pool: 'ecs.g3i.large',
      attributes: quick,
    },
    {
      id: 'ebmhpcpni2.31xlarge',
      driver: 'simulated',
      vcpus: 124,
      memoryMiB: 2_097_152,
      diskGiB: 480,
      gpus: 8,
      bareMetal: true,
      mayRelease: false,
      attributes: quick,
    },
    {
      id: 'physical.s4.medium',
      driver: 'simulated',
      vcpus: 32,
      memoryMiB: 196_608,
      diskGiB: 800,
      bareMetal: true,
      mayRelease: false,
      attributes: quick,
    },
  ],
  images: [
    { id: 'sim', kinds: ['server', 'notebook', 'edge-instance'], name: 'Simulated machine' },
    { id: 'echo-http', kinds: ['server'], name: 'Tiny HTTP server', launch: echo },
    { id: 'Multi-Engine 2.0 (python3)', kinds: ['notebook'], launch: echo },
    { id: 'Multi-Engine 1.0 (python3)-cpu', kinds: ['notebook'], launch: echo },
    // For a flavor that no starter flavor matches: shows the refusal.
    { id: 'Multi-Engine 1.0 (python3)-gpu', kinds: ['notebook'], launch: echo, hardware: 'GPU' },
    {
      id: 'c5d4b2a0-3f53-4a55-9d1e-5b7a0f6f1d10',
      kinds: ['notebook'],
      name: 'pytorch-cpu',
      launch: echo,
    },
    {
      id: '6c0f2d5e-0d63-4c6b-9a53-2b1e54f1a7d0',
      kinds: ['edge-instance'],
      name: 'defect-detect',
      launch: echo,
      attributes: { version: '0.0.1' },
    },
  ],
  nodes: [
    { id: 'edge-1', accelerators: ['ASCEND'], attributes: edgeFacts('edge-host-1') },
    { id: 'edge-2', accelerators: ['ASCEND'], attributes: edgeFacts('edge-host-2') },
  ],
}
