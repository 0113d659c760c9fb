// What every answer of a door must be, and that all doors show the same.

import type { Instance } from '#kernel/instance.ts'
import { at } from './api.ts'
import { type Ask, type Heard, held } from './door-call.ts'
import { isOpen } from './door-stage.ts'
import { signed } from './ecs.ts'
import type { WalkAsk, WalkRows } from './walk-asks.ts'
import type { Answered } from './walk-doors.ts'
import type { People } from './walk-people.ts'

interface Around {
  /** The disk was away, or the plane was ending. */
  readonly isSorry: boolean
  readonly rows: WalkRows
  readonly people: People
  readonly changedBy: (requestId: string) => string | undefined
}

export function judgeAnswer(
  faults: string[],
  { route, who, ask }: WalkAsk,
  { heard, accepted, requestIds }: Answered,
  { isSorry, rows, people, changedBy }: Around,
): void {
  const { status, text } = heard
  const what = `${route.door} ${ask.method} ${ask.target.slice(0, 120)} answered ${status} ${text.slice(0, 160)}`
  const isOurs = isSorry && (status >= 500 || /"(BMS\.0006|Ecs\.0002)"/.test(text))
  if (!isOurs) {
    try {
      held(route, ask, heard)
    } catch (broken) {
      faults.push(`law 9: ${broken instanceof Error ? broken.message : String(broken)}`)
    }
  }
  // One cloud's batches say so with 400. Whether a disk that failed has kept it, nobody knows; every other no means that nothing was changed.
  const changed = requestIds.map(changedBy).find((one) => one !== undefined)
  if (status >= 400 && changed !== undefined && !isOurs)
    faults.push(`law 9: ${what}, and yet came ${changed}`)
  const isStranger = who === null || who.name === 'rita'
  if (isStranger && accepted.length > 0 && !isOpen(route))
    faults.push(`law 10: ${who?.name ?? 'nobody'} was let in: ${what}`)
  if (who?.name !== 'otto' || isOpen(route)) return
  const sent = `${ask.target} ${String(ask.body ?? '')}`
  const own = who.project
  const told = rows.instances.find(
    (row) => row.project !== own && !sent.includes(row.id) && text.includes(row.id),
  )
  const isNamed = people.named.mary.project !== own
  if (told && isNamed) faults.push(`law 10: otto was told of ${told.id}: ${what}`)
}

const restWords: Readonly<Record<string, readonly [string, string]>> = {
  running: ['ACTIVE', 'RUNNING'],
  stopped: ['SHUTOFF', 'STOPPED'],
}

interface Reading {
  readonly read: (ask: Ask) => Promise<Heard>
  readonly people: People
  readonly nowMs: number
}

/** One server through every door that shows servers; returns in words what does not agree. */
export async function readEverywhere(
  row: Instance,
  { read: ask, people, nowMs }: Reading,
): Promise<readonly string[]> {
  const { ada } = people.named
  const read = async (target: string, headers: Readonly<Record<string, string>>) => {
    const { status, text } = await ask({ method: 'GET', target, headers })
    return status < 500 ? (JSON.parse(text) as unknown) : undefined // a disk that is away shows nothing
  }
  const faults: string[] = []
  const hold = (door: string, shown: unknown, wanted: string): void => {
    if (shown !== undefined && shown !== wanted)
      faults.push(
        `law 7: ${door} shows ${JSON.stringify(shown)} for ${row.id}, which is ${row.state}`,
      )
  }
  const bearer = { authorization: `Bearer ${ada.token}` }
  const own = await read(`/api/v1/instances/${row.id}`, bearer)
  hold('native', at(own, 'state'), row.state)
  const [nova, ecs] = restWords[row.state] ?? []
  if (nova === undefined || ecs === undefined || row.underway) return faults
  const token = { 'x-auth-token': ada.token }
  const server = await read(`/compute/v2.1/servers/${row.id}`, token)
  hold('nova', at(server, 'server', 'status'), nova)
  const id = row.aliases['ecs']
  if (id === undefined || row.project !== ada.project) return faults
  const date = new Date(nowMs)
  const { target, headers } = signed(
    ada.keys,
    'DescribeInstances',
    { 'InstanceIds.1': id },
    { date },
  )
  const described = await read(target, headers)
  hold('volcengine', at(described, 'Result', 'Instances', 0, 'Status'), ecs)
  return faults
}
