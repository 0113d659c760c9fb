// Laws of the state tables: every situation a server can be in, with everything that can be under way, has its
// words, and the words are those of the contract (sections 4.2 and 4.3).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorOf } from '#kernel/errors.ts'
import type { Instance, Underway } from '#kernel/instance.ts'
import { operationId } from '#kernel/ids.ts'
import {
  type FailedVerb,
  failedVerbs,
  lifecycles,
  type SituationOf,
  type StateOfKind,
  type Verb,
} from '#kernel/kinds.ts'
import { isA } from '#kernel/lifecycle.ts'
import type { Observation } from '#kernel/observation.ts'
import { steps } from '#kernel/operation.ts'
import { faultOf } from './faults.ts'
import {
  liveSituations,
  preconditions,
  situationsFor,
  situationsShowing,
  stateOf,
  vmStateOf,
} from './states.ts'

type Situation = SituationOf<'server'>
type ServerState = StateOfKind<'server'>

const states = Object.keys(lifecycles.server.states) as readonly ServerState[] // keys of a const table
const verbs = Object.keys(steps) as readonly Verb[] // keys of a const table

const situations: readonly Situation[] = states.flatMap((state): readonly Situation[] =>
  state === 'failed' ? failedVerbs.map((verb) => `failed/${verb}` as const) : [state],
)

const looked = (seen: Observation['seen']): Observation => ({
  seen,
  ready: seen === 'up',
  atMs: 0,
  reason: null,
  evidence: {},
})

/** Only what the tables read. */
function server(
  situation: Situation,
  underway: Pick<Underway, 'verb' | 'asked' | 'from'> | null,
  seen: Observation['seen'] = 'unknown',
): Instance {
  const [state, verb] = situation.split('/') as [ServerState, FailedVerb?] // how a situation is written
  const failure = verb === undefined ? null : { verb, message: '', atMs: 0, evidence: {} }
  const busy = underway && {
    operationId: operationId('o'),
    rung: underway.asked,
    sinceMs: 0,
    ...underway,
  }
  const row = {
    kind: 'server',
    state,
    failure,
    underway: busy,
    observation: looked(seen),
    handle: null,
  }
  return row as unknown as Instance // the rest of the row is not read
}

test('every situation has a vm_state of the contract’s list', () => {
  const known = new Set([
    'building',
    'active',
    'stopped',
    'paused',
    'suspended',
    'error',
    'deleted',
  ])
  assert.equal(situations.length, 16 + failedVerbs.length)
  for (const situation of situations) assert.ok(known.has(vmStateOf(situation)), situation)
})

test('at rest there is no task_state, and the status is that of the vm_state alone', () => {
  const words = {
    running: 'ACTIVE',
    stopped: 'SHUTOFF',
    paused: 'PAUSED',
    suspended: 'SUSPENDED',
    deleted: 'DELETED',
  } as const
  for (const [situation, status] of Object.entries(words)) {
    const shown = stateOf(server(situation as Situation, null)) // keys of the table above
    assert.deepEqual([shown.taskState, shown.status], [null, status])
  }
  for (const verb of failedVerbs)
    assert.equal(stateOf(server(`failed/${verb}`, null)).status, 'ERROR')
})

/** The contract's table 4.2, as far as our lifecycle reaches. */
function expectedStatus(vmState: string, taskState: string | null): string {
  if (vmState === 'active' && taskState === 'rebooting') return 'REBOOT'
  if (vmState === 'active' && taskState === 'rebooting_hard') return 'HARD_REBOOT'
  if (taskState === 'rebuilding' && ['active', 'stopped', 'error'].includes(vmState))
    return 'REBUILD'
  const otherwise: Readonly<Record<string, string>> = {
    building: 'BUILD',
    active: 'ACTIVE',
    stopped: 'SHUTOFF',
    paused: 'PAUSED',
    suspended: 'SUSPENDED',
    error: 'ERROR',
    deleted: 'DELETED',
  }
  return otherwise[vmState] ?? 'UNKNOWN'
}

test('whatever is under way, from wherever it came, the status follows table 4.2', () => {
  let looked = 0
  for (const from of [null, ...situations]) {
    for (const situation of situations) {
      for (const verb of verbs) {
        for (const asked of ['soft', 'hard', null] as const) {
          const shown = stateOf(server(situation, { verb, asked, from }))
          assert.equal(shown.vmState, vmStateOf(from ?? situation))
          assert.equal(shown.status, expectedStatus(shown.vmState, shown.taskState))
          looked += 1
        }
      }
    }
  }
  assert.equal(looked, (situations.length + 1) * situations.length * verbs.length * 3)
})

test('each verb has its task_state; a reboot shows what was asked, not how hard it became', () => {
  const shown = (verb: Verb, asked: 'soft' | 'hard' | null) =>
    stateOf(server('running', { verb, asked, from: 'running' })).taskState
  assert.equal(shown('create', null), 'scheduling')
  assert.equal(shown('start', null), 'powering-on')
  assert.equal(shown('stop', 'hard'), 'powering-off')
  assert.equal(shown('restart', 'soft'), 'rebooting')
  assert.equal(shown('restart', 'hard'), 'rebooting_hard')
  assert.equal(shown('capture', null), 'image_snapshot')
  assert.equal(shown('delete', 'hard'), 'deleting')
  assert.equal(shown('pause', null), 'pausing')
  assert.equal(shown('unpause', null), 'unpausing')
  assert.equal(shown('suspend', null), 'suspending')
  assert.equal(shown('resume', null), 'resuming')
  assert.equal(shown('rebuild', 'hard'), 'rebuilding')
})

test('a hard reboot of a stopped server still shows SHUTOFF', () => {
  const busy = { verb: 'restart', asked: 'hard', from: 'stopped' } as const
  assert.equal(stateOf(server('restarting', busy)).status, 'SHUTOFF')
})

test('power_state is what was seen, and never said of what is not yet or no longer', () => {
  const power = (situation: Situation, seen: Observation['seen']) =>
    stateOf(server(situation, null, seen)).powerState
  assert.deepEqual(
    (['up', 'paused', 'suspended', 'down', 'absent', 'unknown'] as const).map((seen) =>
      power('running', seen),
    ),
    [1, 3, 4, 4, 0, 0],
  )
  assert.equal(power('provisioning', 'up'), 0)
  assert.equal(power('deleted', 'down'), 0)
})

test('the preconditions are those of table 4.3', () => {
  const failed = failedVerbs.filter((verb) => verb !== 'create').map((verb) => `failed/${verb}`)
  const sorted = (name: Parameters<typeof situationsFor>[0]) => [...situationsFor(name)].toSorted()
  assert.deepEqual(sorted('stop'), [...failed, 'running'].toSorted())
  assert.deepEqual(sorted('start'), ['stopped'])
  assert.deepEqual(sorted('reboot soft'), ['running'])
  assert.deepEqual(
    sorted('reboot hard'),
    [
      ...failed,
      'restarting',
      'running',
      'stopped',
      'paused',
      'suspended',
      'pausing',
      'unpausing',
      'suspending',
      'resuming',
    ].toSorted(),
  )
  assert.deepEqual(sorted('pause'), ['running'])
  assert.deepEqual(sorted('unpause'), ['paused'])
  assert.deepEqual(sorted('suspend'), ['running'])
  assert.deepEqual(sorted('resume'), ['suspended'])
  assert.deepEqual(sorted('rebuild'), [...failed, 'running', 'stopped'].toSorted())
  assert.deepEqual(sorted('createImage'), ['paused', 'running', 'stopped', 'suspended'])
  const refused = ['provisioning', 'deleted', 'failed/create', ...failed]
  assert.deepEqual(
    sorted('description'),
    situations.filter((one) => !refused.includes(one)).toSorted(),
  )
})

test('a list by vm_state looks everywhere where such a server may be', () => {
  for (const from of situations) {
    for (const situation of situations) {
      for (const underway of [null, { verb: 'stop', asked: null, from } as const]) {
        const isBusy = isA(lifecycles.server, situation, 'busy')
        if (isBusy !== (underway !== null)) continue
        const { vmState } = stateOf(server(situation, underway))
        const places = situationsShowing((one) => one === vmState)
        assert.ok(places.includes(situation), `${situation} from ${from} shows ${vmState}`)
      }
    }
  }
  assert.ok(!liveSituations.includes('deleted'))
})

test('a refusal because something is under way names what the server shows: vm_state first, then task_state', () => {
  const table = [
    [
      'stop',
      { running: 'stop', situation: 'stopping', from: 'running' },
      'task_state powering-off',
    ],
    ['stop', { running: 'restart', situation: 'restarting', from: 'stopped' }, 'vm_state stopped'],
    ['stop', { running: 'create', situation: 'provisioning', from: null }, 'vm_state building'],
    [
      'stop',
      { running: 'start', situation: 'starting', from: 'failed/run' },
      'task_state powering-on',
    ],
    ['start', { running: 'delete', situation: 'deleting', from: 'stopped' }, 'task_state deleting'],
    ['start', { running: 'capture', situation: 'imaging', from: 'running' }, 'vm_state active'],
  ] as const
  type Running = Pick<ErrorOf<'Busy'>, 'running' | 'situation' | 'from'>
  const refused = (verb: 'stop' | 'start', underway: Running, asked: 'soft' | 'hard') =>
    faultOf(
      { code: 'Busy', id: 'x', verb, operation: operationId('o'), asked, ...underway },
      { verb, rule: '', precondition: preconditions[verb] },
    ).message
  for (const [verb, underway, words] of table)
    assert.equal(
      refused(verb, underway, 'soft'),
      `Cannot '${verb}' instance x while it is in ${words}`,
    )
  const rebooting = { running: 'restart', situation: 'restarting', from: 'running' } as const
  assert.match(refused('stop', rebooting, 'hard'), /task_state rebooting_hard$/)
  assert.match(refused('stop', rebooting, 'soft'), /task_state rebooting$/)
})
