/**
 * Runs test suites by name: `node tools/test.ts unit tidy` … `node tools/test.ts clients src/x.test.ts`.
 *
 * A suite is a folder of tests (table below); an argument that is no suite is a file or a glob.
 * - The files of one folder share a process, so that what they import is loaded and warmed once.
 * - A suite without files is named, never silently passed over.
 * - Every skipped test is named at the end; with RUNSTATE_REQUIRE_CLIENTS=1 a skip is a failure.
 * - RUNSTATE_TEST_SCALE=full runs the long tests at full length, and has patience with them.
 * - A run in which no test ran at all is a failure, unless every suite was empty.
 * - A process that something keeps alive after its tests is a failure: what a test began, it ends.
 */
import { fork } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { performance } from 'node:perf_hooks'
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
const lingerMs = 10_000

type Tally = { passed: number; failed: number; skipped: string[] }
type Folder = { readonly name: string; readonly files: string[]; timeoutMs: number }

if (process.send !== undefined) await runHere(Number(process.argv[2]), process.argv.slice(3))
else await runAll(process.argv.slice(2))

/** In a process of its own: runs the files, prints the report, tells the parent the tally. */
async function runHere(timeoutMs: number, files: readonly string[]): Promise<void> {
  const tally: Tally = { passed: 0, failed: 0, skipped: [] }
  const stream = run({ files: [...files], isolation: 'none', timeout: timeoutMs })
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return
    if (event.skip === undefined && event.todo === undefined) tally.passed += 1
    else tally.skipped.push(`${event.file ?? ''}: ${event.name}`)
  })
  stream.on('test:fail', () => (tally.failed += 1))
  let open = 0
  const watch = setTimeout(() => {
    if (open > 0) return
    console.log(
      `something lives on after the last test: ${process.getActiveResourcesInfo().join(' ')}`,
    )
    process.exit(3)
  }, lingerMs).unref()
  stream.on('test:enqueue', () => (open += 1))
  stream.on('test:complete', () => {
    open -= 1
    watch.refresh()
  })
  for await (const text of stream.compose(spec)) process.stdout.write(String(text))
  process.send?.(tally)
  process.disconnect()
}

async function runAll(asked: readonly string[]): Promise<void> {
  const mayNotSkip = process.env['RUNSTATE_REQUIRE_CLIENTS'] === '1'
  const isFull = process.env['RUNSTATE_TEST_SCALE'] === 'full'
  const parallel = new Map<string, Folder>()
  const serial: Folder[] = []
  for (const name of asked.length > 0 ? asked : Object.keys(suites)) {
    const suite = suites[name] ?? { glob: name, timeoutMs: 600_000, serial: false }
    const timeoutMs = isFull ? fullTimeoutMs : suite.timeoutMs
    const files = globSync(suite.glob).toSorted()
    if (files.length === 0) console.log(`${name}: no test files (${suite.glob}), none ran`)
    for (const file of files) {
      if (suite.serial) serial.push({ name: file, files: [file], timeoutMs })
      else folderOf(parallel, file, timeoutMs).files.push(file)
    }
  }

  const total: Tally = { passed: 0, failed: 0, skipped: [] }
  const add = (tally: Tally) => {
    total.passed += tally.passed
    total.failed += tally.failed
    total.skipped.push(...tally.skipped)
  }
  // The fullest first, so that the last ones to end are small.
  const waiting = [...parallel.values()].toSorted((a, b) => b.files.length - a.files.length)
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) add(await runFolder(next))
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  for (const folder of serial) add(await runFolder(folder))

  if (total.skipped.length > 0) {
    console.log(`\nskipped (${total.skipped.length})${mayNotSkip ? ', and nothing may be' : ''}:`)
    for (const name of total.skipped) console.log(`  ${name}`)
  }
  const isEmpty = parallel.size + serial.length > 0 && total.passed === 0
  if (isEmpty) console.log('no test passed: this run proves nothing')
  console.log(`\n${total.passed} passed, ${total.failed} failed in ${seconds(performance.now())}`)
  if (total.failed > 0 || isEmpty || (mayNotSkip && total.skipped.length > 0)) process.exitCode = 1
}

function folderOf(folders: Map<string, Folder>, file: string, timeoutMs: number): Folder {
  const name = dirname(file)
  const folder = folders.get(name) ?? { name, files: [], timeoutMs }
  folder.timeoutMs = Math.max(folder.timeoutMs, timeoutMs)
  folders.set(name, folder)
  return folder
}

/** A process that dies or says nothing of its tests counts as a failure. */
function runFolder({ name, files, timeoutMs }: Folder): Promise<Tally> {
  const startedMs = performance.now()
  const child = fork(import.meta.filename, [String(timeoutMs), ...files], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // What a file was compiled to is kept between processes and runs.
    env: { NODE_COMPILE_CACHE: 'node_modules/.cache/node', ...process.env },
  })
  let said = ''
  child.stdout?.on('data', (text) => (said += String(text)))
  child.stderr?.on('data', (text) => (said += String(text)))
  let told: Tally | undefined
  child.on('message', (message) => (told = message as Tally)) // `runHere` sends nothing else
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      console.log(`== ${name}, ${seconds(performance.now() - startedMs)}\n${said}`)
      const tally = told ?? { passed: 0, failed: 0, skipped: [] }
      const isClean = told !== undefined && (code === 0 || (code === 1 && told.failed > 0))
      const how = told ? 'after its tests' : 'before it told of its tests'
      if (!isClean) console.log(`${name}: its process ended with ${signal ?? code} ${how}`)
      resolve(isClean ? tally : { ...tally, failed: tally.failed + 1 })
    })
  })
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
