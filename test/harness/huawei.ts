// A caller of the vendor's own APIs of servers, for tests of that door and of what it shares with others.

import type { Heard, OpenStackCaller } from './openstack.ts'
import { until } from './world.ts'

export type Family = 'baremetalservers' | 'cloudservers'

export const v1 = (
  caller: OpenStackCaller,
  method: string,
  path: string,
  body?: unknown,
): Promise<Heard> =>
  caller.call(method, `/v1/${caller.projectId}${path}`, body === undefined ? {} : { body })

/** Sends one batch; it must be accepted. Answers the job's id. */
export async function batch(
  caller: OpenStackCaller,
  family: Family,
  body: Readonly<Record<string, object>>,
): Promise<string> {
  const heard = await v1(caller, 'POST', `/${family}/action`, body)
  if (heard.status !== 200) throw new Error(`${heard.status} ${heard.text}`)
  return heard.textAt('job_id')
}

export const serversOf = (...ids: readonly string[]) => ids.map((id) => ({ id }))

export const job = (caller: OpenStackCaller, id: string): Promise<Heard> =>
  v1(caller, 'GET', `/jobs/${id}`)

/** Waits until every part of the job has ended. */
export const jobEnded = (caller: OpenStackCaller, id: string): Promise<Heard> =>
  until(
    () => job(caller, id),
    (heard) => heard.at('status') === 'SUCCESS' || heard.at('status') === 'FAIL',
  )

/** What stands in each part: the server, how it ended, and with which code. */
export const partsOf = (heard: Heard): readonly (readonly [unknown, unknown, unknown])[] => {
  const ids = heard.each('entities.sub_jobs', 'entities')
  const statuses = heard.each('entities.sub_jobs', 'status')
  const codes = heard.each('entities.sub_jobs', 'error_code')
  return ids.map((one, at) => [idIn(one), statuses[at], codes[at]])
}

const idIn = (entities: unknown): unknown =>
  (Object(entities) as Readonly<Record<string, unknown>>)['server_id'] // any object may be read so
