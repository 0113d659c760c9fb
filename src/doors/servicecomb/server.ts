// What the registry says of itself: its members, its version, and whether it is ready.
// Source: contracts/cse-registry.md section 3.6 and 9.14.

import { createHash } from 'node:crypto'
import { err, ok } from '#kernel/errors.ts'
import { StoreError } from '#kernel/ports/store.ts'
import type { Answered, Asked } from './call.ts'
import { fault } from './faults.ts'
import { collection, empty, json, protocolVersion, seconds, struct, text } from './wire.ts'

/** H1: this server is the only member, at the address by which the caller has reached it. */
export async function health(asked: Asked): Answered {
  if (!(await isReady(asked))) return err(fault('400002'))
  const { host, hostname } = new URL(asked.exchange.baseUrl)
  const idOf = (what: string) => createHash('sha1').update(`${what} ${host}`).digest('hex')
  const openedAt = seconds(asked.desk.openedAtMs)
  const member = struct({
    instanceId: idOf('instance').slice(0, 32),
    serviceId: idOf('service'),
    endpoints: [`rest://${host}/`],
    hostName: hostname,
    status: 'UP',
    healthCheck: { mode: 'push', interval: 30, times: 3 },
    timestamp: openedAt,
    modTimestamp: openedAt,
    version: protocolVersion,
  })
  return ok(collection('instances', [member]))
}

/** H2. The key `goVersion` is the protocol's; its value is the truth. */
export const version = (apiVersion: ApiVersion) => async (): Answered => ok(json(about(apiVersion)))

type ApiVersion = '3.0.0' | '4.0.0'

export const about = (apiVersion: ApiVersion): object => ({
  version: protocolVersion,
  buildTag: 'runstate',
  goVersion: `node ${process.version}`,
  os: process.platform,
  arch: process.arch,
  apiVersion,
})

/** H3. */
export async function readiness(asked: Asked): Answered {
  return ok((await isReady(asked)) ? empty : text(503, ''))
}

async function isReady({ plane, exchange }: Asked): Promise<boolean> {
  try {
    await plane.read.lastEvent()
    return true
  } catch (thrown) {
    // The store says why in the log; callers only need to know that it is out of reach.
    if (!(thrown instanceof StoreError)) throw thrown
    exchange.log.error({ err: thrown }, 'the registry is not ready: the store does not answer')
    return false
  }
}
