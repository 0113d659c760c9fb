// The order of a list of servers, and where its next page starts.
//
// - A page starts after a row, never at an offset: nothing is listed twice or left out because others came or went.
// - The store orders by one column of its own. What more is to be told apart, or what it has no column for, is
//   ordered here, among the rows that are equal to it.
// Source: contract, section 6.3; openstack/nova nova/compute/api.py (process_sort_params).

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Column, ColumnName } from '#kernel/tables.ts'
import type { Call } from './call.ts'
import { type NovaFault, policy } from './faults.ts'
import { keptOf } from './kept.ts'
import { type Sorting, sortingsOf } from './query-parameters.ts'
import { stateOf } from './states.ts'
import { hostOf, lockOf } from './wire.ts'

export interface Order {
  readonly by: ColumnName<'instances'>
  readonly dir: 'asc' | 'desc'
  /** Orders rows of one value of that column; null: their ids do, as in the store. */
  readonly ties: ((a: Instance, b: Instance) => number) | null
}

type ValueOf = (instance: Instance) => Column

/** Keys that the store has a column for. */
const columns: Readonly<Record<string, ColumnName<'instances'>>> = {
  created_at: 'createdAtMs',
  updated_at: 'updatedAtMs',
  display_name: 'name',
  project_id: 'project',
  user_id: 'createdBy',
  image_ref: 'imageId',
  instance_type_id: 'flavorId',
}

/** What is the same for every server orders nothing. */
const same: ValueOf = () => null

const values: Readonly<Record<string, ValueOf>> = {
  created_at: ({ createdAtMs }) => createdAtMs,
  updated_at: ({ updatedAtMs }) => updatedAtMs,
  display_name: ({ name }) => name,
  project_id: ({ project }) => project,
  user_id: ({ createdBy }) => createdBy,
  image_ref: ({ imageId }) => imageId,
  instance_type_id: ({ flavorId }) => flavorId,
  uuid: ({ id }) => id,
  hostname: (instance) => keptOf(instance).hostname ?? instance.name,
  display_description: ({ description }) => description,
  vm_state: (instance) => stateOf(instance).vmState,
  task_state: (instance) => stateOf(instance).taskState,
  power_state: (instance) => stateOf(instance).powerState,
  launched_at: ({ launchedAtMs }) => launchedAtMs,
  terminated_at: ({ state, stateSinceMs }) => (state === 'deleted' ? stateSinceMs : null),
  host: hostOf,
  node: hostOf,
  access_ip_v4: (instance) => keptOf(instance).accessIPv4,
  access_ip_v6: (instance) => keptOf(instance).accessIPv6,
  auto_disk_config: (instance) => keptOf(instance).diskConfig,
  availability_zone: (instance) => keptOf(instance).availabilityZone ?? '',
  config_drive: (instance) => Number(keptOf(instance).hasConfigDrive),
  key_name: (instance) => keptOf(instance).keyName,
  locked_by: (instance) => {
    const lock = lockOf(instance)
    return lock === undefined ? null : lock.byAdmin ? 'admin' : 'owner'
  },
  kernel_id: same,
  launch_index: same,
  progress: same,
  ramdisk_id: same,
  root_device_name: same,
}

/** Keys that Nova takes and does not sort by. */
export const ignoredKeys: ReadonlySet<string> = new Set(
  (
    'architecture cell_name cleaned default_ephemeral_device default_swap_device deleted deleted_at ' +
    'disable_terminate ephemeral_gb ephemeral_key_uuid id key_data launched_on locked memory_mb os_type ' +
    'reservation_id root_gb shutdown_terminate user_data vcpus vm_mode'
  ).split(' '),
)

/** `locked` orders from here on; before, it is one of those that Nova takes and ignores. */
const lockedSince = 73
const isLocked: ValueOf = (instance) => Number(lockOf(instance) !== undefined)

export function orderOf(params: URLSearchParams, call: Call): Result<Order, NovaFault> {
  const valueOf = (key: string): ValueOf | undefined =>
    key === 'locked' && call.negotiated.version >= lockedSince
      ? isLocked
      : Object.hasOwn(values, key)
        ? values[key]
        : undefined
  const known = (key: string) => valueOf(key) !== undefined || ignoredKeys.has(key)
  const sortings = sortingsOf(params, known, { key: 'created_at', dir: 'desc' })
  if (!sortings.ok) return sortings
  const ofHosts = sortings.value.some(({ key }) => key === 'host' || key === 'node')
  if (ofHosts && call.caller.role !== 'admin') return err(policy(call.rule))
  return ok(ordered(sortings.value, valueOf))
}

function ordered(
  sortings: readonly Sorting[],
  valueOf: (key: string) => ValueOf | undefined,
): Order {
  // A key that is ignored takes its direction with it.
  const taken = sortings.filter(({ key }) => valueOf(key) !== undefined)
  const dir = taken[0]?.dir ?? 'desc'
  // Whatever is asked, the time of creation and then the id decide at last.
  const wanted = [...taken, { key: 'created_at', dir }]
    .filter(({ key }) => valueOf(key) !== same)
    .filter(({ key }, at, all) => all.findIndex((one) => one.key === key) === at)
  const [first = { key: 'created_at', dir }, ...rest] = wanted
  if (first.key === 'uuid') return { by: 'kind', dir: first.dir, ties: null }
  const by = columns[first.key]
  const told = by === undefined ? wanted : rest
  if (by !== undefined && told.length === 0) return { by, dir: first.dir, ties: null }
  const parts = [...told, { key: 'uuid', dir: first.dir }].map((one) => ({
    valueOf: valueOf(one.key) ?? same,
    sign: one.dir === 'asc' ? 1 : -1,
  }))
  return { by: by ?? 'kind', dir: first.dir, ties: comparing(parts) }
}

const comparing =
  (parts: readonly { readonly valueOf: ValueOf; readonly sign: number }[]) =>
  (a: Instance, b: Instance): number => {
    for (const { valueOf, sign } of parts) {
      const order = compared(valueOf(a), valueOf(b))
      if (order !== 0) return order * sign
    }
    return 0
  }

/** Nothing comes before anything, as in the store. */
function compared(a: Column, b: Column): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  return a < b ? -1 : 1
}
