// How much of a long test is run: the usual share in `npm test` and in CI, all of it in `npm run test:all`.

const isFull = process.env['RUNSTATE_TEST_SCALE'] === 'full'

/** A count that its own variable, when it is set, says better. */
export const scaled = (variable: string, usual: number, full: number): number =>
  Number(process.env[variable] ?? (isFull ? full : usual))
