// Tags of instances, in the two families that this cloud has: Tag/Untag/ListTagsForResources, and the older
// Create/Delete/DescribeTags that Terraform calls. A tag is a label of the instance, seen through every door.
// Source: contracts/volcengine-ecs.md section 7.9.

import { err, type KernelError, ok, type Result } from '#kernel/errors.ts'
import { type Receipt, type UpdateInstance } from '#kernel/request.ts'
import { type Call, type Handling, type Outcome, submit, targetOf } from './call.ts'
import { business, type Fault, faultOf, malformed, missing } from './faults.ts'
import { type Reading } from './reading.ts'
import { acceptedFrom } from './states.ts'
import { idsMax, isTagKey, readTags, readType, tagsMax } from './tag-parameters.ts'
import { errorEntry } from './wire.ts'

type Labels = NonNullable<UpdateInstance['changedLabels']>

const tagsPerInstanceMax = 50

function readIds(reading: Reading): readonly string[] {
  readType(reading)
  const ids = [...new Set(reading.list('ResourceIds', { max: idsMax }))]
  if (ids.length === 0) reading.fail(missing('ResourceIds'))
  return ids
}

function readSet(reading: Reading): Labels {
  const tags = readTags(reading, 'Tags')
  if (Object.keys(tags).length === 0) reading.fail(missing('Tags'))
  return tags
}

function readUnset(reading: Reading): Labels {
  const keys = reading.list('TagKeys', { max: tagsMax })
  if (keys.length === 0) reading.fail(missing('TagKeys'))
  if (!keys.every(isTagKey)) reading.fail(malformed('TagKey'))
  return Object.fromEntries(keys.map((key) => [key, null]))
}

const readers = { set: readSet, unset: readUnset } as const

/** All or none: a resource that is not there, or has no room, refuses the request. */
export const changeTags =
  (change: keyof typeof readers) =>
  async (call: Call): Promise<Outcome> => {
    const ids = readIds(call.reading)
    const labels = readers[change](call.reading)
    if (call.reading.fault) return err(call.reading.fault)
    const checked = await Promise.all(ids.map((id) => room(call, id, labels)))
    const refused = checked.find((fault) => fault !== undefined)
    if (refused !== undefined) return err(refused)
    const results = await apply(call, ids, labels, { token: undefined, dryRun: false })
    if (!results.ok) return results
    const failed = results.value.find((result) => !result.ok)
    return failed === undefined || failed.ok
      ? ok({ RequestId: call.requestId })
      : err(tagFault(failed.error, call))
  }

/** Each resource for itself. */
export const changeTagsEach =
  (change: keyof typeof readers) =>
  async (call: Call): Promise<Outcome> => {
    const token = call.reading.clientToken()
    const ids = readIds(call.reading)
    const labels = readers[change](call.reading)
    if (call.reading.fault) return err(call.reading.fault)
    const results = await apply(call, ids, labels, { token, dryRun: false })
    if (!results.ok) return results
    const OperationDetails = ids.map((ResourceId, index) => {
      const result = results.value[index]
      return result === undefined || result.ok
        ? { ResourceId }
        : { ResourceId, Error: errorEntry(tagFault(result.error, call)) }
    })
    return ok({ OperationDetails })
  }

async function apply(
  call: Call,
  ids: readonly string[],
  changedLabels: Labels,
  handling: Handling,
): Promise<Result<readonly Result<Receipt>[], Fault>> {
  const items = ids.map(
    (id) =>
      ({
        verb: 'update',
        target: targetOf(call, id),
        changedLabels,
        from: acceptedFrom.describe,
      }) as const,
  )
  const receipt = await submit(call, { verb: 'batch', items }, handling)
  return receipt.ok ? ok(receipt.value.items ?? []) : receipt
}

/** Why the resource cannot be tagged so; undefined when it can. */
async function room(call: Call, id: string, labels: Labels): Promise<Fault | undefined> {
  const seen = await call.plane.see(targetOf(call, id), call.principal.caller)
  if (!seen.ok) return tagFault(seen.error, call)
  const after = { ...seen.value.labels, ...labels }
  const count = Object.values(after).filter((value) => value !== null).length
  return count > tagsPerInstanceMax ? business.tagsExceeded : undefined
}

const tagFault = (error: KernelError, { action }: Call): Fault =>
  error.code === 'NotFound' ? business.resourceNotFound : faultOf(error, action)
