// What tables show of each thing, and how a moment is told to a person.

import type {
  EventShown,
  HoldShown,
  InstanceShown,
  OperationShown,
  UsageShown,
} from '#doors/native/wire.ts'
import type { Columns } from './print.ts'

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** `3d`, `5h`, `12m`, `40s`: the largest unit that fits. */
export function ago(iso: string, nowMs = Date.now()): string {
  const ms = Math.max(0, nowMs - Date.parse(iso))
  const [unit, size] = units.find(([, each]) => ms >= each) ?? units[3]
  return `${Math.floor(ms / size)}${unit}`
}

/** `3d 5h`, `12m 40s`, `0.4s`: the largest unit that fits, and the one below it. */
export function span(ms: number): string {
  const at = units.findIndex(([, each]) => ms >= each)
  const [unit, size] = units[at] ?? units[3]
  const below = at === -1 ? undefined : units[at + 1]
  if (below === undefined) return `${(Math.floor(ms / 100) / 10).toString()}${unit}`
  const rest = Math.floor((ms % size) / below[1])
  return `${Math.floor(ms / size)}${unit}${rest === 0 ? '' : ` ${rest}${below[0]}`}`
}

const dash = (text: string | null | undefined): string =>
  text === null || text === undefined || text === '' ? '-' : text

export const labelsOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** What is unsure is marked, so that nobody takes an old look for a fresh one. */
const stateOf = ({ situation, unsure, busy, holds }: InstanceShown): string => {
  const rung = busy?.rung ? ` (${busy.rung})` : ''
  return `${situation}${unsure ? '?' : ''}${rung}${holds.length > 0 ? ' held' : ''}`
}

export const instanceColumns: Columns<InstanceShown> = {
  NAME: ({ name }) => name,
  KIND: ({ kind }) => kind,
  STATE: stateOf,
  SINCE: ({ stateSince }) => ago(stateSince),
  FLAVOR: ({ flavor }) => dash(flavor),
  WHERE: ({ node, service, driver }) => dash(node ?? service ?? driver),
  ID: ({ id }) => id,
}

export function instanceFields(one: InstanceShown): Readonly<Record<string, string>> {
  const { observation: seen, registration, queue } = one
  return {
    name: one.name,
    id: one.id,
    ...(Object.keys(one.aliases).length === 0 ? {} : { aliases: labelsOf(one.aliases) }),
    kind: one.kind,
    state: `${stateOf(one)} since ${one.stateSince}`,
    wanted: `${one.intent} (generation ${one.generation})`,
    ...(one.reason === null ? {} : { reason: one.reason }),
    seen: seenText(seen),
    ...(one.busy === null ? {} : { operation: `${one.busy.verb} ${one.busy.operation}` }),
    ...(queue === null
      ? {}
      : { queue: `number ${queue.rank} in ${queue.pool}, to ${queue.awaits}` }),
    ...(one.holds.length === 0 ? {} : { holds: one.holds.map(holdText).join('; ') }),
    ...(registration === null
      ? {}
      : {
          reported: registration.reported,
          override: overrideText(registration.override),
          lease: `until ${registration.lease.expiresAt}`,
        }),
    ...(registration?.withdrawal
      ? {
          drained: `since ${registration.withdrawal.since} by ${registration.withdrawal.operation}`,
        }
      : {}),
    ...(one.serves.length === 0
      ? {}
      : { serves: one.serves.map((pair) => `${pair.service}/${pair.instance}`).join(' ') }),
    flavor: dash(one.flavor),
    image: dash(one.image),
    service: dash(one.service),
    node: dash(one.node),
    driver: dash(one.driver),
    charge: one.charge,
    labels: dash(labelsOf(one.labels)),
    created: one.createdAt,
    offers: dash(one.offers.join(', ')),
  }
}

function seenText({ seen, ready, at, reason }: InstanceShown['observation']): string {
  const isUnready = seen === 'up' && !ready
  return `${seen}${isUnready ? ', not ready' : ''} at ${at}${reason === null ? '' : `: ${reason}`}`
}

const overrideText = (override: NonNullable<InstanceShown['registration']>['override']): string => {
  if (override === null) return '-'
  const { status, by, since, until, why } = override
  const end = until === null ? '' : ` until ${until}`
  return `${status} by ${by} since ${since}${end}${why === null ? '' : `: ${why}`}`
}

const holdText = ({ kind, id, reason, until }: HoldShown): string =>
  `${kind} ${id}${until === null ? '' : ` until ${until}`}${reason === null ? '' : `: ${reason}`}`

export const operationColumns: Columns<OperationShown> = {
  ID: ({ id }) => id,
  VERB: ({ verb, rung }) => `${verb}${rung === null ? '' : ` (${rung})`}`,
  STATE: ({ state }) => state,
  STEP: ({ step, failure, supersededBy }) =>
    dash(
      step
        ? `${step.number}/${step.of} ${step.name}`
        : (failure?.message ?? (supersededBy && `by ${supersededBy}`)),
    ),
  STARTED: ({ startedAt }) => ago(startedAt),
  TOOK: ({ startedAt, finishedAt }) =>
    finishedAt === null ? '-' : `${Date.parse(finishedAt) - Date.parse(startedAt)} ms`,
  BY: ({ cause }) => `${cause.user ?? cause.by} via ${cause.door}`,
  INSTANCE: ({ instance }) => instance,
}

export const eventColumns: Columns<EventShown> = {
  SEQ: ({ seq }) => String(seq),
  AT: ({ at }) => at,
  TYPE: ({ type }) => type,
  SUBJECT: ({ subject }) => subject,
  BY: ({ cause }) => `${cause.user ?? cause.by} via ${cause.door}`,
  WHAT: ({ data }) => whatOf(data),
}

const whatOf = (data: EventShown['data']): string =>
  Object.entries(data)
    // What a gone instance was fills no line of a table: JSON tells it.
    .filter(([key]) => key !== 'last')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')

const spansText = ({ spans }: UsageShown): string =>
  spans
    .map(({ situation, stoppedMode, ms }) => `${situation}${modeText(stoppedMode)} ${span(ms)}`)
    .join(', ')

const modeText = (mode: UsageShown['spans'][number]['stoppedMode']): string =>
  mode === null ? '' : `/${mode}`

export const usageColumns: Columns<UsageShown> = {
  NAME: ({ name }) => name,
  KIND: ({ kind }) => kind,
  CHARGE: ({ charge }) => charge,
  CHARGED: ({ chargedMs }) => span(chargedMs),
  UNCHARGED: ({ unchargedMs }) => span(unchargedMs),
  SPANS: spansText,
  ID: ({ instance }) => instance,
}

/** One event as one line: a stream has no end to measure its columns by. */
export const eventLine = (event: EventShown): string =>
  Object.values(eventColumns)
    .map((cell) => cell(event))
    .join('  ')
