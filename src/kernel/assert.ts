// Two ways to say "this cannot happen". Both throw, because only a bug in runstate gets here.

export function assert(claim: unknown, why: string): asserts claim {
  if (!claim) throw new Error(`broken invariant: ${why}`)
}

/** Ends a `switch` over a union; the compiler names the member that was forgotten. */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: unhandled ${JSON.stringify(value)}`)
}
