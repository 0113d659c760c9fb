// A lifecycle is one frozen table; types, checks, pages, diagrams and tests are derived from it.
//
// `is`      rest: may stay so; busy: an operation is under way; failed: the last one failed; final: never moves again
// `toward`  where a busy state was heading, so that recovery needs no list of its own
// `by`      caller: a door may ask for this move; kernel: only what was seen or timed may cause it

type Busy<Name extends string> = {
  readonly is: 'busy'
  readonly toward: Name
  readonly doc: string
}
type Still = { readonly is: 'rest' | 'failed' | 'final'; readonly doc: string }

export interface Move<State extends string, On extends string = string> {
  readonly on: On
  readonly from: readonly State[]
  readonly to: State
  readonly by: 'caller' | 'kernel'
  readonly doc: string
}

/** The plain shape every table has. Non-generic on purpose: variance would refuse real tables. */
export interface Lifecycle {
  readonly kind: string
  readonly starts: readonly string[]
  readonly states: Readonly<
    Record<string, { readonly is: string; readonly toward?: string; readonly doc: string }>
  >
  readonly moves: readonly Move<string>[]
}

export function defineLifecycle<
  const Kind extends string,
  const States extends Record<string, Busy<keyof States & string> | Still>,
  const Moves extends readonly Move<keyof States & string>[],
>(table: {
  readonly kind: Kind
  readonly starts: readonly (keyof States & string)[]
  readonly states: States
  readonly moves: Moves
}): {
  readonly kind: Kind
  readonly starts: readonly (keyof States & string)[]
  readonly states: States
  readonly moves: Moves
} {
  return Object.freeze(table)
}

export type StateOf<L extends Lifecycle> = keyof L['states'] & string
/** The state that `on` leads to from `from`, or undefined when the table does not allow it. */
export function step(lifecycle: Lifecycle, from: string, on: string): string | undefined {
  for (const move of lifecycle.moves) if (move.on === on && move.from.includes(from)) return move.to
  return undefined
}

/** The states from which `on` is allowed. */
export function allowed(lifecycle: Lifecycle, on: string): readonly string[] {
  return lifecycle.moves.filter((move) => move.on === on).flatMap((move) => move.from)
}

export function isA(
  lifecycle: Lifecycle,
  state: string,
  is: 'rest' | 'busy' | 'failed' | 'final',
): boolean {
  return lifecycle.states[state]?.is === is
}
