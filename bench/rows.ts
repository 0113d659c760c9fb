// One line of the table: what is asked, how often, and which ratio to the bare server is owed.

export interface Row {
  readonly what: string
  readonly owe: number | null
  /** The n-th request of a round; what differs between requests of one round is its path or body. */
  readonly request: (n: number) => {
    readonly method: string
    readonly path: string
    readonly body?: string
    readonly headers: Record<string, string>
  }
  readonly count: number
  readonly rounds: number
}
