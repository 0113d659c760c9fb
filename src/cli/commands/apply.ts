// `apply -f`: makes what a file lists exist as it says. Applied twice it changes nothing the second
// time.

import { isDeepStrictEqual } from 'node:util'
import type { Command } from 'commander'
import type { InstanceShown, PageShown, ReceiptShown } from '#doors/native/wire.ts'
import { carryOut } from '../change.ts'
import type { Client, Sending } from '../client.ts'
import { type Exit, runs } from '../command.ts'
import { type ChangeOptions, changing } from '../options.ts'
import { done, type Outcome, usage } from '../outcome.ts'
import { pathOf } from '../targets.ts'
import { readWanted, type Wanted } from '../wanted.ts'

interface ApplyOptions extends ChangeOptions {
  readonly file: string
}

export function addApply(program: Command, exit: Exit): void {
  const apply = changing(program.command('apply'))
    .description(
      'make the instances that a file lists exist as it says; applied again it changes nothing',
    )
    .requiredOption('-f, --file <path>', 'YAML or JSON; - is standard input')
    .addHelpText(
      'after',
      `
Each has name, flavor, image; may have kind (server), description, labels, charge, autoStop, deletionProtected,
state (running or stopped) and launch, which counts at creation only. What the file does not name is left alone.`,
    )
  runs<ApplyOptions>(apply, exit, async ({ desk, options }) => {
    const wanted = readWanted(options.file)
    if (!wanted.ok) return desk.finish([wanted])
    const askings = wanted.value.map((one) => ({
      target: one.name,
      ask: (sending: Dry) => settle(desk.client, one, sending),
    }))
    return await carryOut(desk, options, askings)
  })
}

type Dry = Pick<Sending, 'dryRun'>

async function settle(
  client: Client,
  wanted: Wanted,
  sending: Dry,
): Promise<Outcome<ReceiptShown>> {
  const query = { kind: wanted.kind, name: wanted.name, limit: '2' }
  const page = await client.get<PageShown<InstanceShown>>('/instances', { query })
  if (!page.ok) return page
  const [known, twin] = page.value.items
  if (twin) return usage(`several ${wanted.kind}s have this name; which one is meant?`)
  return known
    ? await update(client, known, wanted, sending)
    : await create(client, wanted, sending)
}

async function create(
  client: Client,
  wanted: Wanted,
  sending: Dry,
): Promise<Outcome<ReceiptShown>> {
  const { state, deletionProtected, ...rest } = wanted
  const conditions = deletionProtected === undefined ? {} : { conditions: { deletionProtected } }
  // Somebody else may apply the same file now: then one of both is told that the name is taken.
  const body = { ...rest, ...conditions, uniqueName: true }
  const created = await client.change<ReceiptShown>('POST', '/instances', { body, ...sending })
  const [id] = created.ok ? created.value.instances : []
  if (!created.ok || state !== 'stopped' || sending.dryRun || id === undefined) return created
  return await act(client, id, 'stop', sending)
}

const act = (
  client: Client,
  id: string,
  action: 'start' | 'stop',
  sending: Dry,
): Promise<Outcome<ReceiptShown>> =>
  client.change<ReceiptShown>('POST', `${pathOf(id)}/actions`, { body: { action }, ...sending })

async function update(
  client: Client,
  known: InstanceShown,
  wanted: Wanted,
  sending: Dry,
): Promise<Outcome<ReceiptShown>> {
  for (const fixed of ['flavor', 'image'] as const)
    if (known[fixed] !== wanted[fixed])
      return usage(`its ${fixed} is ${known[fixed] ?? 'none'} and cannot become ${wanted[fixed]}`)
  let last: Outcome<ReceiptShown> = done(untouched(known))
  const patch = differences(known, wanted)
  if (Object.keys(patch).length > 0)
    last = await client.change<ReceiptShown>('PATCH', pathOf(known.id), { body: patch, ...sending })
  const want = wanted.state === 'stopped' ? 'down' : 'up'
  if (!last.ok || wanted.state === undefined || isThere(known, want)) return last
  return await act(client, known.id, want === 'up' ? 'start' : 'stop', sending)
}

/** At rest as wanted, or on the way there. */
const isThere = ({ intent, state, busy }: InstanceShown, want: 'up' | 'down'): boolean =>
  intent === want && (busy !== null || state === (want === 'up' ? 'running' : 'stopped'))

/** Only what the file names and the instance has otherwise. */
function differences(known: InstanceShown, wanted: Wanted): object {
  const { description, labels, charge, autoStop, deletionProtected } = wanted
  const { conditions } = known
  const pairs = {
    description: [description, known.description],
    labels: [labels, known.labels],
    charge: [charge, known.charge],
    autoStop: [autoStop, known.autoStop],
  } as const
  const other = Object.entries(pairs).filter(
    ([, [want, is]]) => want !== undefined && !isDeepStrictEqual(want, is),
  )
  const isOtherwise =
    deletionProtected !== undefined && deletionProtected !== conditions.deletionProtected
  return {
    ...Object.fromEntries(other.map(([name, [want]]) => [name, want])),
    ...(isOtherwise ? { conditions: { deletionProtected } } : {}),
  }
}

const untouched = ({ id, situation, generation }: InstanceShown): ReceiptShown => ({
  dryRun: false,
  instances: [id],
  service: null,
  operation: null,
  before: situation,
  after: situation,
  generation,
  unchanged: 'already',
  hold: null,
})
