// What really runs on this machine, asked of /proc and of nothing that runstate says. Linux only.

import { readdirSync, readFileSync } from 'node:fs'

interface Proc {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly isZombie: boolean
  readonly command: string
  readonly environment: readonly string[]
}

/** Processes come and go while they are listed; those of others keep their environment. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export function processes(): readonly Proc[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`)
      if (stat === '') return []
      const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return [
        {
          pid: Number(name),
          parent: Number(parent),
          group: Number(group),
          isZombie: state === 'Z',
          command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim(),
          environment: read(`/proc/${name}/environ`).split('\0'),
        },
      ]
    })
}

/** Live processes in an instance's name. */
export const inNameOf = (instanceId: string): readonly Proc[] =>
  processes().filter(
    ({ isZombie, environment }) =>
      !isZombie && environment.includes(`RUNSTATE_INSTANCE_ID=${instanceId}`),
  )

/** Live processes that have this text in their command line or environment. */
export const mentioning = (text: string): readonly Proc[] =>
  processes().filter(
    ({ pid, isZombie, command, environment }) =>
      pid !== process.pid &&
      !isZombie &&
      (command.includes(text) || environment.some((entry) => entry.includes(text))),
  )

/** Children of this process that ended and were never waited for. */
export const zombies = (): readonly Proc[] =>
  processes().filter(({ parent, isZombie }) => parent === process.pid && isZombie)

export const isRunning = (pid: number): boolean =>
  processes().some((one) => one.pid === pid && !one.isZombie)
