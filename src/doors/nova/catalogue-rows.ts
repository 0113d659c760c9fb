// The flavors or images that servers are made of. The catalogue is configuration, a few hundred rows at most, so
// it is read whole; instances never are.

import type { Reads } from '#kernel/ports/plane.ts'
import type { Rows } from '#kernel/tables.ts'
import { walk } from '../shared/offset-page.ts'

/** By id, ascending. */
export async function catalogueRows<T extends 'flavors' | 'images'>(
  read: Reads,
  table: T,
): Promise<readonly Rows[T][]> {
  const rows = await Array.fromAsync(walk(read, table, {}))
  return rows.filter(({ kinds }) => kinds.includes('server'))
}
