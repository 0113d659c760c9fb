// What a walk's plane is furnished with: one flavor for each way in which things misbehave, and a free one that is
// sold out at times.

import type { Flavor } from '#kernel/catalogue.ts'
import type { CallerRequest } from '#kernel/request.ts'
import { flavor } from './board.ts'

const attributes = {
  plain: {},
  stubborn: { ignoreSoftStop: true },
  flaky: { failRate: 0.2 },
  clumsy: {
    failAt: [
      { act: 'start', times: 2 },
      { act: 'stop', times: 2, code: 'timeout' },
    ],
  },
  tough: { stopMs: 30_000, hardStopMs: 20_000 },
  hanging: { hangAt: ['start'] },
  hidden: { reportUnknown: { fromMs: 0, toMs: 20_000 } },
  dying: { driftDownAfterMs: 30_000 },
  reviving: { driftUpAfterMs: 25_000 },
  forgotten: { forgetAfterMs: 40_000 },
  polite: { failAt: [{ act: 'capture', code: 'unsupported' }], createMs: 3_000, removeMs: 3_000 },
} as const
type Name = keyof typeof attributes
export const flavorNames = Object.keys(attributes) as [Name, ...Name[]] // keys of a const table

export const flavors: readonly Flavor[] = [
  ...flavorNames.map((id) =>
    flavor({ id, poolId: 'counted', graceMs: 4_000, startMs: 15_000, attributes: attributes[id] }),
  ),
  flavor({
    id: 'free',
    charge: 'free',
    poolId: 'free',
    releasesOnStop: true,
    autoStopMs: 45_000,
    storeMs: 200_000,
    reserveMs: 20_000,
  }),
]

/** What must be there before anything is asked. */
export const furniture: readonly CallerRequest[] = [
  { verb: 'put', table: 'drivers', row: { id: 'simulated', available: true, reason: null } },
  {
    verb: 'put',
    table: 'images',
    row: {
      id: 'sim',
      name: 'sim',
      launch: {},
      hardware: 'CPU',
      attributes: {},
      kinds: ['server', 'notebook', 'edge-instance'],
    },
  },
  ...flavors.map((row) => ({ verb: 'put', table: 'flavors', row }) as const),
  ...['n1', 'n2', 'edge-1'].map((id) => {
    const row = { id, name: id, state: 'ready', attributes: {} } as const
    return { verb: 'put', table: 'nodes', row } as const
  }),
  ...[
    { id: 'counted', capacity: 6 },
    { id: 'free', capacity: 2 },
  ].map((row) => ({ verb: 'put', table: 'pools', row }) as const),
  {
    verb: 'register-service',
    id: 'svc1',
    freshId: 'svc1',
    key: 'svc1',
    name: 'svc1',
    attributes: {},
  },
]
