// Tags of a microservice version. Each is kept under a key of its own in the service's row, so that two changes at
// once never undo each other.
// Source: contracts/cse-registry.md section 3.5.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Service } from '#kernel/service.ts'
import { type Answered, type Asked, change } from './call.ts'
import { decodeTags, tagFault } from './decode.ts'
import { type Fault, fault } from './faults.ts'
import { serviceOf } from './reading.ts'
import { type Check, firstFault, rules } from './rules.ts'
import { empty, json, keptKeys, rowPart, struct, tagAttributes, tagsOf } from './wire.ts'

const idIn = ({ exchange: { params } }: Asked): string => params['serviceId'] ?? ''

/** What stands comes before what is asked of it; both before any change. */
async function taggedService(
  asked: Asked,
  bad: Fault | undefined,
): Promise<Result<Service, Fault>> {
  return bad ? err(bad) : serviceOf(asked, idIn(asked))
}

const put = (asked: Asked, tags: Readonly<Record<string, string | null>>): Answered =>
  change(
    asked,
    {
      verb: 'update-service',
      kind: 'microservice',
      service: rowPart(idIn(asked)),
      changedAttributes: tagAttributes(tags),
    },
    { show: () => empty },
  )

/** T1: the given set replaces all. */
export async function putTags(asked: Asked): Answered {
  const wanted = decodeTags(asked.exchange.body)
  if (!wanted.ok) return wanted
  const bad =
    firstFault('AddServiceTagsRequest', [['ServiceId', idIn(asked), rules.serviceId]]) ??
    tagFault('AddServiceTagsRequest', wanted.value)
  const service = await taggedService(asked, bad)
  if (!service.ok) return service
  const cleared = Object.keys(tagsOf(service.value)).map((key) => [key, null] as const)
  return put(asked, { ...Object.fromEntries(cleared), ...wanted.value })
}

/** T2. */
export async function getTags(asked: Asked): Answered {
  const bad = firstFault('GetServiceTagsRequest', [['ServiceId', idIn(asked), rules.serviceId]])
  const service = await taggedService(asked, bad)
  return service.ok ? ok(json(struct({ tags: tagsOf(service.value) }))) : service
}

const missing = fault('400018', 'Tag does not exist, please add one first.')

/** T3. */
export async function putTag(asked: Asked): Answered {
  const key = asked.exchange.params['key'] ?? ''
  const value = asked.query.get('value') ?? ''
  const bad = firstFault('UpdateServiceTagRequest', [
    ['ServiceId', idIn(asked), rules.serviceId],
    ['Key', key, rules.tag],
    ['Value', value, rules.tag],
  ])
  const service = await taggedService(asked, bad)
  if (!service.ok) return service
  if (service.value.attributes[keptKeys.tag(key)] === undefined) return err(missing)
  return put(asked, { [key]: value })
}

/** T4: all or none. */
export async function deleteTags(asked: Asked): Answered {
  const keys = [...new Set((asked.exchange.params['key'] ?? '').split(','))]
  const bad = firstFault('DeleteServiceTagsRequest', [
    ['ServiceId', idIn(asked), rules.serviceId],
    ['Keys', keys.length, rules.tagKeys],
    ...keys.map((key): Check => ['Keys', key, rules.tag]),
  ])
  const service = await taggedService(asked, bad)
  if (!service.ok) return service
  const tags = tagsOf(service.value)
  if (keys.some((key) => !Object.hasOwn(tags, key))) return err(missing)
  return put(asked, Object.fromEntries(keys.map((key) => [key, null])))
}
