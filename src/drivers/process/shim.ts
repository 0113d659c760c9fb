// Puts the supervising shell's script in place, and says how it is called.

import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from './host.ts'

export const shell = '/bin/sh'

const script = readFileSync(new URL('./shim.sh', import.meta.url), 'utf8')

/** A shell reads its script while it runs it, so each run has a copy that no upgrade of ours changes. */
export async function placeShim(control: string, fence: number, host: Host): Promise<void> {
  const text = script.replace(': # SINCE', () => host.shellSince)
  await writeFile(shimOf(control, fence), text, { mode: 0o600 })
}

export const shimOf = (control: string, fence: number): string => join(control, `shim.${fence}`)

/** What the shell is told: which run it leads, by which later act it is overtaken, and what to run. */
export const shimArguments = (
  run: {
    readonly control: string
    readonly fence: number
    readonly boot: string
    readonly id: string
  },
  command: readonly string[],
): readonly string[] => [
  shimOf(run.control, run.fence),
  'lead',
  String(run.fence),
  String(run.fence + 1),
  run.boot,
  run.id,
  ...command,
]
