// From the command line to a listening server, and back: signals, exit codes, and the lines a person sees.

import { loadChecker } from '#schema/validator.ts'
import { serve, type Server } from './serve.ts'
import { readSettings, type Settings, usage } from './settings.ts'
import { logger } from './logger.ts'

/** How long a stop may take before the process ends anyway; what was acknowledged is on disk by then. */
const stopPatienceMs = 9_000

export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(argv, env)
  if (!settings.ok) return refuse(settings.error)
  if (settings.value === 'help') return void process.stdout.write(`${usage}\n`)
  const log = logger(env['RUNSTATE_LOG'])
  if (!log.ok) return refuse(log.error)
  const server = await serve(settings.value, log.value)
  if (!server.ok) {
    refuse(server.error)
    // What had been opened before the fault may still tick.
    process.exit()
  }
  if (settings.value.stopAll) return stopAll(server.value)
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      void stop(server.value)
    })
  }
  // Last: whoever reads the ready line may send a signal at once.
  process.stdout.write(
    `${welcome(server.value, settings.value)}runstate ready ${server.value.url}\n`,
  )
  loadChecker()
}

function refuse(line: string): void {
  process.stderr.write(`runstate: ${line}\n`)
  process.exitCode = 2
}

async function stop(server: Server): Promise<void> {
  const giveUp = setTimeout(() => {
    process.stderr.write(
      'runstate: some requests did not end in time; what was accepted is on disk and resumes at the next start\n',
    )
    process.exit(0)
  }, stopPatienceMs)
  const left = await server.close()
  clearTimeout(giveUp)
  if (left.length > 0) {
    process.stdout.write(
      `still running, and taken up again at the next start:\n${left.map((line) => `  ${line}`).join('\n')}\nto end them: npm start -- --stop-all\n`,
    )
  }
  process.stdout.write('runstate stopped\n')
  process.exit(0)
}

async function stopAll(server: Server): Promise<void> {
  const endings = await server.stopAll()
  const lines = endings.map(({ line }) => line)
  process.stdout.write(lines.length === 0 ? 'nothing was running\n' : `${lines.join('\n')}\n`)
  await server.close()
  process.exit(endings.every(({ isDown }) => isDown) ? 0 : 1)
}

function welcome(server: Server, settings: Settings): string {
  const { fresh, credentialsFile, sample } = server
  if (!fresh) return ''
  return [
    `data         ${settings.dataDir}`,
    `credentials  ${credentialsFile}   (set -a; . ${credentialsFile}; set +a)`,
    '',
    'One line per door, ready to paste:',
    ...sample.map(([door, line]) => `  ${door.padEnd(20)} ${line}`),
    '',
    '',
  ].join('\n')
}
