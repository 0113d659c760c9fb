// The door's two websockets: a consumer's watch, and an instance that lives by answering pings. Who is not known is
// let in, told so and shown out: clients act on that text and code, not on a refused upgrade.
// Source: contracts/cse-registry.md sections 6.1, 6.3 and 6.4.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Takes } from '../shared/http.ts'
import { dead, deadCode } from './beating.ts'
import { type Answered, type Asked, viewerOf } from './call.ts'
import { type Fault, invalid } from './faults.ts'
import { pairIn, seenInstance } from './instances.ts'
import { serviceRowId } from './wire.ts'
import { gone, goneCode } from './watch.ts'

type Upgraded = Promise<Result<Takes, Fault>>

/** Both paths, asked without an upgrade. */
export async function notUpgraded(): Answered {
  return err(
    invalid("websocket: the client is not using the websocket protocol: 'upgrade' token not found"),
  )
}

/** As many pings as may stay unanswered. */
const patience = 4

const pingMsOf = ({ settings }: Asked): number => settings.pingSeconds * 1_000

/** W1. What is committed once the upgrade is answered is told. */
export async function watch(asked: Asked): Upgraded {
  const { desk, project } = asked
  await desk.mirror.book(project)
  // Nothing of the request is kept for as long as the connection lives.
  const id = serviceRowId(asked, asked.exchange.params['serviceId'] ?? '')
  const tenant = `${asked.tenant.domain}/${asked.tenant.project}`
  const pingMs = pingMsOf(asked)
  const by = viewerOf(asked, asked.exchange.params['serviceId'] ?? '')
  const { plane } = asked
  return ok((socket) => {
    const book = desk.mirror.known(project)
    const consumer = book?.version(id)
    if (!book || !consumer) {
      socket.send(gone)
      socket.close(goneCode, gone)
      return
    }
    book.watchers += 1
    const link = desk.connections.open(socket, {
      pingMs,
      silenceMs: pingMs * patience,
      sent: (frames) => {
        for (const { of } of frames) plane.shown(of.service, by, of.revision)
      },
      closed: () => {
        book.watchers -= 1
        stop()
      },
    })
    const stop = desk.watchers.add(consumer.id, { link, tenant })
  })
}

/** Each pong renews the lease. Pings come so often that none of a living client's is missed within its lease. */
export async function beatBySocket(asked: Asked): Upgraded {
  const { desk, caller } = asked
  const pair = pairIn(asked)
  const instance = await seenInstance(asked, pair)
  const ttlMs = instance?.registration?.lease.ttlMs
  return ok((socket) => {
    if (!instance || ttlMs === undefined) return socket.close(deadCode, dead)
    const heard = async (): Promise<void> => {
      try {
        if (!(await desk.leaseIds.beat(caller, pair))) link.push.close(deadCode, dead)
      } catch (thrown) {
        // The store is out of reach: the next pong asks again, and the lease has not run out for that.
        asked.exchange.log.warn({ err: thrown }, 'a heartbeat could not be looked up')
      }
    }
    const link = desk.connections.open(socket, {
      pingMs: Math.min(pingMsOf(asked), ttlMs / patience),
      silenceMs: pingMsOf(asked) * patience,
      isPingedAlways: true,
      heard: () => void heard(),
      closed: () => stop(),
    })
    const stop = desk.beating.add(instance.id, link)
    link.push.ping()
  })
}
