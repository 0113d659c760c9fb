// The calls of the first family, each from its decoded body to its answer. What is allowed when is the kernel's;
// which states this family accepts a call in is states.ts's.
// Source: notebook contract, sections 1.2 to 1.8.

import { hasRole } from '#kernel/caller.ts'
import { err, type KernelError, ok, type Result } from '#kernel/errors.ts'
import { compact } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { InstanceRef, Receipt, UpdateInstance } from '#kernel/request.ts'
import { offsetPage } from '../shared/offset-page.ts'
import { type Asked, change, seeInstance } from '../shared/project-route.ts'
import type { Fault } from '../shared/three-keys.ts'
import { notAuthorized, refusals } from './codes.ts'
import {
  autoStopOf,
  decodeAction,
  decodeCreate,
  decodeList,
  decodeUpdate,
  type DevenvQuery,
  type DevenvUpdate,
} from './devenv-decode.ts'
import { encodeDevenv } from './devenv-wire.ts'
import { factReader, type FactReader } from './facts.ts'
import { type Asks, devenvFault } from './faults.ts'
import {
  devenvFrom,
  devenvStatus,
  devenvStatusOf,
  type DevenvStatus,
  livingSituations,
  type NotebookSituation,
  situationsShownAs,
} from './states.ts'
import { aiProjectOf, doorName, isInPool, narrows, tokenOf, workspaceOf } from './wire.ts'

type Answered = Promise<Result<object, Fault>>

const idOf = (asked: Asked): string => asked.exchange.params['instance_id'] ?? ''
const refOf = (asked: Asked): InstanceRef & { readonly kind: 'notebook' } => ({
  kind: 'notebook',
  scheme: 'devenv',
  id: idOf(asked),
})
const faultsFor =
  ({ permission }: Asked, asks: Asks) =>
  (error: KernelError) =>
    devenvFault(error, { ...asks, permission })

/** A1. Answers the status right after it was accepted, and the one before. */
export async function act(asked: Asked): Answered {
  const action = decodeAction(asked.exchange.body)
  if (!action.ok) return action
  const verb = action.value
  const target = refOf(asked)
  const from = devenvFrom(verb)
  const answer = { faultOf: faultsFor(asked, { verb }), show: encodeAction }
  return verb === 'stop' || verb === 'restart'
    ? change(asked, { verb, target, from, rung: 'soft' }, answer)
    : change(asked, { verb, target, from }, answer)
}

const encodeAction = ({ before, after, awaited }: Receipt): object => ({
  current_status: statusOf(after, undefined),
  previous_state: statusOf(before, awaited),
})

/** The spelling of a receipt's situation; receipts of this door are about notebooks. */
const statusOf = (situation: Receipt['after'], awaits: Receipt['awaited']): DevenvStatus | null =>
  situation === undefined ? null : devenvStatus(situation as NotebookSituation, awaits) // a notebook's, as its kind rules the others out

/** A2. */
export async function create(asked: Asked): Answered {
  const request = decodeCreate(asked.exchange.body)
  if (!request.ok) return request
  return change(asked, request.value, {
    faultOf: faultsFor(asked, { verb: 'create' }),
    show: async ({ instanceIds, after }) => {
      const instance = await asked.plane.read.get('instances', instanceIds[0] ?? '')
      const status = statusOf(after, 'create') ?? 'CREATING'
      return instance ? encodeOne(asked, instance, status) : {}
    },
  })
}

async function encodeOne(asked: Asked, instance: Instance, status?: DevenvStatus): Promise<object> {
  return encode(asked, instance, factReader(asked), status)
}

async function encode(
  asked: Asked,
  instance: Instance,
  reader: FactReader,
  status?: DevenvStatus,
): Promise<object> {
  return encodeDevenv({
    instance,
    facts: await reader.of(instance),
    baseUrl: asked.exchange.baseUrl,
    ...(status === undefined ? {} : { status }),
  })
}

/** What is being deleted is gone in this family. */
async function see(asked: Asked, asks: Asks): Promise<Result<Instance, Fault>> {
  const seen = await seeInstance(asked, refOf(asked))
  if (!seen.ok) return err(devenvFault(seen.error, asks))
  return devenvStatusOf(seen.value) === 'DELETED'
    ? err(devenvFault({ code: 'NotFound', what: 'instance', id: idOf(asked) }, asks))
    : seen
}

/** A4. */
export async function show(asked: Asked): Answered {
  const seen = await see(asked, { verb: 'read' })
  return seen.ok ? ok(await encodeOne(asked, seen.value)) : seen
}

/** A3. */
export async function list(asked: Asked): Answered {
  const query = decodeList(asked.query)
  if (!query.ok) return query
  const { total, rows } = await matching(asked, query.value)
  const reader = factReader(asked)
  const instances: object[] = []
  for (const instance of rows) instances.push(await encode(asked, instance, reader))
  return ok({ total_count: total, instances })
}

async function matching(asked: Asked, query: DevenvQuery) {
  const { status, by, dir, offset, limit, ownOnly, pool, aiProject, workspace } = query
  const situation = status === undefined ? livingSituations : situationsShownAs(status)
  if (situation.length === 0) return { total: 0, rows: [] }
  // Two words for one situation, and what only this door knows of: the store has no column for either.
  const isQueue = status === 'CREATE_QUEUING' || status === 'START_QUEUING'
  const keep = (instance: Instance): boolean =>
    (!isQueue || devenvStatusOf(instance) === status) &&
    (pool === undefined || isInPool(instance, pool)) &&
    (aiProject === undefined || aiProjectOf(instance) === aiProject) &&
    workspaceOf(instance) === workspace
  const keeps =
    isQueue || pool !== undefined || aiProject !== undefined || (await narrows(asked, workspace))
  return offsetPage(
    asked.plane.read,
    'instances',
    {
      where: {
        project: asked.project,
        kind: 'notebook',
        schemes: ['devenv', 'devenv lab'],
        situation,
        ...(ownOnly ? { createdBy: asked.caller.userId } : {}),
      },
      order: { by, dir },
    },
    { offset, limit, keep: keeps ? keep : undefined },
  )
}

/** A5. */
export async function update(asked: Asked): Answered {
  const asksFor = decodeUpdate(asked.exchange.body, asked.plane.nowMs())
  if (!asksFor.ok) return asksFor
  const parameter = asksFor.value.autoStop === undefined ? 'description' : 'auto_stop'
  const asks: Asks = { verb: 'update', parameter }
  const seen = await see(asked, asks)
  if (!seen.ok) return seen
  return change(asked, updateOf(asked, seen.value, asksFor.value), {
    faultOf: faultsFor(asked, asks),
    show: async ({ instanceIds }) => {
      const instance = await asked.plane.read.get('instances', instanceIds[0] ?? '')
      return instance ? encodeOne(asked, instance) : {}
    },
  })
}

function updateOf(asked: Asked, before: Instance, asksFor: DevenvUpdate): UpdateInstance {
  const { description, autoStop } = asksFor
  const prompt = autoStop?.prompt
  const value = prompt === undefined ? undefined : { prompt }
  return {
    verb: 'update',
    target: refOf(asked),
    from: devenvFrom('update'),
    ...(description === undefined ? {} : { description }),
    ...(autoStop === undefined ? {} : { autoStop: autoStopOf(autoStop, before.autoStop) }),
    ...(value === undefined ? {} : { attributes: { door: doorName, value, isMerged: true } }),
  }
}

/** A7. Only for what runs. It is found before the right to it is checked, like all of this family. */
export async function accessToken(asked: Asked): Answered {
  const seen = await see(asked, { verb: 'read' })
  if (!seen.ok) return seen
  if (!hasRole(asked.caller, 'member')) return err(notAuthorized(asked.permission))
  return devenvStatusOf(seen.value) === 'RUNNING'
    ? ok({ token: compact(tokenOf(seen.value)) })
    : err(refusals['6327'])
}

/** A6. */
export async function remove(asked: Asked): Answered {
  const target = refOf(asked)
  return change(
    asked,
    { verb: 'delete', target, from: devenvFrom('delete') },
    { faultOf: faultsFor(asked, { verb: 'delete' }), show: () => ({ instance_id: idOf(asked) }) },
  )
}
