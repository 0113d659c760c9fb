// What each verb does, step by step, what undoes it, and the checks that come before.

import { conditions } from '#kernel/decisions/conditions.ts'
import { eventTypes } from '#kernel/event.ts'
import { type Plan, refitting, type Step, steps } from '#kernel/operation.ts'
import { needs } from '#kernel/access.ts'
import { generatedFrom, table } from './markdown.ts'

const names = (plan: readonly Step[]): string =>
  plan.map((step) => step.name).join(' → ') || 'nothing'

export function operationsPage(): string {
  const plans: readonly (readonly [string, Plan])[] = [
    ...Object.entries(steps),
    ['start or restart, of something else', refitting],
  ]
  const all = new Map<string, Step>()
  for (const [, plan] of plans)
    for (const step of [...plan.do, ...plan.undo]) all.set(step.name, step)
  return `${generatedFrom('src/kernel/operation.ts, decisions/conditions.ts, access.ts and event.ts')}
# Operations

Every step may run twice. A step that fails for good is followed by what undoes the operation.

${table(
  ['verb', 'does', 'undone by'],
  plans.map(([verb, plan]) => [verb, names(plan.do), names(plan.undo)]),
)}

${table(
  ['step', 'meaning'],
  [...all.values()].map((step) => [step.name, step.doc]),
)}

## What forbids a request whatever the state, in order

${table(
  ['condition', 'meaning'],
  conditions.map((one) => [one.name, one.doc]),
)}

## Who may ask

${table(['request', 'role'], Object.entries(needs))}

## Events

${table(['type', 'meaning'], Object.entries(eventTypes))}
`
}
