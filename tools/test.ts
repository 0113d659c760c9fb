/**
 * Runs test suites by name: `node tools/test.ts unit tidy` … `node tools/test.ts clients src/x.test.ts`.
 *
 * A suite is a folder of tests (table below); an argument that is no suite is a file or a glob.
 * - A suite without files is named, never silently passed over.
 * - Every skipped test is named at the end; with RUNSTATE_REQUIRE_CLIENTS=1 a skip is a failure.
 * - RUNSTATE_TEST_SCALE=full runs the long tests at full length, and has patience with them.
 * - A run in which no test ran at all is a failure, unless every suite was empty.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

type Suite = { readonly glob: string; readonly timeoutMs: number; readonly serial: boolean }

const suites: Readonly<Record<string, Suite>> = {
  unit: { glob: 'src/**/*.test.ts', timeoutMs: 60_000, serial: false },
  tidy: { glob: 'test/tidy/**/*.test.ts', timeoutMs: 60_000, serial: false },
  contract: { glob: 'test/contract/**/*.test.ts', timeoutMs: 120_000, serial: false },
  golden: { glob: 'test/golden/**/*.test.ts', timeoutMs: 120_000, serial: false },
  model: { glob: 'test/model/**/*.test.ts', timeoutMs: 120_000, serial: false },
  // Real processes and real clients are timed by the machine: one file at a time.
  crash: { glob: 'test/crash/**/*.test.ts', timeoutMs: 600_000, serial: true },
  clients: { glob: 'test/clients/**/*.test.ts', timeoutMs: 600_000, serial: true },
}

const fullTimeoutMs = 2 * 3_600_000
const mayNotSkip = process.env['RUNSTATE_REQUIRE_CLIENTS'] === '1'
const asked = process.argv.slice(2)
const parallel: string[] = []
const serial: string[] = []
let timeoutMs = 0

for (const name of asked.length > 0 ? asked : Object.keys(suites)) {
  const suite = suites[name] ?? { glob: name, timeoutMs: 600_000, serial: false }
  const files = globSync(suite.glob).toSorted()
  if (files.length === 0) console.log(`${name}: no test files (${suite.glob}), none ran`)
  ;(suite.serial ? serial : parallel).push(...files)
  timeoutMs = Math.max(timeoutMs, suite.timeoutMs)
}
if (process.env['RUNSTATE_TEST_SCALE'] === 'full') timeoutMs = fullTimeoutMs

const totals = { passed: 0, failed: 0, skipped: [] as string[] }

async function runFiles(files: readonly string[], concurrency: number): Promise<void> {
  if (files.length === 0) return
  const stream = run({
    files: [...files],
    concurrency,
    timeout: timeoutMs,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return
    if (event.skip === undefined && event.todo === undefined) totals.passed += 1
    else totals.skipped.push(`${event.file ?? ''}: ${event.name}`)
  })
  stream.on('test:fail', () => (totals.failed += 1))
  const report = stream.compose(spec)
  for await (const text of report) process.stdout.write(String(text))
}

await runFiles(parallel, availableParallelism())
await runFiles(serial, 1)

if (totals.skipped.length > 0) {
  console.log(`\nskipped (${totals.skipped.length})${mayNotSkip ? ', and nothing may be' : ''}:`)
  for (const name of totals.skipped) console.log(`  ${name}`)
}
const fileCount = parallel.length + serial.length
const isEmpty = fileCount > 0 && totals.passed === 0
if (isEmpty) console.log('no test passed: this run proves nothing')
if (totals.failed > 0 || isEmpty || (mayNotSkip && totals.skipped.length > 0)) process.exitCode = 1
