// Tags as parameters: what RunInstances, TagResources and CreateTags share.
// Source: contracts/volcengine-ecs.md sections 7.7 and 7.9.

import { malformed } from './faults.ts'
import type { Reading } from './reading.ts'

export const tagsMax = 20
export const idsMax = 50
export const instanceType = 'instance'
const keyMax = 128
const valueMax = 256
/** The system's own. */
const reserved = /^(?:volc|sys):/i

export const isTagKey = (key: string): boolean =>
  key.length >= 1 && key.length <= keyMax && !reserved.test(key)

/** A key given twice contradicts itself. */
export function readTags(reading: Reading, name: string): Readonly<Record<string, string>> {
  const tags = new Map<string, string>()
  for (const group of reading.groups(name, { max: tagsMax })) {
    const key = group.required('Key')
    const value = group.text('Value') ?? ''
    if (!isTagKey(key) || tags.has(key)) reading.fail(malformed('TagKey'))
    if (value.length > valueMax) reading.fail(malformed('TagValue'))
    tags.set(key, value)
  }
  return Object.fromEntries(tags)
}

/** Nothing but instances has tags here. */
export function readType(reading: Reading): void {
  const type = reading.required('ResourceType')
  if (type !== '' && type !== instanceType) reading.fail(malformed('ResourceType'))
}
