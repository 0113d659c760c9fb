// What to do next about an operation: pure, and the same for a fresh one, a resumed one and one whose worker
// died. `nextMove` tells the engine what to do; `judge` says what a report means. Every wait has an end and
// every end has a verdict (law 2).

import type { Observation } from './observation.ts'
import { type Act, currentStep, type Operation } from './operation.ts'
import { type Rung, nextRung } from './ladder.ts'
import type { Report } from './request.ts'
import type { JsonObject } from './json.ts'

/** How long one call of a driver may take, and how long an instance may take to be down after a hard stop. */
export const actTimeoutMs = 30_000
export const hardPatienceMs = 15_000
export const triesMax = 4
const retryFirstMs = 250
const retryLastMs = 30_000

export type Doing =
  | {
      readonly do: 'act'
      readonly act: Act
      readonly rung: Rung | null
      readonly timeoutMs: number
    }
  | { readonly do: 'observe' }
  | { readonly do: 'rows' }
  | { readonly do: 'hear' }
  /** The clock was set back: its step began in what is the future now, and its deadlines are as far away. */
  | { readonly do: 'shift' }
  | { readonly do: 'sleep'; readonly untilMs: number }
  | { readonly do: 'nothing' }

export function nextMove(operation: Operation, nowMs: number): Doing {
  if (operation.state !== 'running') return { do: 'nothing' }
  if (operation.stepSinceMs > nowMs) return { do: 'shift' }
  if (operation.notBeforeMs !== null && operation.notBeforeMs > nowMs)
    return { do: 'sleep', untilMs: operation.notBeforeMs }
  const step = currentStep(operation)
  if (!step) return { do: 'nothing' }
  if ('await' in step) return { do: 'observe' }
  if ('rows' in step) return { do: 'rows' }
  if ('hear' in step) return { do: 'hear' }
  return {
    do: 'act',
    act: step.act,
    rung: step.act === 'stop' ? (step.rung ?? operation.rung ?? 'hard') : null,
    timeoutMs: actTimeoutMs,
  }
}

export type Verdict =
  | { readonly do: 'advance'; readonly message?: string }
  | { readonly do: 'wait' }
  | { readonly do: 'shift' }
  | { readonly do: 'retry'; readonly notBeforeMs: number; readonly message: string }
  /** Back to the stop step, harder. */
  | { readonly do: 'escalate'; readonly to: Rung; readonly message: string }
  | { readonly do: 'fail'; readonly message: string; readonly evidence: JsonObject }

export function judge(operation: Operation, report: Report, nowMs: number): Verdict {
  if ('shift' in report) return { do: operation.stepSinceMs > nowMs ? 'shift' : 'wait' }
  const step = currentStep(operation)
  if (!step) return { do: 'wait' }
  // It is told again when nobody knows whether it was written: then the step that it ended may be over.
  if ('act' in report)
    return 'act' in step && step.act === report.act
      ? judgeAct(operation, report, nowMs)
      : { do: 'wait' }
  if ('rows' in report) return { do: 'rows' in step ? 'advance' : 'wait' }
  if ('unseen' in report)
    return 'hear' in step ? judgeUnseen(operation, report.unseen, nowMs) : { do: 'wait' }
  if (!('await' in step)) return { do: 'wait' }
  const { observation } = report
  if (step.await === 'up') return judgeUp(operation, observation, nowMs)
  if (step.await === 'down') return judgeDown(operation, observation, nowMs)
  if (step.await === 'settled') return judgeSettled(operation, observation, nowMs)
  return judgeStill(step.await, operation, observation, nowMs)
}

/** Whatever it is, as long as it is something. */
function judgeSettled(operation: Operation, observation: Observation, nowMs: number): Verdict {
  if (observation.seen !== 'absent' && observation.seen !== 'unknown') return { do: 'advance' }
  return nowMs < operation.stepDeadlineMs
    ? { do: 'wait' }
    : fail(observation.reason ?? 'it could not be seen afterwards', observation)
}

/** Paused or suspended, and only that: one that ended meanwhile has lost what was to be kept. */
function judgeStill(
  wanted: 'paused' | 'suspended',
  operation: Operation,
  observation: Observation,
  nowMs: number,
): Verdict {
  if (observation.seen === wanted) return { do: 'advance' }
  const isFresh = observation.atMs >= operation.stepSinceMs
  const isOver = observation.seen === 'down' || observation.seen === 'absent'
  if (isFresh && isOver)
    return fail(observation.reason ?? `it was seen ${observation.seen}`, observation)
  if (nowMs < operation.stepDeadlineMs) return { do: 'wait' }
  const patience = seconds(operation.stepDeadlineMs - operation.stepSinceMs)
  return fail(`not ${wanted} within ${patience}: it was seen ${observation.seen}`, observation)
}

/** Consumers are waited for, and not for ever: then it goes down the ladder all the same. */
function judgeUnseen(operation: Operation, unseen: boolean, nowMs: number): Verdict {
  if (unseen) return { do: 'advance', message: 'all consumers have been shown it' }
  if (nowMs < operation.stepDeadlineMs) return { do: 'wait' }
  const patience = seconds(operation.stepDeadlineMs - operation.stepSinceMs)
  return { do: 'advance', message: `not all consumers were shown it within ${patience}` }
}

function judgeAct(
  operation: Operation,
  report: Extract<Report, { act: Act }>,
  nowMs: number,
): Verdict {
  if (report.ok) return { do: 'advance' }
  const { error } = report
  const { rung } = operation
  const isAsked = report.act === 'stop' && !operation.undoing
  const harder = isAsked && rung !== null ? nextRung(rung) : null
  // A driver that cannot ask politely can still be told to force.
  if (error.code === 'unsupported' && harder)
    return { do: 'escalate', to: harder, message: error.message }
  const mayPass = error.code === 'failed' || error.code === 'timeout'
  const isLate = harder !== null && nowMs - operation.stepSinceMs >= operation.graceMs
  if (mayPass && !isLate && operation.tries + 1 < triesMax)
    return { do: 'retry', notBeforeMs: nowMs + backoffMs(operation), message: error.message }
  // What could not be asked in its rung's time has not been heard, and is stopped harder all the same.
  if (mayPass && harder) return { do: 'escalate', to: harder, message: error.message }
  return { do: 'fail', message: error.message, evidence: error.evidence ?? {} }
}

function judgeUp(operation: Operation, observation: Observation, nowMs: number): Verdict {
  if (observation.seen === 'up' && observation.ready) return { do: 'advance' }
  const fresh = observation.atMs >= operation.stepSinceMs
  const ended =
    (observation.seen === 'down' || observation.seen === 'absent') &&
    ('exitCode' in observation.evidence || 'signal' in observation.evidence)
  if (fresh && ended) return fail(observation.reason ?? 'it ended before it was ready', observation)
  if (nowMs < operation.stepDeadlineMs) return { do: 'wait' }
  const seen =
    observation.seen === 'up'
      ? 'it runs but is not ready'
      : (observation.reason ?? `it was seen ${observation.seen}`)
  return fail(
    `not up within ${seconds(operation.stepDeadlineMs - operation.stepSinceMs)}: ${seen}`,
    observation,
  )
}

function judgeDown(operation: Operation, observation: Observation, nowMs: number): Verdict {
  if (observation.seen === 'down' || observation.seen === 'absent') return { do: 'advance' }
  if (nowMs < operation.stepDeadlineMs) return { do: 'wait' }
  const patience = seconds(operation.stepDeadlineMs - operation.stepSinceMs)
  const message = `not down within ${patience} of a ${operation.rung ?? 'hard'} stop`
  const harder = operation.undoing ? null : nextRung(operation.rung ?? 'hard')
  if (harder) return { do: 'escalate', to: harder, message }
  // Already as hard as it gets: force it again, a few times, before saying that it cannot be stopped.
  if (operation.tries + 1 < triesMax) return { do: 'escalate', to: 'hard', message }
  return fail(message, observation)
}

const fail = (message: string, observation: Observation): Verdict => ({
  do: 'fail',
  message,
  evidence: { ...observation.evidence, seen: observation.seen },
})
const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`

/** Doubles with each try; spread by the operation's id, so that many that failed together do not retry together. */
export function backoffMs(operation: Pick<Operation, 'id' | 'tries'>): number {
  const full = Math.min(retryLastMs, retryFirstMs * 2 ** operation.tries)
  const spread = (Number.parseInt(operation.id.slice(-4), 16) || 0) / 0xffff
  return Math.round(full * (0.75 + spread / 2))
}

/** How long the step that an operation has come to may take. */
export function patienceMs(
  operation: Pick<
    Operation,
    'verb' | 'refits' | 'undoing' | 'step' | 'from' | 'rung' | 'graceMs' | 'startMs' | 'drain'
  >,
): number {
  const step = currentStep(operation)
  if (!step || 'act' in step) return actTimeoutMs * triesMax
  if ('rows' in step) return actTimeoutMs
  if ('hear' in step) return operation.drain?.patienceMs ?? 0
  if (step.await === 'up') return operation.startMs
  if (step.await !== 'down') return actTimeoutMs
  return operation.undoing || operation.rung === null || operation.rung === 'hard'
    ? hardPatienceMs
    : operation.graceMs
}
