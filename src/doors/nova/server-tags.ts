// Filters by tag. Upstream has them from microversion 2.26 on; the other dialect always, and there every
// bare-metal server carries one tag without anybody having set it.
// Source: contract, sections 6.3 and 13.

import type { Instance } from '#kernel/instance.ts'
import type { Call } from './call.ts'
import { catalogueRows } from './catalogue-rows.ts'
import { tagsOf } from './wire.ts'

const since = 26

type Fits = (wanted: readonly string[], tags: ReadonlySet<string>) => boolean

const filters: Readonly<Record<string, Fits>> = {
  tags: (wanted, tags) => wanted.every((tag) => tags.has(tag)),
  'tags-any': (wanted, tags) => wanted.some((tag) => tags.has(tag)),
  'not-tags': (wanted, tags) => !wanted.every((tag) => tags.has(tag)),
  'not-tags-any': (wanted, tags) => !wanted.some((tag) => tags.has(tag)),
}

export async function tagTests(
  params: URLSearchParams,
  { mount, negotiated, house }: Call,
): Promise<readonly ((instance: Instance) => boolean)[]> {
  const isHonoured = mount.dialect === 'huawei' || negotiated.version >= since
  const asked = Object.entries(filters).flatMap(([name, fits]) => {
    const wanted = (params.get(name) ?? '').split(',').filter((tag) => tag !== '')
    return wanted.length > 0 ? [{ wanted, fits }] : []
  })
  if (!isHonoured || asked.length === 0) return []
  const flavors = mount.dialect === 'huawei' ? await catalogueRows(house.plane.read, 'flavors') : []
  const metal = new Set(flavors.filter(({ bareMetal }) => bareMetal).map(({ id }) => id))
  return asked.map(
    ({ wanted, fits }) =>
      (instance) =>
        fits(wanted, new Set(tagsOf(instance, { metal }))),
  )
}
