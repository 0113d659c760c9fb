// Makes a thing's folder, for this attempt or a later one.

import { ok, type Result } from '#kernel/errors.ts'
import type { DriverError } from '#kernel/request.ts'
import { stale } from '../shared/world.ts'
import { takeFence } from './fence.ts'
import { type Folder, makeFolder } from './folder.ts'

/** Resolves with the number of this act: nothing that was started before it begins to run any more. */
export async function makeThing(
  folder: Folder,
  attempt: number,
): Promise<Result<number, DriverError>> {
  await makeFolder(folder)
  const fence = await takeFence(folder.control, attempt)
  return fence.ok ? ok(fence.value) : stale(attempt, fence.error.latest)
}
