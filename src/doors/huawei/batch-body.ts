// Decodes what is posted to …/action: one action, and the servers that it is for.
//
// - Each server once, in the order in which they were first named.
// - Fields that are not known are let through unread, as the services do.
// Source: contract, sections 11.1, 11.2 and 11.4.

import { err, ok, type Result } from '#kernel/errors.ts'
import { isObject, parseJson } from '../shared/http.ts'
import { type Fault, speeches } from './faults.ts'
import { type Action, actions, type Family, type PowerType, stopTypes } from './states.ts'

export interface Wanted {
  readonly action: Action
  readonly type: PowerType
  readonly ids: readonly string[]
}

export const serversMax = 1_000

export function decodeBatch(body: Buffer, family: Family): Result<Wanted, Fault> {
  const { notJson, invalid, tooMany } = speeches[family]
  const parsed = parseJson(body)
  if (!parsed.ok) return err(notJson('the body is not JSON'))
  if (!isObject(parsed.value)) return err(notJson('the body is not an object'))
  const [name, ...others] = Object.keys(parsed.value)
  const action = actions.find((one) => one === name)
  if (action === undefined || others.length > 0) return err(invalid)
  const asked = parsed.value[action]
  if (!isObject(asked)) return err(invalid)
  const ids = idsIn(asked['servers'])
  if (ids === undefined) return err(invalid)
  if (ids.length > serversMax) return err(tooMany)
  const type = typeIn(asked['type'], action, family)
  if (type === undefined) return err(invalid)
  return ok({ action, type, ids: [...new Set(ids)] })
}

function idsIn(servers: unknown): readonly string[] | undefined {
  if (!Array.isArray(servers) || servers.length === 0) return undefined
  const ids: string[] = []
  for (const server of servers as readonly unknown[]) {
    // each is looked at on the next line
    const id = isObject(server) ? server['id'] : undefined
    if (typeof id !== 'string' || id === '') return undefined
    ids.push(id)
  }
  return ids
}

function typeIn(value: unknown, action: Action, family: Family): PowerType | undefined {
  if (action === 'os-start') return 'SOFT'
  if (value === undefined || value === null)
    return action === 'os-stop' ? stopTypes[family] : undefined
  return value === 'SOFT' || value === 'HARD' ? value : undefined
}
