// A server's metadata: the labels of the instance, which every door shows.
// Source: contract, section 6.6; openstack/nova nova/api/openstack/compute/server_metadata.py.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { UpdateInstance } from '#kernel/request.ts'
import { planOf } from '../shared/lent-headers.ts'
import { metaBody, metadataBody, metadataItemsMax } from './bodies.ts'
import type { Call, Reply } from './call.ts'
import { badRequest, faultOf, forbidden, type NovaFault } from './faults.ts'
import { changedServer, serverIn } from './servers.ts'
import { preconditions, situationsFor } from './states.ts'

type Answered = Promise<Result<Reply, NovaFault>>
type Labels = Instance['labels']
/** Null: the label is removed. */
type LabelChange = Readonly<Record<string, string | null>>

const noSuchItem: NovaFault = { status: 404, message: 'Metadata item was not found' }

export async function listMetadata(call: Call): Answered {
  const instance = await serverIn(call)
  return instance.ok ? ok({ status: 200, body: { metadata: instance.value.labels } }) : instance
}

export async function showMetadataItem(call: Call): Answered {
  const instance = await serverIn(call)
  if (!instance.ok) return instance
  const key = keyIn(call)
  const value = valueAt(instance.value.labels, key)
  return value === undefined
    ? err(noSuchItem)
    : ok({ status: 200, body: { meta: { [key]: value } } })
}

export const mergeMetadata = (call: Call): Answered => writeAll(call, 'merge')
export const replaceMetadata = (call: Call): Answered => writeAll(call, 'replace')

async function writeAll(call: Call, how: 'merge' | 'replace'): Answered {
  const body = metadataBody(call.body)
  if (!body.ok) return body
  const { metadata } = body.value
  const before = await serverIn(call)
  if (!before.ok) return before
  const after = how === 'merge' ? { ...before.value.labels, ...metadata } : metadata
  const change = how === 'merge' ? { changedLabels: metadata } : { labels: metadata }
  return await written(call, { after, change, verb: 'update metadata' }, async () => {
    const instance = await changedServer(call)
    return instance.ok ? ok({ status: 200, body: { metadata: instance.value.labels } }) : instance
  })
}

export async function writeMetadataItem(call: Call): Answered {
  const body = metaBody(call.body)
  if (!body.ok) return body
  const { meta } = body.value
  const key = keyIn(call)
  if (!Object.hasOwn(meta, key)) return err(badRequest('Request body and URI mismatch'))
  const before = await serverIn(call)
  if (!before.ok) return before
  const after = { ...before.value.labels, ...meta }
  const change = { changedLabels: meta }
  return await written(call, { after, change, verb: 'update metadata' }, () =>
    ok({ status: 200, body: { meta } }),
  )
}

export async function deleteMetadataItem(call: Call): Answered {
  const before = await serverIn(call)
  if (!before.ok) return before
  const key = keyIn(call)
  if (valueAt(before.value.labels, key) === undefined) return err(noSuchItem)
  const change = { changedLabels: { [key]: null } }
  return await written(call, { after: {}, change, verb: 'delete metadata' }, () =>
    ok({ status: 204 }),
  )
}

interface Writing {
  /** What there will be, for its size. */
  readonly after: Labels
  readonly change: { readonly labels: Labels } | { readonly changedLabels: LabelChange }
  readonly verb: string
}

async function written(
  call: Call,
  { after, change, verb }: Writing,
  answer: () => Result<Reply, NovaFault> | Answered,
): Answered {
  if (Object.keys(after).length > metadataItemsMax) {
    return err(forbidden(`Maximum number of metadata items exceeds ${metadataItemsMax}`))
  }
  const request: UpdateInstance = {
    verb: 'update',
    target: { kind: 'server', id: call.exchange.params['server_id'] ?? '' },
    from: situationsFor('description'),
    heedsHolds: true,
    ...change,
  }
  const receipt = await call.house.plane.submit(request, call.submission)
  if (!receipt.ok) {
    const precondition = preconditions.description
    return err(faultOf(receipt.error, { verb, rule: call.rule, precondition }))
  }
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  return await answer()
}

const keyIn = (call: Call): string => call.exchange.params['key'] ?? ''

const valueAt = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined
