// What a walk asks the doors: any route of any door's own table, about things that are there or not, by whoever,
// mostly in good order and sometimes not.

import type { Instance } from '#kernel/instance.ts'
import type { Service } from '#kernel/service.ts'
import type { Operation } from '#kernel/operation.ts'
import type { Chance } from './chance.ts'
import { type Ask, asked, type Asking, parametersOf, targetOf } from './door-call.ts'
import { actionParams, samples } from './door-samples.ts'
import { type DoorRoute, everyRoute, idFor, isOpen, type Known } from './door-stage.ts'
import type { People, Person } from './walk-people.ts'

export interface WalkRows {
  readonly instances: readonly Instance[]
  readonly operations: readonly Operation[]
  readonly services: readonly Service[]
}

export interface WalkAsk {
  readonly route: DoorRoute
  readonly who: Person | null
  readonly ask: Ask
}

/**
 * Not asked here: what never ends (streams), and what hashes passwords, which takes time that no test moves. Both
 * have tests of their own.
 */
const isAsked = ({ door, operation, verb }: DoorRoute): boolean =>
  !/stream|watch/i.test(operation) && !(door === 'keystone' && verb !== 'GET')

const routes = everyRoute.filter(isAsked)
const changing = routes.filter(({ verb }) => verb !== 'GET' && verb !== 'HEAD')

const modes = ['drain', 'soft', 'hard'] as const
const statuses = ['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'] as const

/** Operations that stand for many: each body is one of them. */
const variants: Readonly<Record<string, readonly [object, ...object[]]>> = {
  actOnInstance: [
    { action: 'start' },
    ...modes.map((mode) => ({ action: 'stop', mode })),
    ...modes.map((mode) => ({ action: 'restart', mode })),
    { action: 'stop', mode: 'soft', graceMs: 500 },
    { action: 'stop', stoppedMode: 'release' },
    { action: 'capture', imageName: 'i' },
    { action: 'queue' },
    { action: 'dequeue' },
    { action: 'delete' },
    { action: 'reset', to: 'running' },
    { action: 'reset', to: 'failed' },
    { action: 'status', status: 'out-of-service' },
    { action: 'clear-status' },
  ],
  actOnServer: [
    { 'os-stop': null },
    { 'os-start': null },
    { reboot: { type: 'SOFT' } },
    { reboot: { type: 'HARD' } },
    { lock: null },
    { unlock: null },
    { 'os-resetState': { state: 'active' } },
    { createImage: { name: 'i' } },
  ],
  actOnService: [{ action: 'start' }, { action: 'stop' }],
  UpdateEdgeNodeStatus: [{ status: 'running' }, { status: 'stopped' }],
  ManageDevEnvironInstance: [{ action: 'start' }, { action: 'stop' }],
  holdInstance: [{ kind: 'hold' }, { kind: 'lock' }],
}

const hostile = [
  '',
  'null',
  '[]',
  '{"a":',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":1}}',
  `${'['.repeat(2_000)}${']'.repeat(2_000)}`,
  '\u0000',
] as const
const strange = ['__proto__', '%00', '..%2F..%2Fetc', '%E2%98', 'a%0Ab', 'none', '%'] as const

interface Choice {
  readonly dice: Chance
  readonly rows: WalkRows
  readonly people: People
  readonly flavors: readonly [string, ...string[]]
  readonly nowMs: number
}

export function randomAsk(choice: Choice): WalkAsk {
  const { dice, people } = choice
  const { roll, pick } = dice
  const route = oneOf(dice, roll() < 0.65 ? changing : routes)
  const { mary, ada, rita, otto } = people.named
  const who = roll() < 0.8 ? pick([mary, ada]) : pick([rita, otto, null])
  const named = known(choice)
  const stage = { idFor: (one: DoorRoute, name: string) => idFor(one, name, named) }
  const asking: Asking = {
    ...askingOf(route, named, choice),
    ...(roll() < 0.05 ? { target: strangeTarget(stage, route, dice) } : {}),
    // The root is several doors' at once: by another method another one answers.
    ...(route.path !== '/' && roll() < 0.02
      ? { method: pick(['PATCH', 'PUT', 'DELETE', 'POST', 'LINK']) }
      : {}),
    date: new Date(choice.nowMs),
  }
  return { route, who, ask: asked(stage, route, isOpen(route) ? null : who, asking) }
}

function askingOf(route: DoorRoute, named: Known, { dice, flavors }: Choice): Asking {
  const { roll, pick } = dice
  if (route.operations) {
    const { operation: action } = oneOf(dice, route.operations)
    const params = {
      ...actionParams(named.server.aliases['ecs'] ?? 'i-none'),
      InstanceTypeId: pick(flavors),
      ImageId: 'sim',
      ...(roll() < 0.3 ? { ForceStop: 'true' } : {}),
      ...(roll() < 0.3 ? { StoppedMode: pick(['StopCharging', 'KeepCharging']) } : {}),
      ...(roll() < 0.1 ? { ClientToken: `t${dice.upTo(3)}` } : {}),
    }
    return { action, params }
  }
  const sample = samples[route.operation]
  const several = variants[route.operation]
  const body = several ? pick(several) : sample?.body
  const text = body && JSON.stringify(body).replaceAll('"instant"', JSON.stringify(pick(flavors)))
  const { params } = sample ?? {}
  return {
    ...(params ? { params: 'value' in params ? { value: pick(statuses) } : params } : {}),
    ...(roll() < 0.08 && route.verb !== 'GET'
      ? { body: spoilt(text ?? '{}', dice) }
      : text === undefined
        ? {}
        : { body: text }),
  }
}

/** A body with something wrong: another one altogether, or one character out of place. */
function spoilt(text: string, { roll, upTo, pick }: Chance): string {
  if (roll() < 0.5) return pick(hostile)
  const at = upTo(text.length)
  return text.slice(0, at) + pick(['', '"', '}', '\\', '9e999', '-1']) + text.slice(at + 1)
}

function strangeTarget(
  stage: { idFor(route: DoorRoute, name: string): string },
  route: DoorRoute,
  { pick }: Chance,
): string {
  const [name] = parametersOf(route)
  return targetOf(
    stage as Parameters<typeof targetOf>[0],
    route,
    name ? { [name]: pick(strange) } : {},
  ) // all that is asked of a stage
}

const nothing = { id: 'none', aliases: {}, serviceId: null, nodeId: null, holds: [] }

/** One of a list that is never empty. */
function oneOf<T>({ upTo }: Chance, all: readonly T[]): T {
  const one = all[upTo(all.length - 1)]
  if (one === undefined) throw new Error('there is nothing to choose from')
  return one
}

function known({ dice, rows, people }: Choice): Known {
  const { pick, upTo } = dice
  const { mary } = people.named
  const one = <T>(all: readonly T[]): T | undefined => all[upTo(Math.max(0, all.length - 1))]
  const own = (kind: Instance['kind']): Instance =>
    one(rows.instances.filter((row) => row.kind === kind)) ?? (nothing as unknown as Instance) // enough to name it
  const held = one(rows.instances.filter(({ holds }) => holds.length > 0))
  const operation = one(rows.operations)
  return {
    server: own(pick(['server', 'server', 'server', 'notebook', 'service-instance'])),
    notebook: own('notebook'),
    edge: own('edge-instance'),
    registered: own('service-instance'),
    held: held?.id ?? 'none',
    hold: held?.holds[0]?.id ?? 'none',
    operation: operation?.id ?? 'none',
    request: `req-${operation?.cause.requestId ?? 'none'}`,
    batch: 'none',
    accessKey: 'none',
    project: mary.project,
    projectName: mary.projectName,
    userId: mary.userId,
  }
}
