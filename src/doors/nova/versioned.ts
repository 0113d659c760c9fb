// Bodies whose shape depends on the microversion: one check per span of versions that share a shape.

import type { Static, TSchema } from 'typebox'
import type { Microversion } from './microversion.ts'
import { type Checked, checks } from './schema.ts'

/** First and last version that has it; absent: all. */
export interface Span {
  readonly since?: Microversion
  readonly until?: Microversion
}

export const isIn = ({ since = 0, until = Number.POSITIVE_INFINITY }: Span, version: number) =>
  version >= since && version <= until

/** @param starts  the versions in which the shape changes. */
export function versioned<S extends TSchema>(
  starts: readonly Microversion[],
  schemaFor: (version: Microversion) => S,
): (version: Microversion) => Checked<Static<S>> {
  const known = new Map<Microversion, Checked<Static<S>>>()
  return (version) => {
    const start = Math.max(1, ...starts.filter((one) => one <= version))
    const check = known.get(start) ?? checks<S>(schemaFor(start))
    known.set(start, check)
    return check
  }
}

type Properties = Readonly<Record<string, TSchema>>

/** Those properties that a version has. */
export const propertiesIn = <P extends Properties>(
  properties: P,
  spans: { readonly [K in keyof P]?: Span },
  version: Microversion,
): P =>
  Object.fromEntries(
    Object.entries(properties).filter(([name]) => isIn(spans[name] ?? {}, version)),
  ) as P // what is left out is optional in P, and refused by the closed schema made of the rest

/** The versions in which any of these begins or ends. */
export const startsOf = (spans: Readonly<Record<string, Span | undefined>>): readonly number[] =>
  Object.values(spans).flatMap((span) => [
    ...(span?.since === undefined ? [] : [span.since]),
    ...(span?.until === undefined ? [] : [span.until + 1]),
  ])
