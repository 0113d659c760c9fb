/**
 * The whole plane on a temporary data folder, restarted when a source file changes, with readable logs.
 *
 * The folder and what runs in it are gone afterwards: nothing that is tried here touches a real fleet. Settings from the
 * environment still win, so `RUNSTATE_DATA=./mine npm run dev` keeps its data.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pretty from 'pino-pretty'

const kept = process.env['RUNSTATE_DATA']
const data = kept ?? mkdtempSync(join(tmpdir(), 'runstate-dev-'))
const entry = ['--disable-warning=ExperimentalWarning', 'src/app/main.mjs']
const env = { ...process.env, RUNSTATE_DATA: data }

/** Things outlive their server; those of a folder that nobody will open again must not. */
function endAll(): void {
  spawnSync(process.execPath, [...entry, '--stop-all'], { env, stdio: 'ignore' })
  rmSync(data, { recursive: true, force: true })
}

const child = spawn(
  process.execPath,
  ['--watch', '--watch-preserve-output', ...entry, ...process.argv.slice(2)],
  { env, stdio: ['inherit', 'pipe', 'pipe'] },
)

// Lines that are not JSON (the ready line, the credentials) pass through as they are.
child.stdout.pipe(pretty({ sync: true }))
child.stderr.pipe(pretty({ sync: true, destination: 2 }))

// From a terminal Ctrl-C reaches the child by itself.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code) => {
  if (kept === undefined) endAll()
  process.exitCode = code ?? 0
})
