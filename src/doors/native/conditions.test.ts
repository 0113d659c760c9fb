// Every refusal of the kernel can be brought about through this door alone, so that whoever writes a client can
// see how it takes them. The table below has a row for each code; a code without a way says why.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ErrorCode } from '#kernel/errors.ts'
import { adminOf, type NativeApi, nativeApi, type Sent, tokenOf } from '#test/harness/native-api.ts'
import { type World, world } from '#test/harness/world.ts'

const people = {
  projects: [{ name: 'alpha' }],
  users: [
    { name: 'ann', password: 'password-of-ann', roles: { alpha: 'member' } },
    { name: 'amy', password: 'password-of-amy', roles: { alpha: 'member' } },
  ],
}

let w: World
let admin: NativeApi
let ann: NativeApi
let amy: NativeApi
before(async () => {
  w = await world({ config: { identity: people, starter: true } })
  admin = adminOf(w)
  ann = nativeApi(
    w,
    await tokenOf(w, { user: 'ann', password: 'password-of-ann', project: 'alpha' }),
  )
  amy = nativeApi(
    w,
    await tokenOf(w, { user: 'amy', password: 'password-of-amy', project: 'alpha' }),
  )
})
after(async () => {
  // What runs in a workspace that is out of order could not be stopped.
  await inAlpha({ workspaces: [] })
  await w.close()
})

interface Refused {
  readonly api?: NativeApi
  readonly method?: string
  readonly path: string
  readonly sent?: Sent
}

const server = { kind: 'server', name: 'new', flavor: 'sim.small', image: 'sim' }
const creating = (change: object, api: NativeApi = admin): Refused => ({
  api,
  path: '/instances',
  sent: { body: { ...server, ...change } },
})
const acting = (id: string, body: object): Refused => ({
  path: `/instances/${id}/actions`,
  sent: { body },
})
const patched = async (change: object, made: object = {}): Promise<string> => {
  const { id } = await admin.server(made)
  await admin.change('PATCH', `/instances/${id}`, change)
  return id
}
const inAlpha = (change: object): Promise<unknown> =>
  admin
    .get<{ items: { id: string; name: string }[] }>('/projects')
    .then(({ items }) =>
      admin.change('PUT', `/projects/${items.find(({ name }) => name === 'alpha')?.id}`, change),
    )
const deploying = {
  name: 'svc',
  nodes: ['edge-2'],
  flavor: 'modelarts.vm.cpu.2u',
  image: '6c0f2d5e-0d63-4c6b-9a53-2b1e54f1a7d0',
}

/** Sets the condition and returns the request that meets it, or says why this door cannot. */
const ways: Readonly<Record<ErrorCode, (() => Promise<Refused>) | string>> = {
  NotFound: async () => acting('none', { action: 'stop' }),
  AlreadyExists: async () => {
    await admin.server({ name: 'only' })
    return creating({ name: 'only', uniqueName: true })
  },
  BadField: async () => creating({ count: 0 }),
  Forbidden: async () => ({
    api: ann,
    method: 'PATCH',
    path: `/instances/${(await ann.server()).id}`,
    sent: { body: { conditions: { scheduled: true } } },
  }),
  WrongState: async () => acting((await admin.server()).id, { action: 'start', from: ['stopped'] }),
  Busy: async () => {
    const { id } = await admin.server({ launch: { scenario: { stopMs: 2_000 } } })
    await admin.act(id, { action: 'stop' })
    return acting(id, { action: 'start' })
  },
  Held: async () => {
    const { id } = await admin.server()
    await admin.change('POST', `/instances/${id}/holds`, { why: 'audit' })
    return acting(id, { action: 'stop' })
  },
  NoCapacity: async () => {
    await admin.change('PUT', '/pools/none-left', { capacity: 0 })
    await admin.change('PUT', '/flavors/sold-out', {
      kinds: ['server'],
      driver: 'simulated',
      pool: 'none-left',
    })
    return creating({ flavor: 'sold-out' })
  },
  NotQueueable: async () => acting((await admin.server()).id, { action: 'queue' }),
  StoppedModeSame: async () => {
    const { id } = await admin.server()
    await admin.act(id, { action: 'stop' }, { prefer: 'wait=20' })
    return acting(id, { action: 'stop', stoppedMode: 'keep', from: ['stopped'] })
  },
  CannotRelease: async () =>
    acting(await patched({ charge: 'PrePaid' }), { action: 'stop', stoppedMode: 'release' }),
  OwnedByService: async () =>
    acting(await patched({ conditions: { createdByService: 'scaling' } }), { action: 'stop' }),
  HostUnsupported: async () =>
    acting(await patched({ conditions: { hostUnsupported: true } }), { action: 'stop' }),
  DeletionProtected: async () =>
    acting(await patched({ conditions: { deletionProtected: true } }), { action: 'delete' }),
  TermUnfinished: async () => acting(await patched({ charge: 'PrePaid' }), { action: 'delete' }),
  NodeNotReady: async () => {
    await admin.change('PUT', '/nodes/edge-9', { state: 'unconnected' })
    return { path: '/services', sent: { body: { ...deploying, nodes: ['edge-9'] } } }
  },
  NotOwner: async () => {
    const { service } = await ann.change('POST', '/services', { ...deploying, name: 'of-ann' })
    return { api: amy, path: `/services/${service}/actions`, sent: { body: { action: 'stop' } } }
  },
  NotOnNodes: 'instances are named by their own ids here, never by a service and a node',
  ServiceBusy: async () => {
    const { service } = await admin.change('POST', '/services', deploying, { prefer: 'wait=20' })
    await admin.change(
      'POST',
      `/services/${service}/actions`,
      { action: 'stop' },
      { prefer: 'wait=20' },
    )
    return { path: `/services/${service}/actions`, sent: { body: { action: 'stop' } } }
  },
  ServiceInUse: async () => ({
    method: 'DELETE',
    path: '/services/5c0ffee05c0ffee05c0ffee05c0ffee05c0ffee0',
  }),
  ProjectFrozen: async () => {
    await inAlpha({ frozen: true })
    return creating({}, ann)
  },
  BalanceLacking: async () => {
    await inAlpha({ frozen: false, lacksBalance: true })
    return creating({}, ann)
  },
  FlavorDenied: async () => {
    await inAlpha({ frozen: false, lacksBalance: false, deniedFlavors: ['sim.small'] })
    return creating({}, ann)
  },
  FlavorMismatch: async () => {
    await admin.change('PUT', '/images/cuda', { kinds: ['server'], hardware: 'GPU' })
    return creating({ image: 'cuda' })
  },
  QuotaExceeded: async () => {
    await inAlpha({ deniedFlavors: [], quotas: { nodes: 0 } })
    return { api: ann, path: '/services', sent: { body: { ...deploying, name: 'too-many' } } }
  },
  Unusable: async () => {
    await inAlpha({
      quotas: {},
      workspaces: [{ id: '0', name: 'default', isAbnormal: true, denies: [], instancesMax: null }],
    })
    return { api: ann, path: '/services', sent: { body: { ...deploying, name: 'abnormal' } } }
  },
  Unsupported: async () => acting((await admin.server()).id, { action: 'status', status: 'up' }),
  GenerationChanged: async () => {
    const { id } = await admin.server()
    return {
      ...acting(id, { action: 'stop' }),
      sent: { body: { action: 'stop' }, headers: { 'if-match': '"99"' } },
    }
  },
  TokenReused: async () => {
    const { id } = await admin.server()
    const headers = { 'idempotency-key': 'meant-otherwise' }
    await admin.act(id, { action: 'stop' }, headers)
    return { ...acting(id, {}), sent: { body: { action: 'stop', mode: 'hard' }, headers } }
  },
  TokenInProcess: 'a repeated request waits for the answer of the first',
  DriverUnavailable: async () => {
    await admin.change('PUT', '/drivers/simulated', { available: false, reason: 'maintenance' })
    return creating({})
  },
  Overloaded: 'needs more requests at once than a test should send',
  StoreUnavailable: 'needs a store that fails: the store’s own tests have one',
  Fenced: 'doors never see it',
}

for (const [code, way] of Object.entries(ways))
  if (typeof way === 'function')
    test(`${code} can be brought about here`, async () => {
      const { api = admin, method = 'POST', path, sent } = await way()
      const problem = await api.refused(method, path, sent)
      assert.equal(problem.code, code, problem.detail)
    })

test('a driver that is back is used again', async () => {
  await admin.change('PUT', '/drivers/simulated', { available: true })
  await admin.server({ name: 'after-maintenance' })
})

test('a project that is set can be acted in', async () => {
  await admin.change('PUT', '/projects/0123456789abcdef0123456789abcdef', { name: 'gamma' })
  const made = await admin.change('POST', '/instances?project=gamma', { ...server, name: 'first' })
  assert.equal(
    (await admin.get<{ project: string }>(`/instances/${made.instances[0]}`)).project,
    '0123456789abcdef0123456789abcdef',
  )
})
