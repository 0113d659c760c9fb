/**
 * Everything that can be known without running the product: types, lint, format, tidy, dead code; two at a time,
 * the longest first: each of them would take all cores, and all at once take twice as long.
 *
 * `node tools/check.ts` runs all; `node tools/check.ts lint tidy` runs some.
 * One line per step; a failed step prints all it said, and the exit code is 1.
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

type Step = { readonly run: readonly string[]; readonly fix: string }

const bin = (name: string) => `node_modules/.bin/${name}`
/** All but the proof that the linter's own rules can fail, which lints once more: that is for `npm test`. */
const laws = globSync('test/tidy/*.test.ts').filter((path) => !path.endsWith('/lint.test.ts'))
const steps: Readonly<Record<string, Step>> = {
  lint: { run: [bin('oxlint'), '--deny-warnings'], fix: 'npx oxlint --fix' },
  tidy: {
    run: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--test',
      '--test-isolation=none',
      '--test-reporter=dot',
      ...laws,
    ],
    fix: 'node tools/test.ts tidy',
  },
  types: { run: [bin('tsc'), '--pretty', 'false'], fix: 'npx tsc' },
  knip: { run: [bin('knip'), '--no-progress', '--cache'], fix: 'npx knip' },
  format: {
    run: [bin('biome'), 'format', '--colors=off', '--reporter=summary'],
    fix: 'npm run format',
  },
}
const atOnce = 2
const budgetMs = 10_000

type Outcome = {
  readonly name: string
  readonly isOk: boolean
  readonly tookMs: number
  readonly said: string
}

function runStep(name: string, step: Step): Promise<Outcome> {
  const [command = '', ...args] = step.run
  const startedMs = performance.now()
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { NODE_COMPILE_CACHE: 'node_modules/.cache/node', ...process.env },
  })
  const chunks: Buffer[] = []
  const finish = (isOk: boolean, extra = '') =>
    resolve({
      name,
      isOk,
      tookMs: performance.now() - startedMs,
      said: Buffer.concat(chunks).toString() + extra,
    })
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.on('error', (error) => finish(false, error.message))
  child.on('close', (code) => finish(code === 0))
  return promise
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in steps))
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(', ')} (there are ${Object.keys(steps).join(', ')})`)
  process.exit(2)
}

const startedMs = performance.now()
const chosen = Object.entries(steps).filter(([name]) => asked.length === 0 || asked.includes(name))
const outcomes: Outcome[] = []
async function worker(): Promise<void> {
  for (let next = chosen.shift(); next; next = chosen.shift()) {
    const outcome = await runStep(...next)
    const { name, isOk, tookMs } = outcome
    console.log(`${isOk ? 'ok  ' : 'FAIL'}  ${name.padEnd(8)}${seconds(tookMs)}`)
    outcomes.push(outcome)
  }
}
await Promise.all(Array.from({ length: atOnce }, worker))
const failed = outcomes.filter((outcome) => !outcome.isOk)
for (const { name, said } of failed) {
  console.log(`\n--- ${name} ---\n${said.trimEnd()}\n(alone: ${steps[name]?.fix ?? ''})`)
}
const tookMs = performance.now() - startedMs
const late = tookMs > budgetMs ? `, over the budget of ${seconds(budgetMs)}` : ''
console.log(
  failed.length === 0
    ? `check passed in ${seconds(tookMs)}${late}`
    : `\ncheck failed in ${seconds(tookMs)}${late}: ${failed.map((f) => f.name).join(', ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1
