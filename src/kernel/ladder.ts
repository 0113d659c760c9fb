// How hard a stop is. Harder pre-empts softer, never the reverse.

export const rungs = ['drain', 'soft', 'hard'] as const
export type Rung = (typeof rungs)[number]

export const isHarder = (a: Rung, b: Rung): boolean => rungs.indexOf(a) > rungs.indexOf(b)

/** The rung to escalate to when this one's deadline has passed; null at the top. */
export const nextRung = (rung: Rung): Rung | null => rungs[rungs.indexOf(rung) + 1] ?? null
