// Options that several commands share. They belong to each command, so that they may stand anywhere
// behind it.

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { DeskOptions } from './desk.ts'
import { outputs } from './print.ts'

export const rungs = ['drain', 'soft', 'hard'] as const

export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how to print').choices(outputs).default('table')

export const connected = (command: Command): Command =>
  command
    .addOption(outputOption())
    .option('--url <address>', 'the server (RUNSTATE_URL)')
    .option('--token <text>', 'bearer token (RUNSTATE_TOKEN)')
    .option('--project <id or name>', 'act in another project; admins only')

export interface ChangeOptions extends DeskOptions {
  readonly wait: boolean
  readonly timeout: number
  readonly dryRun?: true
  readonly why?: string
}

export const changing = (command: Command): Command =>
  connected(command)
    .option('--wait', 'wait for the end', true)
    .option('--no-wait', 'return once it is accepted')
    .addOption(
      new Option('--timeout <time>', 'how long to wait, such as 90s or 5m')
        .argParser(millisecondsOf)
        .default(300_000, '5m'),
    )
    .option('--dry-run', 'check everything, change nothing, show what would come of it')
    .option('--why <text>', 'kept in the history')

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90`, `90s`, `5m`, `500ms`, `2h`, `1d`; a bare number is in seconds. */
export function millisecondsOf(text: string): number {
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (digits === undefined) throw new InvalidArgumentError('Say a time such as 90s, 5m or 500ms.')
  return Math.round(Number(digits) * unitsMs[unit as keyof typeof unitsMs]) // the pattern allows these alone
}

/** The moment that is so far away; as text, which the server reads. */
export function momentIn(text: string): string {
  const moment = new Date(Date.now() + millisecondsOf(text))
  // Behind the year 9999 it is no time that the server can read.
  if (!(moment.getTime() < Date.UTC(10_000))) throw new InvalidArgumentError('That is too long.')
  return moment.toISOString()
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Say a whole number.')
  return Number(text)
}

/** Collects `key=value`, given once or more. */
export function keyValue(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Say key=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

export const repeated = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

export function jsonObject(text: string): object {
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError('Say a JSON object.')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Answered by the caller: not an object.
    return undefined
  }
}
