// A1 to the letter: the whole table of statuses and verbs, cell by cell, through real sockets, with deletion and
// update as its last two columns. Each status is reached for real; two cannot be, and `unreached` says why.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at, type Reply } from '#test/harness/api.ts'
import {
  type NotebookWorld,
  notebookWorld,
  type Reachable,
  reachable,
} from '#test/harness/notebook-world.ts'
import { until } from '#test/harness/world.ts'
import {
  type DevenvStatus,
  devenvStatuses,
  type DevenvVerb,
  devenvVerbs,
  devenvWords,
  matrix,
} from './states.ts'

let lab: NotebookWorld
before(async () => {
  lab = await notebookWorld()
})
after(() => lab.close())

const instances = '/v1/{p}/demanager/instances'
const codeOf = (reply: Reply) => `${reply.status} ${String(at(reply.body, 'error_code'))}`

const ask = (id: string, verb: DevenvVerb): Promise<Reply> => {
  const path = `${instances}/DE-${id}`
  if (verb === 'delete') return lab.bob.call('DELETE', path)
  if (verb === 'update') return lab.bob.call('PUT', path, { description: 'changed' })
  return lab.bob.call('POST', `${path}/action`, { action: verb })
}

/** Nothing of this family resizes an instance. */
const unreached: readonly DevenvStatus[] = ['RESIZING', 'RESIZE_FAILED']

/** What an accepted verb makes of an instance. */
const becomes = {
  start: 'STARTING',
  stop: 'STOPPING',
  restart: 'RESTARTING',
  queue: 'START_QUEUING',
  dequeue: 'STOPPED',
} as const

suite('every status × every verb', { concurrency: 4 }, () => {
  for (const situation of reachable) {
    const status = devenvWords[situation]
    test(`${status} (${situation}) refuses what it must, and nothing changes`, async () => {
      const id = await lab.reach(situation)
      for (const verb of devenvVerbs) {
        const cell = matrix[status][verb]
        if (cell === 'ok') continue
        assert.equal(codeOf(await ask(id, verb)), `400 ModelArts.${cell}`, `${status} ${verb}`)
        assert.equal(await lab.situation(id), situation, `${status} after ${verb}`)
      }
    })
    for (const verb of devenvVerbs)
      if (matrix[status][verb] === 'ok')
        test(`${status} (${situation}) accepts ${verb}`, () => accepted(situation, verb))
  }

  test('CREATE_QUEUING (queued before it exists) refuses what it must, and nothing changes', async () => {
    const id = await queuedForCreation()
    for (const verb of devenvVerbs) {
      const cell = matrix.CREATE_QUEUING[verb]
      if (cell !== 'ok')
        assert.equal(codeOf(await ask(id, verb)), `400 ModelArts.${cell}`, `CREATE_QUEUING ${verb}`)
    }
    assert.equal(await statusOf(id), 'CREATE_QUEUING')
    assert.equal((await ask(id, 'update')).status, 200)
    assert.deepEqual((await ask(id, 'dequeue')).body, {
      current_status: 'STOPPED',
      previous_state: 'CREATE_QUEUING',
    })
  })

  test('the statuses that were not reached are those that nothing reaches', () => {
    const reached = new Set<DevenvStatus>(reachable.map((one) => devenvWords[one]))
    reached.add('CREATE_QUEUING')
    assert.deepEqual(
      devenvStatuses.filter((one) => !reached.has(one)),
      unreached,
    )
  })
})

async function statusOf(id: string): Promise<unknown> {
  return at((await lab.bob.call('GET', `${instances}/DE-${id}`)).body, 'status')
}

/** A free flavor without a place: a new instance waits before it is made. */
async function queuedForCreation(): Promise<string> {
  const flavor = await lab.freeFlavor(0)
  const spec = { storage: { type: 'evs' } }
  const body = { name: flavor.replace('.', '-'), profile_id: 'sim', flavor, spec }
  const made = await lab.bob.call('POST', instances, body)
  assert.equal(at(made.body, 'status'), 'CREATE_QUEUING', made.text)
  return String(at(made.body, 'id')).slice('DE-'.length)
}

async function accepted(situation: Reachable, verb: DevenvVerb): Promise<void> {
  const id = await lab.reach(situation)
  const reply = await ask(id, verb)
  assert.equal(reply.status, 200, reply.text)
  if (verb === 'delete') assert.deepEqual(reply.body, { instance_id: `DE-${id}` })
  else if (verb === 'update') assert.equal(at(reply.body, 'description'), 'changed')
  else
    assert.deepEqual(reply.body, {
      current_status: becomes[verb],
      previous_state: devenvWords[situation],
    })
}

suite('A1', () => {
  const action = (id: string, body: unknown) =>
    lab.bob.call('POST', `${instances}/${id}/action`, body)

  const bodies: readonly (readonly [string, unknown, string, string])[] = [
    ['no JSON', '{', '0104', 'Parameter error.'],
    ['no body', '', '0104', 'Parameter error.'],
    ['a text', '"stop"', '0104', 'Parameter error.'],
    ['nothing', {}, '6335', "'action' is a required property."],
    [
      'a number',
      { action: 1 },
      '6332',
      "Incorrect parameter type. The 'action' parameter must be of the 'string' type.",
    ],
    [
      'null',
      { action: null },
      '6332',
      "Incorrect parameter type. The 'action' parameter must be of the 'string' type.",
    ],
    ['another word', { action: 'reboot' }, '6336', "'action' property value is incorrect."],
    ['the wrong case', { action: 'Stop' }, '6336', "'action' property value is incorrect."],
  ]
  for (const [name, body, number, message] of bodies)
    test(`a body of ${name} is ModelArts.${number}, even for an unknown id`, async () => {
      const reply = await action('DE-none', body)
      assert.equal(codeOf(reply), `400 ModelArts.${number}`)
      assert.equal(at(reply.body, 'error_msg'), message)
    })

  test('an unknown id, a foreign one, one of the other family and a deleted one are 400', async () => {
    const id = await lab.reach('running')
    const stop = { action: 'stop' }
    assert.equal(codeOf(await action('DE-none', stop)), '400 ModelArts.6309')
    const path = `${instances}/DE-${id}/action`
    assert.equal(codeOf(await lab.stranger.call('POST', path, stop)), '400 ModelArts.6309')
    // An admin elsewhere sees everything, but not by a path of another project.
    assert.equal(codeOf(await lab.root.call('POST', path, stop)), '400 ModelArts.6309')
    assert.equal(codeOf(await action(id, stop)), '400 ModelArts.6309')
    assert.equal(await lab.situation(id), 'running')
    await lab.direct({ verb: 'delete', target: { kind: 'notebook', id } })
    await lab.becomes(id, 'deleted')
    assert.equal(codeOf(await action(`DE-${id}`, stop)), '400 ModelArts.6309')
  })

  test('queue and dequeue on a billed flavor are refused in every status', async () => {
    for (const situation of ['running', 'stopped', 'failed/create'] as const) {
      const id = await lab.reach(situation, 'sim.billed')
      for (const verb of ['queue', 'dequeue'] as const)
        assert.equal(codeOf(await ask(id, verb)), '400 ModelArts.6323')
    }
  })

  test('an account that is frozen comes before the free-flavor rule and the state', async () => {
    const id = await lab.reach('stopped', 'sim.billed')
    const project = await lab.w.plane.read.get('projects', lab.bob.project)
    assert.ok(project)
    await lab.direct({ verb: 'put', table: 'projects', row: { ...project, frozen: true } })
    const replies = [await ask(id, 'queue'), await ask(id, 'stop')]
    await lab.direct({ verb: 'put', table: 'projects', row: project })
    assert.deepEqual(replies.map(codeOf), ['400 ModelArts.6326', '400 ModelArts.6326'])
  })

  test('a start without a free place is sold out, after its state has been checked', async () => {
    const flavor = await lab.freeFlavor(1)
    const id = await lab.reach('stopped', flavor)
    await lab.reach('running', flavor)
    assert.equal(codeOf(await ask(id, 'stop')), '400 ModelArts.6307')
    assert.equal(codeOf(await ask(id, 'start')), '400 ModelArts.6329')
  })

  test('a hold and a driver that is out have codes of their own', async () => {
    const id = await lab.reach('running')
    const driver = (available: boolean) =>
      lab.direct({
        verb: 'put',
        table: 'drivers',
        row: { id: 'simulated', available, reason: null },
      })
    await driver(false)
    const down = await ask(id, 'restart')
    await driver(true)
    assert.equal(codeOf(down), '400 ModelArts.6360')
    await lab.direct({ verb: 'hold', target: { kind: 'notebook', id }, kind: 'hold' })
    assert.equal(codeOf(await ask(id, 'stop')), '403 ModelArts.0112')
  })

  test('of many who start one stopped instance at once, exactly one is told yes', async () => {
    const id = await lab.reach('stopped', 'sim.billed')
    const replies = await Promise.all(Array.from({ length: 50 }, () => ask(id, 'start')))
    assert.equal(replies.filter((reply) => reply.status === 200).length, 1)
    const refusals = new Set(replies.filter((reply) => reply.status !== 200).map(codeOf))
    for (const code of refusals) assert.match(code, /^400 ModelArts\.(6306|6305)$/)
    await lab.becomes(id, 'running')
  })

  test('a dry run answers the plan; a repeated key the first answer', async () => {
    const id = await lab.reach('running', 'sim.billed')
    const path = `${instances}/DE-${id}/action`
    const stop = { action: 'stop' }
    const dry = await lab.bob.call('POST', path, stop, { 'x-dry-run': 'true' })
    assert.equal(at(dry.body, 'plan', 'to'), 'stopping')
    assert.equal(await lab.situation(id), 'running')
    const key = { 'idempotency-key': 'stop-1' }
    const first = await lab.bob.call('POST', path, stop, key)
    await lab.becomes(id, 'stopped')
    const again = await lab.bob.call('POST', path, stop, key)
    assert.deepEqual(again.body, { current_status: 'STOPPING', previous_state: 'RUNNING' })
    assert.deepEqual(again.body, first.body)
    const other = await lab.bob.call('POST', path, { action: 'start' }, key)
    assert.equal(codeOf(other), '400 ModelArts.6336')
  })
})

suite('who may come in', () => {
  test('no token, a bad one, another project and a reader are told apart', async () => {
    const path = `${instances}/DE-none/action`
    const call = (headers: Record<string, string>) =>
      lab.bob.call('POST', path, '{', { 'x-auth-token': '', ...headers })
    assert.equal(codeOf(await call({})), '401 ModelArts.0201')
    assert.equal(codeOf(await call({ 'x-auth-token': 'no token at all' })), '401 ModelArts.0204')
    const elsewhere = await lab.bob.call('POST', path.replace('{p}', lab.stranger.project), '{')
    assert.equal(codeOf(elsewhere), '403 ModelArts.0210')
    const bad = await lab.bob.call('POST', path, '{', { 'x-auth-token': `${'A'.repeat(22)}` })
    assert.match(codeOf(bad), /^401 ModelArts\.020[34]$/)
  })

  test('a reader is told first what is wrong, then that it is not there, then that it is not his', async () => {
    const id = await lab.reach('stopped')
    const ask = (path: string, sent: unknown) =>
      lab.reader.call('POST', `${instances}/${path}/action`, sent)
    const start = { action: 'start' }
    assert.equal(codeOf(await ask('DE-none', '{')), '400 ModelArts.0104')
    assert.equal(codeOf(await ask('DE-none', { action: 'reboot' })), '400 ModelArts.6336')
    assert.equal(codeOf(await ask('DE-none', start)), '400 ModelArts.6309')
    const refused = await ask(`DE-${id}`, start)
    assert.equal(codeOf(refused), '403 ModelArts.0108')
    assert.match(refused.text, /\(modelarts:notebook:action\)/)
    // Before the account, the flavor and the state.
    assert.equal(codeOf(await ask(`DE-${id}`, { action: 'dequeue' })), '403 ModelArts.0108')
    const spec = { storage: { type: 'evs' } }
    const body = { name: 'n', profile_id: 'sim', flavor: 'sim.billed', spec }
    const make = (sent: unknown) => lab.reader.call('POST', instances, sent)
    assert.equal(codeOf(await make({ ...body, name: 7 })), '400 ModelArts.6332')
    assert.equal(codeOf(await make(body)), '403 ModelArts.0108')
    const other = (method: string, sent?: unknown) =>
      lab.reader.call(method, `${instances}/DE-${id}`, sent)
    assert.equal(codeOf(await other('PUT', { description: 'x' })), '403 ModelArts.0108')
    assert.equal(codeOf(await other('DELETE')), '403 ModelArts.0108')
    assert.equal((await other('GET')).status, 200)
  })

  test('A7: a token of 32 hex digits, only of what runs, only for whom it is', async () => {
    const spec = { storage: { type: 'evs' } }
    const body = { name: 'token', profile_id: 'sim', flavor: 'sim.billed', spec }
    const made = await lab.bob.call('POST', instances, body)
    const path = `${instances}/${String(at(made.body, 'id'))}`
    await until(
      () => lab.bob.call('GET', path),
      (reply) => at(reply.body, 'status') === 'RUNNING',
    )
    const token = await lab.bob.call('GET', `${path}/token`)
    assert.match(String(at(token.body, 'token')), /^[0-9a-f]{32}$/)
    assert.deepEqual(Object.keys(token.body as object), ['token'])
    assert.equal((await lab.bob.call('GET', `${path}/token`)).text, token.text)
    assert.equal(codeOf(await lab.reader.call('GET', `${path}/token`)), '403 ModelArts.0108')
    const none = await lab.reader.call('GET', `${instances}/DE-none/token`)
    assert.equal(codeOf(none), '400 ModelArts.6309')
    await lab.bob.call('POST', `${path}/action`, { action: 'stop' })
    await until(
      () => lab.bob.call('GET', path),
      (reply) => at(reply.body, 'status') === 'STOPPED',
    )
    assert.equal(codeOf(await lab.bob.call('GET', `${path}/token`)), '400 ModelArts.6327')
  })

  test('every answer has a request id, the content type and, when bad, three keys', async () => {
    const good = await lab.bob.call('GET', `${instances}/?de_type=Notebook`)
    const bad = await lab.bob.call('GET', `${instances}/none`)
    const stray = await lab.bob.call('PATCH', '/v1/{p}/notebooks/a/b')
    assert.deepEqual(
      [good, bad, stray].map((reply) => reply.status),
      [200, 400, 404],
    )
    for (const reply of [good, bad, stray]) {
      assert.match(reply.headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/)
      assert.equal(reply.headers.get('content-type'), 'application/json; charset=UTF-8')
    }
    for (const { body } of [bad, stray])
      assert.deepEqual(Object.keys(body as object), ['error_code', 'error_msg', 'error_message'])
  })

  // The last one here: it ends every token of this world.
  test('a token that has expired is told from one that never was', async () => {
    lab.clock.jump(25 * 3_600_000)
    const reply = await lab.bob.call('GET', `${instances}?de_type=Notebook`)
    assert.equal(codeOf(reply), '401 ModelArts.0202')
  })
})
