// From what a person calls an instance to its id: an id of any door's shape, or a name that only
// one has.

import type { InstanceShown, PageShown } from '#doors/native/wire.ts'
import type { Client } from './client.ts'
import { done, type Outcome, usage } from './outcome.ts'

const idShapes = /^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|i-[0-9a-z]{20}|DE-[0-9a-f-]{36})$/

export const pathOf = (id: string): string => `/instances/${encodeURIComponent(id)}`

export async function findInstance(
  client: Client,
  wanted: string,
): Promise<Outcome<InstanceShown>> {
  if (idShapes.test(wanted)) return await client.get<InstanceShown>(pathOf(wanted))
  const query = { name: wanted, limit: '3' }
  const page = await client.get<PageShown<InstanceShown>>('/instances', { query })
  if (!page.ok) return page
  const [only, ...others] = page.value.items
  if (only && others.length === 0) return done(only)
  if (only) {
    const ids = page.value.items.map(({ kind, id }) => `${kind} ${id}`).join(', ')
    return usage(`${wanted} is the name of several instances; say which by id: ${ids}`)
  }
  // Not a name: it may be an id of a shape that we do not know; else the server says that there is
  // none.
  return await client.get<InstanceShown>(pathOf(wanted))
}
