// Tags: words on a server, each a fact of its own. Locked servers take them too.
// Source: contract, sections 4.3, 6.7 and 13; openstack/nova nova/api/openstack/compute/server_tags.py.

import { may } from '#kernel/access.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { planOf } from '../shared/lent-headers.ts'
import { tagCheck, tagListCheck, tagsMax } from './bodies.ts'
import type { Call, Reply } from './call.ts'
import { badRequest, faultOf, type NovaFault, policy } from './faults.ts'
import { doorName, keptOf, tagFacts } from './kept.ts'
import { changedServer, serverIn, viewOf } from './servers.ts'
import { preconditions, situationsFor } from './states.ts'
import { tagsOf } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

/** Upstream's first version with tags; the other dialect has them always. */
export const tagsSince = { nova: 26, huawei: 0 } as const

export const listTags = async (call: Call): Answered => await tagsIn(call, await serverIn(call))

async function tagsIn(call: Call, instance: Result<Instance, NovaFault>): Answered {
  if (!instance.ok) return instance
  return ok({
    status: 200,
    body: { tags: tagsOf(instance.value, await viewOf(call, [instance.value])) },
  })
}

export async function checkTag(call: Call): Answered {
  const instance = await serverIn(call)
  if (!instance.ok) return instance
  const tag = tagIn(call)
  if (tagsOf(instance.value, await viewOf(call, [instance.value])).includes(tag))
    return ok({ status: 204 })
  return err({ status: 404, message: `Server ${instance.value.id} has no tag '${tag}'` })
}

export async function replaceTags(call: Call): Answered {
  const body = tagListCheck[call.mount.dialect](call.body)
  if (!body.ok) return body
  const before = await serverIn(call)
  if (!before.ok) return before
  const wanted = new Set(body.value.tags)
  const gone = keptOf(before.value).tags.filter((tag) => !wanted.has(tag))
  const change = { ...changeOf(gone, false), ...changeOf([...wanted], true) }
  const written = await write(call, change, 'update tags')
  if (!written.ok || call.submission.dryRun) return written
  return await tagsIn(call, await changedServer(call))
}

export async function clearTags(call: Call): Answered {
  const before = await serverIn(call)
  if (!before.ok) return before
  return await write(call, changeOf(keptOf(before.value).tags, false), 'delete tags')
}

export async function addTag(call: Call): Answered {
  const tag = tagIn(call)
  const fault = faultIn(call, tag)
  if (fault) return err(fault)
  const before = await serverIn(call)
  if (!before.ok) return before
  const known = keptOf(before.value).tags
  const isKnown = known.includes(tag)
  if (!isKnown && known.length >= tagsMax) return err(tooMany)
  const written = await write(call, { [tag]: true }, 'update tag')
  if (!written.ok || call.submission.dryRun) return written
  if (isKnown || call.mount.dialect === 'huawei') return ok({ status: 204 })
  const location = `${call.links.self}/servers/${before.value.id}/tags/${encodeURIComponent(tag)}`
  return ok({ status: 201, headers: { location } })
}

export async function removeTag(call: Call): Answered {
  const before = await serverIn(call)
  if (!before.ok) return before
  if (!may(call.caller, 'update')) return err(policy(call.rule))
  const tag = tagIn(call)
  if (!keptOf(before.value).tags.includes(tag))
    return err({ status: 404, message: `Instance ${before.value.id} has no tag '${tag}'` })
  return await write(call, { [tag]: false }, 'delete tag')
}

const tagIn = (call: Call): string => call.exchange.params['tag'] ?? ''

const tooMany = badRequest(`The number of tags exceeded the per-server limit ${tagsMax}`)

function faultIn({ mount }: Call, tag: string): NovaFault | undefined {
  const checked = tagCheck[mount.dialect](tag)
  if (checked.ok) return undefined
  const why = checked.error.message
  return badRequest(
    `Tag '${tag.slice(0, 100)}' is invalid. It must be a non empty string without characters '/' and ','. Validation error message: ${why}`,
  )
}

type Change = Readonly<Record<string, boolean>>

const changeOf = (tags: readonly string[], isSet: boolean): Change =>
  Object.fromEntries(tags.map((tag) => [tag, isSet]))

async function write(call: Call, change: Change, verb: string): Answered {
  const target = { kind: 'server', id: call.exchange.params['server_id'] ?? '' } as const
  const receipt = await call.house.plane.submit(
    {
      verb: 'update',
      target,
      from: situationsFor('description'),
      attributes: { door: doorName, value: tagFacts(change), isMerged: true },
    },
    call.submission,
  )
  if (!receipt.ok) {
    const precondition = preconditions.description
    return err(faultOf(receipt.error, { verb, rule: call.rule, precondition }))
  }
  return call.submission.dryRun
    ? ok({ status: 200, body: planOf(receipt.value) })
    : ok({ status: 204 })
}
