// `events`: what happened, and with --follow what happens. A stream that breaks is taken up where
// it broke.

import type { Command } from 'commander'
import type { EventPageShown, EventShown } from '#doors/native/wire.ts'
import { eventColumns, eventLine } from '../columns.ts'
import { type Exit, runs } from '../command.ts'
import type { Desk, DeskOptions } from '../desk.ts'
import { followEvents } from '../event-stream.ts'
import { connected, wholeNumber } from '../options.ts'
import { plain } from '../print.ts'
import { done, type ExitCode, type Outcome } from '../outcome.ts'
import { findInstance } from '../targets.ts'
import { untilInterrupted } from '../waiting.ts'

interface EventsOptions extends DeskOptions {
  readonly follow?: true
  readonly after?: number
  readonly instance?: string
  readonly type?: string
  readonly limit: number
  readonly allProjects?: true
}

export function addEvents(program: Command, exit: Exit): void {
  const events = connected(program.command('events'))
    .description('show the latest events, or follow them as they happen')
    .option('-f, --follow', 'go on until Ctrl-C; as JSON, one event per line')
    .option('--after <number>', 'only what came after this event', wholeNumber)
    .option('--instance <id or name>', 'of this one; a gone one by its id')
    .option('--type <types>', 'such as instance.state; several with commas')
    .option('--limit <count>', 'at most so many, 1 to 1000', wholeNumber, 50)
    .option('--all-projects', 'those of every project; admins only')
  runs<EventsOptions>(events, exit, async ({ desk, options }) => {
    const instance = await idOf(desk, options.instance)
    if (!instance.ok) return desk.finish([instance])
    const query = {
      instance: instance.value,
      type: options.type,
      ...(options.allProjects ? { allProjects: 'true' } : {}),
    }
    return options.follow ? await follow(desk, options, query) : await list(desk, options, query)
  })
}

type Query = Readonly<Record<string, string | undefined>>

async function idOf(desk: Desk, name: string | undefined): Promise<Outcome<string | undefined>> {
  if (name === undefined) return done(undefined)
  const found = await findInstance(desk.client, name)
  if (found.ok) return done(found.value.id)
  return found.failure.is === 'problem' && found.failure.problem.code === 'NotFound'
    ? done(name)
    : found
}

async function list(desk: Desk, { after, limit }: EventsOptions, query: Query): Promise<ExitCode> {
  const from = after === undefined ? { newest: 'true' } : { after: String(after) }
  const page = await desk.client.get<EventPageShown>('/events', {
    query: { ...query, ...from, limit: String(limit) },
  })
  if (!page.ok) return desk.finish([page])
  const rows = after === undefined ? page.value.items.toReversed() : page.value.items
  if (rows.length === 0) desk.say('no events')
  desk.print({ rows, columns: eventColumns, nameOf: ({ seq }) => String(seq) })
  return desk.finish([])
}

async function follow(desk: Desk, { after }: EventsOptions, query: Query): Promise<ExitCode> {
  const interrupt = untilInterrupted()
  const show = (event: EventShown): void => void desk.out.write(`${lineOf(desk, event)}\n`)
  const say = (text: string): void => desk.say(text)
  const ended = await followEvents(desk.client, {
    query,
    after,
    signal: interrupt.signal,
    show,
    say,
  })
  interrupt.end()
  return desk.finish([ended])
}

function lineOf({ output }: Desk, event: EventShown): string {
  if (output === 'name') return String(event.seq)
  // A JSON line is YAML too: a document that never ends cannot be laid out otherwise.
  return output === 'table' ? plain(eventLine(event)) : JSON.stringify(event)
}
