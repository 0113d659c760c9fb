// Valid rows to start a test from: `rows.instances({ name: 'a' })`. Each call gives fresh ids, counted and not
// random, so that a failure reads the same twice.

import type { Cause } from '#kernel/caller.ts'
import type { EventDraft } from '#kernel/event.ts'
import {
  batchId,
  instanceId,
  operationId,
  projectId,
  type ProjectId,
  serviceId,
  userId,
} from '#kernel/ids.ts'
import { usualInstance } from '#kernel/instance.ts'
import { usualOperation } from '#kernel/operation.ts'
import type { Commit, Write } from '#kernel/ports/store.ts'
import type { Rows, TableName } from '#kernel/tables.ts'

/** A Saturday morning in 2026; nothing depends on it. */
export const startMs = Date.UTC(2026, 10, 21, 9)
export const project: ProjectId = projectId('0b0ac4d5c5f64c7aa8c0a0b4a3a1d6f1')

const owner = userId('9ad0c7f2d1e44f0c9a2b7f0f8f6f5d3e')

/** The nth id: a UUID v4 whose order is the order of n. */
export const idOf = (n: number): string =>
  `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

let count = 0
const fresh = (): string => idOf((count += 1))

export const cause: Cause = {
  by: 'user',
  userId: owner,
  userName: 'ada',
  door: 'native',
  requestId: 'req-1',
  why: null,
}

type Builders = { readonly [T in TableName]: (change?: Partial<Rows[T]>) => Rows[T] }

export const rows: Builders = {
  instances: (change) => ({
    ...usualInstance,
    id: instanceId(fresh()),
    project,
    kind: 'server',
    name: 'web-1',
    createdBy: owner,
    createdAtMs: startMs,
    updatedAtMs: startMs,
    launchedAtMs: startMs,
    state: 'running',
    stateSinceMs: startMs,
    intent: { want: 'up', generation: 1 },
    observation: { seen: 'up', ready: true, atMs: startMs, reason: null, evidence: { pid: 4711 } },
    flavorId: 'sim.small',
    imageId: 'sim',
    driver: 'simulated',
    handle: { pid: 4711, bootId: 'b1', startedAt: 1234 },
    ...change,
  }),
  operations: (change) => ({
    ...usualOperation,
    id: operationId(fresh()),
    instanceId: instanceId(fresh()),
    project,
    kind: 'server',
    verb: 'stop',
    rung: 'soft',
    graceMs: 60_000,
    startMs: 60_000,
    state: 'running',
    step: 0,
    stepSinceMs: startMs,
    stepDeadlineMs: startMs + 60_000,
    attempt: 1,
    worker: 'worker-1',
    leaseUntilMs: startMs + 30_000,
    from: 'running',
    generation: 2,
    cause,
    startedAtMs: startMs,
    ...change,
  }),
  services: (change) => {
    const id = change?.id ?? serviceId(fresh())
    return {
      id,
      project,
      kind: 'inference',
      key: `service-${id}`,
      name: 'detector',
      description: '',
      onNodes: true,
      createdBy: owner,
      createdAtMs: startMs,
      updatedAtMs: startMs,
      phase: 'settled',
      status: 'running',
      statusSinceMs: startMs,
      deployedAtMs: startMs,
      nodes: [],
      workspace: '0',
      shared: false,
      usedBy: null,
      configuredAtMs: startMs,
      failure: null,
      revision: 1,
      labels: {},
      attributes: {},
      ...change,
    }
  },
  dependencies: (change) => ({
    id: fresh(),
    project,
    serviceId: serviceId(fresh()),
    provider: `${project} /shop/provider`,
    ...change,
  }),
  aliases: (change) => ({ id: `ecs:${fresh()}`, instanceId: instanceId(fresh()), ...change }),
  idempotency: (change) => ({
    id: `${project}/native/stop/${fresh()}`,
    project,
    fingerprint: 'stop web-1 soft',
    receipt: { instanceIds: [] },
    expiresAtMs: startMs + 86_400_000,
    ...change,
  }),
  batches: (change) => ({
    id: batchId(fresh()),
    project,
    cause,
    atMs: startMs,
    expiresAtMs: startMs + 7 * 86_400_000,
    note: { path: 'servers' },
    items: [{ name: 'web-1', outcome: { operation: operationId(fresh()) } }],
    ...change,
  }),
  guards: (change) => ({
    id: `project/${fresh()}`,
    kind: 'project',
    project,
    sinceMs: startMs,
    living: 6,
    silent: 5,
    release: null,
    ...change,
  }),
  flavors: (change) => ({
    id: `flavor-${fresh()}`,
    name: 'sim.small',
    kinds: ['server'],
    driver: 'simulated',
    vcpus: 1,
    memoryMiB: 1_024,
    diskGiB: 10,
    gpus: 0,
    charge: 'PostPaid',
    poolId: null,
    units: 1,
    bareMetal: false,
    mayRelease: true,
    releasesOnStop: false,
    autoStopMs: null,
    storeMs: null,
    reserveMs: 300_000,
    graceMs: 60_000,
    startMs: 60_000,
    family: 'sim',
    hardware: 'CPU',
    attributes: {},
    ...change,
  }),
  images: (change) => ({
    id: `image-${fresh()}`,
    name: 'sim',
    kinds: ['server'],
    launch: {},
    hardware: 'CPU',
    attributes: {},
    ...change,
  }),
  pools: (change) => ({
    id: `pool-${fresh()}`,
    capacity: 2,
    taken: 0,
    nextTicket: 1,
    turn: 0,
    turnAfter: {},
    waiting: 0,
    passAtMs: null,
    ...change,
  }),
  nodes: (change) => ({
    id: `edge-${fresh()}`,
    name: 'edge-1',
    state: 'ready',
    attributes: {},
    ...change,
  }),
  drivers: (change) => ({ id: `driver-${fresh()}`, available: true, reason: null, ...change }),
  projects: (change) => ({
    id: projectId(fresh()),
    name: 'demo',
    domainId: 'default',
    enabled: true,
    description: '',
    frozen: false,
    lacksBalance: false,
    releasesByDefault: false,
    deniedFlavors: [],
    ...change,
  }),
  keyPairs: (change) => {
    const of = { userId: owner, name: `key-${fresh()}`, ...change }
    return {
      id: `${of.userId}/${of.name}`,
      type: 'ssh',
      publicKey: 'ssh-ed25519 AAAA',
      fingerprint: '00:11',
      createdAtMs: startMs,
      ...of,
    }
  },
  users: (change) => ({
    id: userId(fresh()),
    name: 'ada',
    domainId: 'default',
    enabled: true,
    passwordHash: 'scrypt$16384$8$1$salt$hash',
    defaultProject: project,
    tokensSinceMs: 0,
    ...change,
  }),
  grants: (change) => {
    const of = { userId: owner, project, ...change }
    return { id: `${of.userId}/${of.project}`, role: 'member', ...of }
  },
  accessKeys: (change) => ({
    id: `AK${fresh()}`,
    userId: owner,
    active: true,
    sealedSecret: 'sealed',
    description: '',
    createdAtMs: startMs,
    expiresAtMs: null,
    securityTokenHash: null,
    project: null,
    ...change,
  }),
  appCredentials: (change) => ({
    id: fresh(),
    name: 'nightly',
    userId: owner,
    project,
    secretHash: 'scrypt$16384$8$1$salt$hash',
    role: 'member',
    description: '',
    expiresAtMs: null,
    unrestricted: false,
    ...change,
  }),
  accounts: (change) => ({
    id: fresh(),
    uid: 'u1',
    roles: ['developer'],
    active: true,
    passwordHash: 'scrypt$1$1$1$a$b',
    createdAtMs: startMs,
    updatedAtMs: startMs,
    tokensSinceMs: startMs,
    ...change,
  }),
  accountRoles: (change) => ({
    id: fresh(),
    uid: 'r1',
    permissions: [{ resources: [{ type: 'service' }], verbs: ['get'] }],
    createdAtMs: startMs,
    updatedAtMs: startMs,
    ...change,
  }),
  tokens: (change) => ({
    id: fresh(),
    userId: owner,
    project,
    domainId: null,
    appCredentialId: null,
    methods: ['password'],
    auditIds: ['audit-1'],
    issuedAtMs: startMs,
    expiresAtMs: startMs + 86_400_000,
    revoked: false,
    ...change,
  }),
}

export const eventDraft = (change?: Partial<EventDraft>): EventDraft => ({
  type: 'instance.state',
  project,
  subject: idOf(1),
  instanceId: idOf(1),
  atMs: startMs,
  cause,
  data: { from: 'running', to: 'stopping' },
  ...change,
})

/** A commit of these rows and nothing else. */
export const put = <T extends TableName>(table: T, ...some: readonly Rows[T][]): Commit => ({
  writes: some.map((row) => ({ table, row }) as Write), // the table's own rows, which the union cannot tell
  events: [],
})
