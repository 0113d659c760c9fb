// Tags of instances, in the two families that this cloud has: Tag/Untag/ListTagsForResources, and the older
// Create/Delete/DescribeTags that Terraform calls. A tag is a label of the instance, seen through every door.
// Source: contracts/volcengine-ecs.md section 7.9.

import { err, type KernelError, ok } from '#kernel/errors.ts'
import type { Batch, UpdateInstance } from '#kernel/request.ts'
import { type Call, type Outcome, submit, targetOf } from './call.ts'
import { business, type Fault, faultOf, malformed, missing } from './faults.ts'
import type { Reading } from './reading.ts'
import { acceptedFrom } from './states.ts'
import { idsMax, isTagKey, readTags, readType, tagsMax } from './tag-parameters.ts'
import { errorEntry } from './wire.ts'

type Labels = NonNullable<UpdateInstance['changedLabels']>

const labelsMax = 50

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
type Change = keyof typeof readers

/** All or none: a resource that is not there, or has no room, refuses the request. */
export const changeTags =
  (change: Change) =>
  async (call: Call): Promise<Outcome> => {
    const ids = readIds(call.reading)
    const labels = readers[change](call.reading)
    if (call.reading.fault) return err(call.reading.fault)
    const request = batchOf(call, ids, labels, change)
    // Items of a batch stand alone, so the whole of it is tried before any of it is done.
    for (const isRehearsal of [true, false]) {
      const handling = { token: undefined, dryRun: false, isRehearsal }
      const results = await submit(call, request, handling)
      if (!results.ok) return results
      const refused = results.value.items?.find((result) => !result.ok)
      if (refused?.ok === false) return err(tagFault(refused.error, call))
    }
    return ok({ RequestId: call.requestId })
  }

/** Each resource for itself. */
export const changeTagsEach =
  (change: Change) =>
  async (call: Call): Promise<Outcome> => {
    const token = call.reading.clientToken()
    const ids = readIds(call.reading)
    const labels = readers[change](call.reading)
    if (call.reading.fault) return err(call.reading.fault)
    const results = await submit(call, batchOf(call, ids, labels, change), { token, dryRun: false })
    if (!results.ok) return results
    const OperationDetails = ids.map((ResourceId, index) => {
      const result = results.value.items?.[index]
      return result === undefined || result.ok
        ? { ResourceId }
        : { ResourceId, Error: errorEntry(tagFault(result.error, call)) }
    })
    return ok({ OperationDetails })
  }

function batchOf(call: Call, ids: readonly string[], changedLabels: Labels, change: Change): Batch {
  const asked = { verb: 'update', changedLabels, from: acceptedFrom.describe } as const
  // Whoever has too many may always take some away.
  const limit = change === 'set' ? { labelsMax } : {}
  return {
    verb: 'batch',
    items: ids.map((id) => ({ ...asked, ...limit, target: targetOf(call, id) })),
  }
}

const tagFault = (error: KernelError, { action }: Call): Fault =>
  error.code === 'NotFound' ? business.resourceNotFound : faultOf(error, action)
