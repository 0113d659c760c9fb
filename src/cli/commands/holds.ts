// `hold` and `release`: a reason why an instance must not be changed.

import type { Command } from 'commander'
import type { HoldShown, PageShown, ReceiptShown } from '#doors/native/wire.ts'
import { carryOut } from '../change.ts'
import type { Sending } from '../client.ts'
import { type Exit, runs } from '../command.ts'
import type { Desk } from '../desk.ts'
import { type ChangeOptions, changing, momentIn } from '../options.ts'
import { type Outcome, usage } from '../outcome.ts'
import { findInstance, pathOf } from '../targets.ts'

interface HoldOptions extends ChangeOptions {
  readonly for?: string
  readonly lock?: true
}
interface ReleaseOptions extends ChangeOptions {
  readonly hold?: string
}

export function addHolds(program: Command, exit: Exit): void {
  const hold = changing(program.command('hold'))
    .description('keep instances from being changed; say --why')
    .argument('<instance...>', 'ids or names')
    .option('--for <time>', 'how long; else until it is released', momentIn)
    .option('--lock', 'a lock, which an admin passes')
  runs<HoldOptions>(hold, exit, ({ desk, args, options }) => {
    const { why, lock, for: until } = options
    const body = { kind: lock ? 'lock' : 'hold', why, until }
    const askings = args.map((target) => ({
      target,
      ask: async (sending: Pick<Sending, 'dryRun'>) => {
        const found = await findInstance(desk.client, target)
        if (!found.ok) return found
        return await desk.client.change<ReceiptShown>('POST', `${pathOf(found.value.id)}/holds`, {
          body,
          ...sending,
        })
      },
    }))
    return carryOut(desk, options, askings)
  })
  const release = changing(program.command('release'))
    .description('release holds')
    .argument('<instance...>', 'ids or names')
    .option('--hold <id>', 'only this one; else all of them')
  runs<ReleaseOptions>(release, exit, ({ desk, args, options }) =>
    carryOut(
      desk,
      options,
      args.map((target) => ({
        target,
        ask: (sending) => releaseAll(desk, target, options.hold, sending),
      })),
    ),
  )
}

/** One after the other, so that a refusal says how far it came; the last receipt stands for all. */
async function releaseAll(
  desk: Desk,
  target: string,
  only: string | undefined,
  sending: Pick<Sending, 'dryRun'>,
): Promise<Outcome<ReceiptShown>> {
  const { client } = desk
  const found = await findInstance(client, target)
  if (!found.ok) return found
  const path = `${pathOf(found.value.id)}/holds`
  const holds = only === undefined ? await client.get<PageShown<HoldShown>>(path) : undefined
  if (holds && !holds.ok) return holds
  const ids = only === undefined ? (holds?.value.items ?? []).map(({ id }) => id) : [only]
  let last: Outcome<ReceiptShown> = usage(`${target} has no holds`)
  for (const id of ids) {
    last = await client.change<ReceiptShown>('DELETE', `${path}/${encodeURIComponent(id)}`, sending)
    if (!last.ok) return last
  }
  return last
}
