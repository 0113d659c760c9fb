// The tables that every store keeps: the row type of each, and the columns by which rows are found. A store
// keeps a row as JSON beside these columns; nothing else about a row is known to it.

import type { Account, AccountRole } from './account.ts'
import type { BatchRow } from './batch.ts'
import type { DriverRow, Flavor, Image, Node, Pool } from './catalogue.ts'
import { facetKey, facetText } from './facets.ts'
import type { AccessKey, AppCredential, Grant, Token, User } from './identity.ts'
import type { Guard } from './guard.ts'
import { type Instance, situationOf, usualInstance, wakeAtMs } from './instance.ts'
import type { KeyPair } from './key-pair.ts'
import { lifecycles } from './kinds.ts'
import type { Lifecycle } from './lifecycle.ts'
import { type Operation, usualOperation } from './operation.ts'
import type { Project } from './project.ts'
import type { Alias, IdempotencyRow } from './request.ts'
import { type Dependency, type Service, serviceOwnerKey } from './service.ts'

export interface Rows {
  instances: Instance
  operations: Operation
  services: Service
  dependencies: Dependency
  aliases: Alias
  idempotency: IdempotencyRow
  batches: BatchRow
  guards: Guard
  flavors: Flavor
  images: Image
  pools: Pool
  nodes: Node
  drivers: DriverRow
  projects: Project
  keyPairs: KeyPair
  users: User
  grants: Grant
  accessKeys: AccessKey
  appCredentials: AppCredential
  tokens: Token
  accounts: Account
  accountRoles: AccountRole
}
export type TableName = keyof Rows
export type Column = string | number | null

type Columns = { readonly [T in TableName]: Readonly<Record<string, (row: Rows[T]) => Column>> }

/** The states in which an instance is history. */
const gone: ReadonlySet<string> = new Set(
  Object.values(lifecycles).flatMap(({ states }: Lifecycle) =>
    Object.keys(states).filter((state) => states[state]?.is === 'final'),
  ),
)
const isGone = (row: Instance): boolean => gone.has(row.state)

export const columns = {
  instances: {
    project: (r) => r.project,
    kind: (r) => r.kind,
    state: (r) => r.state,
    situation: (r) => situationOf(r),
    name: (r) => r.name,
    flavorId: (r) => r.flavorId,
    imageId: (r) => r.imageId,
    /** Null once it is gone: decisions read all of a service's or node's instances. */
    serviceId: (r) => (isGone(r) ? null : r.serviceId),
    nodeId: (r) => (isGone(r) ? null : r.nodeId),
    driver: (r) => r.driver,
    createdBy: (r) => r.createdBy,
    createdAtMs: (r) => r.createdAtMs,
    updatedAtMs: (r) => r.updatedAtMs,
    /** Until when it lived: for ever, while it does. Of what ended long ago a usage knows nothing. */
    livedUntilMs: (r) => (isGone(r) ? r.stateSinceMs : Number.MAX_SAFE_INTEGER),
    /** Which of a kind's several views show it; see aliases.ts. */
    schemes: (r) => Object.keys(r.aliases).toSorted().join(' '),
    /** What it is found by besides these columns, and one number for all of that; see facets.ts. */
    facets: (r) => facetText(r),
    facetKey: (r) => facetKey(r),
    queuePool: (r) => r.queue?.poolId ?? null,
    queueTicket: (r) => r.queue?.ticket ?? null,
    /** Unique names are looked up by this. */
    nameKey: (r) => (r.state === 'deleted' ? null : `${r.project}/${r.kind}/${r.name}`),
    wakeAtMs: (r) => wakeAtMs(r),
  },
  operations: {
    project: (r) => r.project,
    instanceId: (r) => r.instanceId,
    state: (r) => r.state,
    startedAtMs: (r) => r.startedAtMs,
    requestId: (r) => r.cause.requestId,
    /** When an idle worker may claim it: after its lease, and not before its retry. Null when it ended. */
    claimAtMs: (r) => (r.state === 'running' ? Math.max(r.leaseUntilMs, r.notBeforeMs ?? 0) : null),
  },
  services: {
    project: (r) => r.project,
    kind: (r) => r.kind,
    key: (r) => (r.status === 'deleted' ? null : `${r.project}/${r.kind}/${r.key}`),
    name: (r) => r.name,
    status: (r) => r.status,
    ownerKey: (r) => serviceOwnerKey(r),
    createdAtMs: (r) => r.createdAtMs,
    deployedAtMs: (r) => r.deployedAtMs,
    statusSinceMs: (r) => r.statusSinceMs,
  },
  dependencies: {
    project: (r) => r.project,
    serviceId: (r) => r.serviceId,
    provider: (r) => r.provider,
  },
  aliases: { instanceId: (r) => r.instanceId },
  idempotency: { expiresAtMs: (r) => r.expiresAtMs },
  batches: { expiresAtMs: (r) => r.expiresAtMs },
  guards: { project: (r) => r.project },
  flavors: { name: (r) => r.name },
  images: { name: (r) => r.name },
  pools: { passAtMs: (r) => r.passAtMs },
  nodes: { name: (r) => r.name },
  drivers: {},
  projects: { name: (r) => `${r.domainId}/${r.name}` },
  keyPairs: { userId: (r) => r.userId },
  users: { name: (r) => `${r.domainId}/${r.name}` },
  grants: { userId: (r) => r.userId, project: (r) => r.project },
  accessKeys: { userId: (r) => r.userId },
  appCredentials: { userId: (r) => r.userId },
  tokens: { userId: (r) => r.userId, expiresAtMs: (r) => r.expiresAtMs },
  accounts: {},
  accountRoles: {},
} as const satisfies Columns

/**
 * What a field says where a kept row leaves it out: rows are many, and most fields of most say the same. What a release
 * has said here stays so for ever; a new field may be added, and the rows that are there say it.
 */
export const usual: { readonly [T in TableName]?: Partial<Rows[T]> } = {
  instances: usualInstance,
  operations: usualOperation,
}

export type ColumnName<T extends TableName> = keyof (typeof columns)[T] & string
export const tableNames = Object.keys(columns) as readonly TableName[] // keys of a const table

export function columnsOf<T extends TableName>(
  table: T,
): Readonly<Record<string, (row: Rows[T]) => Column>> {
  return columns[table] as Readonly<Record<string, (row: Rows[T]) => Column>> // TypeScript cannot relate T's own entry to the union
}
