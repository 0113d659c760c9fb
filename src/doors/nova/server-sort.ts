// The order of a list of servers, and where its next page starts.
//
// A page starts after a row, never at an offset: nothing is listed twice or left out because others came or went.
// Source: contract, section 6.3.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Instance } from '#kernel/instance.ts'
import { type Query } from '#kernel/ports/store.ts'
import { type ColumnName, columnsOf } from '#kernel/tables.ts'
import { type Call } from './call.ts'
import { type NovaFault, policy } from './faults.ts'
import { noSuchMarker, sortingsOf } from './query-parameters.ts'
import { visibleTo } from './server-scope.ts'

export interface Order {
  readonly by: ColumnName<'instances'>
  readonly dir: 'asc' | 'desc'
}

/** A key that is one value for all servers orders by `kind`, which is so too: their ids decide. */
const sortColumns: Readonly<Record<string, ColumnName<'instances'>>> = {
  created_at: 'createdAtMs',
  updated_at: 'updatedAtMs',
  display_name: 'name',
  hostname: 'name',
  project_id: 'project',
  user_id: 'createdBy',
  image_ref: 'imageId',
  instance_type_id: 'flavorId',
  vm_state: 'situation',
  task_state: 'state',
  // No column of their own: servers are launched in about the order of their creation, and end when last changed.
  launched_at: 'createdAtMs',
  terminated_at: 'updatedAtMs',
  power_state: 'state',
  host: 'driver',
  node: 'driver',
  uuid: 'kind',
  access_ip_v4: 'kind',
  access_ip_v6: 'kind',
  auto_disk_config: 'kind',
  availability_zone: 'kind',
  config_drive: 'kind',
  display_description: 'kind',
  kernel_id: 'kind',
  key_name: 'kind',
  launch_index: 'kind',
  locked_by: 'kind',
  progress: 'kind',
  ramdisk_id: 'kind',
  root_device_name: 'kind',
}

/** Keys that Nova takes and does not sort by. */
const ignored: ReadonlySet<string> = new Set(
  (
    'architecture cell_name cleaned default_ephemeral_device default_swap_device deleted deleted_at ' +
    'disable_terminate ephemeral_gb ephemeral_key_uuid id key_data launched_on locked memory_mb os_type ' +
    'reservation_id root_gb shutdown_terminate user_data vcpus vm_mode'
  ).split(' '),
)

const newestFirst: Order = { by: 'createdAtMs', dir: 'desc' }

export function orderOf(params: URLSearchParams, call: Call): Result<Order, NovaFault> {
  const known = (key: string) => Object.hasOwn(sortColumns, key) || ignored.has(key)
  const sortings = sortingsOf(params, known, { key: 'created_at', dir: 'desc' })
  if (!sortings.ok) return sortings
  const ofHosts = sortings.value.some(({ key }) => key === 'host' || key === 'node')
  if (ofHosts && call.caller.role !== 'admin') return err(policy(call.rule))
  for (const { key, dir } of sortings.value) {
    const by = sortColumns[key]
    if (by !== undefined) return ok({ by, dir })
  }
  return ok(newestFirst)
}

/** The row to continue after. One that is gone by now still says where it stood. */
export async function startOf(
  marker: string | undefined,
  order: Order,
  call: Call,
): Promise<Result<Query<'instances'>['after'], NovaFault>> {
  if (marker === undefined) return ok(undefined)
  const row = await call.house.plane.read.get('instances', marker)
  if (!row || !visibleTo(call, row)) return err(noSuchMarker(marker))
  return ok(after(row, order))
}

export const after = (row: Instance, { by }: Order): NonNullable<Query<'instances'>['after']> => ({
  id: row.id,
  value: columnsOf('instances')[by]?.(row) ?? null,
})
