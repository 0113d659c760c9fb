// From an instance to what its driver is told of it.

import type { Flavor, Image } from '#kernel/catalogue.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Thing } from '#kernel/ports/driver.ts'
import type { Store } from '#kernel/ports/store.ts'

export interface Parts {
  readonly flavor: Flavor | null
  readonly image: Image | null
}

export async function partsOf(store: Pick<Store, 'get'>, instance: Instance): Promise<Parts> {
  const { flavorId, imageId } = instance
  const flavor = flavorId === null ? undefined : await store.get('flavors', flavorId)
  const image = imageId === null ? undefined : await store.get('images', imageId)
  return { flavor: flavor ?? null, image: image ?? null }
}

export const thingWith = (parts: Parts, { id, name, handle, launch }: Instance): Thing => ({
  id,
  name,
  handle,
  launch,
  ...parts,
})

export const thingOf = async (store: Pick<Store, 'get'>, instance: Instance): Promise<Thing> =>
  thingWith(await partsOf(store, instance), instance)
