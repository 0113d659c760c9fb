// Asks for a change of one or many instances: all are asked first, then all are waited for, then
// each is reported. One that is refused never keeps the others from being asked.

import type { InstanceShown, OperationShown, ReceiptShown } from '#doors/native/wire.ts'
import type { Client, Sending } from './client.ts'
import type { Desk } from './desk.ts'
import type { ChangeOptions } from './options.ts'
import { done, type ExitCode, exitOf, type Failure, type Outcome } from './outcome.ts'
import type { Columns } from './print.ts'
import { progressOn } from './progress.ts'
import { findInstance, pathOf } from './targets.ts'
import { inParallel, type Patience, untilInterrupted, waitForEnd } from './waiting.ts'

export interface Asking {
  /** What the person called it. */
  readonly target: string
  readonly ask: (sending: Pick<Sending, 'dryRun'>) => Promise<Outcome<ReceiptShown>>
}

/** How one target fared. */
interface Fate {
  readonly target: string
  readonly receipt: ReceiptShown | null
  readonly operation: OperationShown | null
  /** How it is now; null when it is gone or was never there. */
  readonly instance: InstanceShown | null
  readonly failure: Failure | null
}

const atOnceMax = 16

export async function carryOut(
  desk: Desk,
  options: ChangeOptions,
  askings: readonly Asking[],
): Promise<ExitCode> {
  // From here on Ctrl-C ends the wait alone: what was asked may be accepted before its answer is
  // here.
  const interrupt = untilInterrupted()
  const sending = options.dryRun ? { dryRun: true } : {}
  const answers = await inParallel(askings, atOnceMax, async ({ target, ask }) =>
    eachOf(desk.client, { target, answer: await ask(sending) }),
  )
  const asked = answers.flat()
  const progress = progressOn(process.stderr)
  let ended = 0
  const fates = await Promise.all(
    asked.map(async ({ target, answer }) => {
      const seen = (text: string): void =>
        progress.show(
          `${asked.length === 1 ? '' : `${ended} of ${asked.length} done; `}${target}: ${text}`,
        )
      const patience = { timeoutMs: options.timeout, signal: interrupt.signal, seen }
      const fate = await follow(desk.client, target, answer, options.wait ? patience : null)
      ended += 1
      return fate
    }),
  )
  progress.end()
  interrupt.end()
  report(desk, fates)
  return exitOf(fates.map(({ failure }) => (failure ? { ok: false, failure } : done(null))))
}

interface Answered {
  readonly target: string
  readonly answer: Outcome<ReceiptShown>
}

/** Of several that one request made, each has an operation of its own, and its own fate. */
async function eachOf(client: Client, asked: Answered): Promise<readonly Answered[]> {
  const { target, answer } = asked
  if (!answer.ok || answer.value.operation === null || answer.value.instances.length < 2)
    return [asked]
  // The receipt names the first one's operation; its request is that of all of them.
  const first = await client.get<OperationShown>(`/operations/${answer.value.operation}`)
  if (!first.ok) return [{ target, answer: first }]
  const { requestId } = first.value.cause
  const all = await client.list<OperationShown>('/operations', { requestId })
  if (!all.ok) return [{ target, answer: all }]
  return answer.value.instances.map((id, index) => {
    const operation = all.value.find((one) => one.instance === id)?.id ?? null
    const own = done({ ...answer.value, instances: [id], operation })
    return { target: `${target}-${index + 1}`, answer: own }
  })
}

async function follow(
  client: Client,
  target: string,
  answer: Outcome<ReceiptShown>,
  patience: Patience | null,
): Promise<Fate> {
  const nothing = { target, receipt: null, operation: null, instance: null, failure: null }
  if (!answer.ok) return { ...nothing, failure: answer.failure }
  const receipt = answer.value
  const { operation, dryRun, instances } = receipt
  const ended =
    patience && operation !== null && !dryRun ? await waitForEnd(client, operation, patience) : null
  const [id] = instances
  const now = id === undefined || dryRun ? null : await client.get<InstanceShown>(pathOf(id))
  return {
    target,
    receipt,
    operation: ended?.ok ? ended.value : null,
    instance: now?.ok ? now.value : null,
    failure: ended && !ended.ok ? ended.failure : null,
  }
}

const resultOf = ({ receipt, operation, failure }: Fate): string => {
  if (failure) return failure.is === 'problem' ? 'refused' : failure.is
  if (receipt?.dryRun) return `planned${receipt.unchanged === null ? '' : `, ${receipt.unchanged}`}`
  if (operation) return 'done'
  return receipt?.unchanged ?? (receipt?.operation ? 'accepted' : 'done')
}

const dash = (text: string | null | undefined): string => text ?? '-'

const columns: Columns<Fate> = {
  TARGET: ({ target }) => target,
  RESULT: resultOf,
  FROM: ({ receipt }) => dash(receipt?.before),
  NOW: ({ receipt, instance }) =>
    dash(instance?.situation ?? (receipt?.dryRun ? receipt.after : null)),
  ID: ({ receipt }) => dash(receipt?.instances.join(' ')),
  OPERATION: ({ receipt }) => dash(receipt?.operation),
}

function report(desk: Desk, fates: readonly Fate[]): void {
  for (const { target, failure } of fates) if (failure) desk.complain(failure, target)
  const answered = fates.filter(({ receipt }) => receipt !== null)
  desk.print({
    rows: desk.output === 'name' || desk.output === 'table' ? answered : fates,
    columns,
    nameOf: ({ receipt }) => receipt?.instances.join('\n') ?? '',
    data: fates.map((fate) => ({
      target: fate.target,
      result: resultOf(fate),
      receipt: fate.receipt,
      operation: fate.operation,
      instance: fate.instance,
      problem: fate.failure?.is === 'problem' ? fate.failure.problem : null,
    })),
  })
}

/** The same action for each target, by id or name. */
export const actions = (
  desk: Desk,
  options: ChangeOptions,
  targets: readonly string[],
  body: object,
): Promise<ExitCode> =>
  carryOut(
    desk,
    options,
    targets.map((target) => ({
      target,
      ask: async (sending) => {
        const found = await findInstance(desk.client, target)
        if (!found.ok) return found
        const why = options.why === undefined ? {} : { why: options.why }
        return await desk.client.change<ReceiptShown>('POST', `${pathOf(found.value.id)}/actions`, {
          body: { ...body, ...why },
          ...sending,
        })
      },
    })),
  )
