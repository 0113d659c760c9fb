// Why an instance is as it is, in a few sentences: for people at a terminal at three in the
// morning. All of it can be seen elsewhere; here it stands together.

import type { Event, EventType } from '#kernel/event.ts'
import { ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { nextRung } from '#kernel/ladder.ts'
import { currentStep, type Operation, type Step } from '#kernel/operation.ts'
import { present } from '#kernel/present.ts'
import {
  beside,
  iso,
  showCause,
  showHold,
  showObservation,
  showQueue,
  showRegistration,
} from './encode.ts'
import type { Asked, Reply } from './endpoint.ts'
import type { Fault } from './faults.ts'
import { seeInstance } from './lookups.ts'
import { docOf } from './states.ts'
import type { AccountShown, HoldShown } from './wire.ts'

/** The events that say who brought an instance where it is. */
const telling: readonly EventType[] = [
  'instance.state',
  'instance.created',
  'instance.status',
  'operation.started',
]

export async function whyInstance(asked: Asked): Promise<Result<Reply, Fault>> {
  const seen = await seeInstance(asked)
  if (!seen.ok) return seen
  const instance = seen.value
  const { read } = asked.plane
  const [aside, events, operation] = await Promise.all([
    beside(asked.plane, instance),
    read.events({ after: 0, instanceId: instance.id, types: telling, newestFirst: true, limit: 1 }),
    instance.underway ? read.get('operations', instance.underway.operationId) : undefined,
  ])
  const shown: Omit<AccountShown, 'lines'> = {
    id: instance.id,
    name: instance.name,
    state: instance.state,
    situation: present(instance).situation,
    since: iso(instance.stateSinceMs),
    reason: present(instance).reason,
    cause: causeOf(events[0]),
    waitingFor: waitingFor(operation),
    holds: instance.holds.map(showHold),
    queue: showQueue(instance, aside),
    observation: showObservation(instance.observation),
    registration: showRegistration(instance, aside),
  }
  const body: AccountShown = { ...shown, lines: linesOf(instance, shown) }
  return ok({ status: 200, body })
}

const causeOf = (event: Event | undefined): AccountShown['cause'] =>
  event === undefined
    ? null
    : { type: event.type, at: iso(event.atMs), cause: showCause(event.cause) }

function waitingFor(operation: Operation | undefined): AccountShown['waitingFor'] {
  const step = operation?.state === 'running' ? currentStep(operation) : undefined
  if (!operation || !step) return null
  return {
    operation: operation.id,
    verb: operation.verb,
    rung: operation.rung,
    step: step.name,
    doc: step.doc,
    until: iso(operation.notBeforeMs ?? operation.stepDeadlineMs),
    afterwards: afterwardsOf(operation, step),
  }
}

/** What happens when the patience with the current step ends. */
function afterwardsOf({ rung, undoing, notBeforeMs }: Operation, step: Step): string {
  if (notBeforeMs !== null) return 'it is tried again'
  const harder = rung === null || undoing ? null : nextRung(rung)
  if (harder && 'await' in step && step.await === 'down') return `the stop becomes ${harder}`
  return 'it is tried again, or it fails and says why'
}

/** Nothing, or the text with what leads to it. */
const after = (lead: string, text: string | null): string => (text === null ? '' : lead + text)

function linesOf(instance: Instance, shown: Omit<AccountShown, 'lines'>): readonly string[] {
  const { name, kind, state } = instance
  const { situation, since, reason, cause, waitingFor, queue, holds, registration } = shown
  return [
    `${name} (${kind}) is ${situation} since ${since}: ${docOf(kind, state)}`,
    ...(reason === null ? [] : [`Because ${reason}.`]),
    ...(cause === null ? [] : [causeLine(cause)]),
    ...(waitingFor === null ? [] : [waitingLine(waitingFor)]),
    ...(queue === null
      ? []
      : [`It is number ${queue.rank} in the queue of pool ${queue.pool}, to ${queue.awaits}.`]),
    ...holds.map(holdLine),
    ...(instance.driver === null ? [] : [seenLine(instance.driver, shown.observation)]),
    ...(registration === null ? [] : registrationLines(registration)),
  ]
}

function causeLine({ type, at, cause }: NonNullable<AccountShown['cause']>): string {
  const who = cause.by === 'user' ? (cause.user ?? 'a user') : `the ${cause.by}`
  const where = `through ${cause.door}, request ${cause.requestId}`
  return `Last cause: ${type} at ${at} by ${who} ${where}${after(': ', cause.why)}.`
}

function waitingLine(waits: NonNullable<AccountShown['waitingFor']>): string {
  const what = `${waits.verb}${waits.rung === null ? '' : ` (${waits.rung})`}`
  return `${what} is at ${waits.step}: ${waits.doc} Until ${waits.until}, then ${waits.afterwards}.`
}

const holdLine = ({ kind, owner, until, reason }: HoldShown): string =>
  `A ${kind} of ${owner}${after(' until ', until)}: ${reason ?? 'no reason given'}.`

function seenLine(driver: string, seen: AccountShown['observation']): string {
  const isUnready = seen.seen === 'up' && !seen.ready
  return `${driver} saw it ${seen.seen}${isUnready ? ', not ready,' : ''} at ${seen.at}${after(': ', seen.reason)}.`
}

function registrationLines(
  registration: NonNullable<AccountShown['registration']>,
): readonly string[] {
  const { reported, override, withdrawal, lease } = registration
  const isHeld = lease.held ? ', and a guard keeps it from expiring' : ''
  const own = `It says of itself ${reported}; its lease of ${lease.ttlMs} ms runs until ${lease.expiresAt}${isHeld}.`
  return [
    own,
    ...(override === null ? [] : [overrideLine(override)]),
    ...(withdrawal === null
      ? []
      : [`Operation ${withdrawal.operation} took it out of service at ${withdrawal.since}.`]),
  ]
}

type OverrideShown = NonNullable<NonNullable<AccountShown['registration']>['override']>

const overrideLine = ({ status, since, until, why }: OverrideShown): string =>
  `An operator set ${status} at ${since}${after(' until ', until)}: ${why ?? 'no reason given'}.`
