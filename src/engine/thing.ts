// From an instance to what its driver is told of it.

import { type Instance } from '#kernel/instance.ts'
import { type Thing } from '#kernel/ports/driver.ts'
import { type Store } from '#kernel/ports/store.ts'

export async function thingOf(store: Pick<Store, 'get'>, instance: Instance): Promise<Thing> {
  const flavor =
    instance.flavorId === null ? undefined : await store.get('flavors', instance.flavorId)
  const image = instance.imageId === null ? undefined : await store.get('images', instance.imageId)
  return {
    id: instance.id,
    name: instance.name,
    handle: instance.handle,
    launch: instance.launch,
    flavor: flavor ?? null,
    image: image ?? null,
  }
}
