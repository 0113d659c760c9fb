// One inference service's instance on one edge node.

import { defineLifecycle } from '../lifecycle.ts'

export const edgeInstance = defineLifecycle({
  kind: 'edge-instance',
  starts: ['deploying'],
  states: {
    deploying: {
      is: 'busy',
      toward: 'running',
      doc: 'Being brought up on its node, for the first time or with another configuration.',
    },
    running: { is: 'rest', doc: 'Serves on its node.' },
    stopped: { is: 'rest', doc: 'Stopped by somebody.' },
    'not-ready': { is: 'rest', doc: 'Wanted, but its node is not in contact.' },
    starting: { is: 'busy', toward: 'running', doc: 'Asked to start; not yet seen up.' },
    stopping: { is: 'busy', toward: 'stopped', doc: 'Asked to stop; not yet seen down.' },
    deleting: { is: 'busy', toward: 'deleted', doc: 'Being removed from its node.' },
    failed: { is: 'failed', doc: 'Could not be brought up, or died; the failure says why.' },
    deleted: { is: 'final', doc: 'Gone; kept for history.' },
  },
  moves: [
    {
      on: 'start',
      from: ['stopped', 'failed'],
      to: 'starting',
      by: 'caller',
      doc: 'Ask to start.',
    },
    {
      on: 'stop',
      from: ['running', 'not-ready', 'failed', 'deploying', 'starting', 'stopping'],
      to: 'stopping',
      by: 'caller',
      doc: 'Ask to stop; cancels a start, and a harder stop pre-empts a softer one.',
    },
    {
      on: 'restart',
      from: ['running', 'stopped', 'not-ready', 'failed', 'deploying', 'starting', 'stopping'],
      to: 'deploying',
      by: 'caller',
      doc: 'Ask to deploy it again.',
    },
    {
      on: 'delete',
      from: ['running', 'stopped', 'not-ready', 'failed', 'deploying', 'starting', 'stopping'],
      to: 'deleting',
      by: 'caller',
      doc: 'Ask to remove it from its node.',
    },
    {
      on: 'up',
      from: ['deploying', 'starting'],
      to: 'running',
      by: 'kernel',
      doc: 'Seen up, as asked.',
    },
    { on: 'down', from: ['stopping'], to: 'stopped', by: 'kernel', doc: 'Seen down, as asked.' },
    { on: 'gone', from: ['deleting'], to: 'deleted', by: 'kernel', doc: 'Seen removed, as asked.' },
    {
      on: 'fail',
      from: ['deploying', 'starting', 'stopping', 'deleting'],
      to: 'failed',
      by: 'kernel',
      doc: 'A step failed for good, or its deadline passed.',
    },
    {
      on: 'halted',
      from: ['running', 'not-ready'],
      to: 'failed',
      by: 'kernel',
      doc: 'Drift: seen down though nobody asked.',
    },
    {
      on: 'unreachable',
      from: ['running'],
      to: 'not-ready',
      by: 'kernel',
      doc: 'Its node lost contact.',
    },
    {
      on: 'appeared',
      from: ['stopped', 'failed', 'not-ready'],
      to: 'running',
      by: 'kernel',
      doc: 'Seen up again, or recovered.',
    },
    {
      on: 'lost',
      from: ['running', 'stopped', 'not-ready'],
      to: 'failed',
      by: 'kernel',
      doc: 'Drift: seen absent.',
    },
  ],
})
