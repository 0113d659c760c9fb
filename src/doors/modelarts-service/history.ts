// The event log as this door reads it: the configurations that a service was given, and the instances that ran
// or run for it, those that are gone included.

import type { Event, EventType } from '#kernel/event.ts'
import { objectIn, textIn } from '../shared/json-facts.ts'
import type { Asked } from '../shared/project-route.ts'

/** Newest events read of one subject; older ones are in the native door's log. */
const eventsMax = 5000
const pageEvents = 1000

/** Newest first. */
export async function newestEvents(
  asked: Asked,
  subject: string,
  types: readonly EventType[],
): Promise<readonly Event[]> {
  const events: Event[] = []
  let before: number | undefined
  while (events.length < eventsMax) {
    const page = await asked.plane.read.events({
      after: 0,
      subject,
      types,
      limit: pageEvents,
      newestFirst: true,
      ...(before === undefined ? {} : { before }),
    })
    events.push(...page)
    before = page.at(-1)?.seq
    if (page.length < pageEvents) break
  }
  return events
}

/** Newest first. */
export const deploymentsOf = (asked: Asked, service: string): Promise<readonly Event[]> =>
  newestEvents(asked, service, ['service.deployed'])

/** Which instance it put on, or took from, each node. */
export function placedIn({ data }: Event): Readonly<Record<string, string>> {
  const placed = objectIn(data, 'placed') ?? {}
  return Object.fromEntries(Object.keys(placed).map((node) => [node, textIn(placed, node) ?? '']))
}
