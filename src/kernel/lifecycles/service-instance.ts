// One registered instance of a microservice. Its state is the effective status: what an operator set, else
// what the instance says of itself. Every move is instant, so nothing here is busy.

import { defineLifecycle } from '../lifecycle.ts'

const alive = ['up', 'down', 'starting', 'testing', 'out-of-service'] as const

export const serviceInstance = defineLifecycle({
  kind: 'service-instance',
  starts: alive,
  states: {
    up: { is: 'rest', doc: 'Online.' },
    down: { is: 'rest', doc: 'Offline by request.' },
    starting: { is: 'rest', doc: 'Says that it is starting.' },
    testing: { is: 'rest', doc: 'Open for dial tests only.' },
    'out-of-service': { is: 'rest', doc: 'Taken off traffic.' },
    expired: { is: 'final', doc: 'Its lease ran out.' },
    unregistered: { is: 'final', doc: 'Removed by request.' },
  },
  moves: [
    { on: 'set-up', from: alive, to: 'up', by: 'caller', doc: 'Report or set UP.' },
    { on: 'set-down', from: alive, to: 'down', by: 'caller', doc: 'Report or set DOWN.' },
    {
      on: 'set-starting',
      from: alive,
      to: 'starting',
      by: 'caller',
      doc: 'Report or set STARTING.',
    },
    { on: 'set-testing', from: alive, to: 'testing', by: 'caller', doc: 'Report or set TESTING.' },
    {
      on: 'set-out-of-service',
      from: alive,
      to: 'out-of-service',
      by: 'caller',
      doc: 'Report or set OUTOFSERVICE.',
    },
    { on: 'unregister', from: alive, to: 'unregistered', by: 'caller', doc: 'Remove by request.' },
    { on: 'expire', from: alive, to: 'expired', by: 'kernel', doc: 'The lease ran out.' },
  ],
})
