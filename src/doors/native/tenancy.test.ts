// A tenant cannot see, name or touch another's things: what is another's answers as what never was.
// An admin acts in another project when he names it, and sees all when he asks for all.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { adminOf, type NativeApi, nativeApi, tokenOf } from '#test/harness/native-api.ts'
import { type World, world } from '#test/harness/world.ts'
import type {
  EventPageShown,
  InstanceShown,
  OperationShown,
  PageShown,
  ServiceShown,
} from './wire.ts'

const people = {
  projects: [{ name: 'alpha' }, { name: 'beta' }],
  users: [
    { name: 'ann', password: 'password-of-ann', roles: { alpha: 'member' } },
    { name: 'bob', password: 'password-of-bob', roles: { beta: 'member' } },
  ],
}

let w: World
let admin: NativeApi
let ann: NativeApi
let bob: NativeApi
let anns: InstanceShown
let annsService = ''

before(async () => {
  w = await world({ config: { identity: people } })
  admin = adminOf(w)
  ann = nativeApi(
    w,
    await tokenOf(w, { user: 'ann', password: 'password-of-ann', project: 'alpha' }),
  )
  bob = nativeApi(
    w,
    await tokenOf(w, { user: 'bob', password: 'password-of-bob', project: 'beta' }),
  )
  anns = await ann.server({ name: 'hers', labels: { of: 'ann' } })
  const service = { name: 'hers', nodes: ['edge-1'], flavor: 'modelarts.vm.cpu.2u', image: 'sim' }
  annsService =
    (await ann.change('POST', '/services', service, { prefer: 'wait=20' })).service ?? ''
  await ann.change('POST', `/instances/${anns.id}/holds`, { kind: 'lock', why: 'hers' })
})
after(() => w.close())

const seqOf = async (): Promise<number> =>
  (await admin.get<EventPageShown>('/events?newest=true&limit=1&allProjects=true')).items[0]?.seq ??
  0

test('another’s instance, under any of its ids, is the same as none', async () => {
  const was = await seqOf()
  for (const id of [anns.id, anns.aliases['ecs'] ?? '']) {
    const nothing = id.startsWith('i-')
      ? 'i-zzzzzzzzzzzzzzzzzzzz'
      : '00000000-0000-4000-8000-000000000000'
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['GET', '/why', undefined],
      ['GET', '/operations', undefined],
      ['GET', '/events', undefined],
      ['GET', '/holds', undefined],
      ['GET', '/usage', undefined],
      ['PATCH', '', { name: 'his' }],
      ['DELETE', '', undefined],
      ['POST', '/actions', { action: 'stop', mode: 'hard' }],
      ['POST', '/actions', { action: 'reset', to: 'failed' }],
      ['POST', '/actions', { action: 'delete' }],
      ['POST', '/holds', {}],
      ['DELETE', `/holds/${anns.holds[0]?.id ?? 'x'}`, undefined],
    ] as const) {
      const hers = await bob.refused(method, `/instances/${id}${path}`, { body })
      const none = await bob.refused(method, `/instances/${nothing}${path}`, { body })
      const blurred = (problem: object): string =>
        JSON.stringify({ ...problem, requestId: '' })
          .replaceAll(id, '')
          .replaceAll(nothing, '')
      assert.equal(blurred(hers), blurred(none), `${method} ${path}`)
      assert.equal(hers.code, 'NotFound')
    }
  }
  assert.equal(await seqOf(), was, 'nothing happened')
})

test('another’s services and operations are the same as none', async () => {
  for (const [method, path, body] of [
    ['GET', `/services/${annsService}`, undefined],
    ['DELETE', `/services/${annsService}`, undefined],
    ['POST', `/services/${annsService}/actions`, { action: 'stop' }],
  ] as const)
    assert.equal((await bob.refused(method, path, { body })).code, 'NotFound', `${method} ${path}`)
  const [operation] = (await ann.get<PageShown<OperationShown>>('/operations')).items
  assert.equal((await bob.refused('GET', `/operations/${operation?.id}`)).code, 'NotFound')
})

test('lists hold nothing of another’s, whatever they are asked for', async () => {
  await bob.server({ name: 'his' })
  const names = (page: PageShown<InstanceShown>): readonly string[] =>
    page.items.map(({ name }) => name)
  assert.deepEqual(names(await bob.get('/instances')), ['his'])
  for (const query of ['?name=hers', '?label=of=ann', `?service=${annsService}`, '?node=edge-1'])
    assert.deepEqual(names(await bob.get(`/instances${query}`)), [], query)
  assert.deepEqual((await bob.get<PageShown<ServiceShown>>('/services')).items, [])
  assert.ok(
    (await bob.get<PageShown<OperationShown>>(`/operations?limit=1000`)).items.every(
      (one) => one.project !== anns.project,
    ),
  )
  assert.deepEqual(
    (await bob.get<PageShown<OperationShown>>(`/operations?instance=${anns.id}`)).items,
    [],
  )
  assert.deepEqual((await bob.get<EventPageShown>(`/events?instance=${anns.id}`)).items, [])
  assert.ok(
    (await bob.get<EventPageShown>('/events?limit=1000')).items.every(
      (one) => one.project !== anns.project,
    ),
  )
  const projects = (await bob.get<PageShown<{ name: string }>>('/projects')).items
  assert.deepEqual(
    projects.map(({ name }) => name),
    ['beta'],
  )
  assert.equal((await bob.refused('GET', `/projects/${anns.project}`)).code, 'NotFound')
})

test('only an admin acts in another project, and only in one that there is', async () => {
  assert.equal((await bob.refused('GET', '/instances?project=alpha')).code, 'Forbidden')
  assert.equal((await bob.refused('GET', '/instances?allProjects=true')).code, 'Forbidden')
  assert.equal((await bob.refused('GET', '/instances?project=none')).code, 'Forbidden')
  assert.equal((await admin.refused('GET', '/instances?project=none')).code, 'NotFound')
  for (const named of ['alpha', anns.project]) {
    const page = await admin.get<PageShown<InstanceShown>>(
      `/instances?project=${named}&kind=server`,
    )
    assert.deepEqual(
      page.items.map(({ id }) => id),
      [anns.id],
    )
  }
  assert.ok(
    !(await admin.get<PageShown<InstanceShown>>('/instances')).items.some(
      ({ id }) => id === anns.id,
    ),
  )
  assert.ok(
    (await admin.get<PageShown<InstanceShown>>('/instances?allProjects=true')).items.some(
      ({ id }) => id === anns.id,
    ),
  )
  const made = await admin.change('POST', '/instances?project=beta', {
    kind: 'server',
    name: 'given',
    flavor: 'sim.small',
    image: 'sim',
  })
  assert.equal((await bob.get<InstanceShown>(`/instances/${made.instances[0]}`)).name, 'given')
})

test('a key of one project is unknown in another', async () => {
  const headers = { 'idempotency-key': 'shared-by-chance' }
  const body = { kind: 'server', name: 'chance', flavor: 'sim.small', image: 'sim' }
  const one = await ann.change('POST', '/instances', body, headers)
  const two = await bob.change('POST', '/instances', { ...body, name: 'other' }, headers)
  assert.notDeepEqual(two.instances, one.instances)
})
