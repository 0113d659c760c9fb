// The flavors or images that servers are made of. The catalogue is configuration, a few hundred rows at most, so
// it is read whole; instances never are.

import type { Flavor, Image } from '#kernel/catalogue.ts'
import type { Reads } from '#kernel/ports/plane.ts'

const pageMax = 1000

interface Catalogue {
  flavors: Flavor
  images: Image
}

/** By id, ascending. */
export async function catalogueRows<T extends keyof Catalogue>(
  read: Reads,
  table: T,
): Promise<readonly Catalogue[T][]> {
  const rows: Catalogue[T][] = []
  for (;;) {
    const last = rows.at(-1)
    const page = await read.list<'flavors' | 'images'>(table, {
      limit: pageMax,
      ...(last === undefined ? {} : { after: { id: last.id } }),
    })
    rows.push(...(page as readonly Catalogue[T][])) // a table's list holds that table's rows
    if (page.length < pageMax) break
  }
  return rows.filter(({ kinds }) => kinds.includes('server'))
}
