// What was measured, as a table with a small chart.

import type { Figures } from './load.ts'
import type { Pushed } from './push.ts'

export interface Measured {
  readonly what: string
  readonly owe: number | null
  readonly perSecond: number
  readonly barePerSecond: number
  /** Medians over rounds of the ratio within one round. */
  readonly ratio: number
  readonly ratioMin: number
  readonly ratioMax: number
  /** Ours at half of what it carried. */
  readonly half: Figures
  readonly refused: number
}

export interface Results {
  readonly machine: string
  readonly connections: number
  readonly rounds: number
  readonly size: {
    readonly firstStartMs: number
    readonly startMs: number
    readonly withFileMs: number
    readonly idleMiB: number
  }
  readonly rows: readonly Measured[]
  readonly push: Pushed | undefined
}

const chartWidth = 20
const whole = (value: number): string => value.toFixed(0)
const fine = (value: number): string => value.toFixed(2)
const tenth = (value: number): string => value.toFixed(1)

/** One block for each twentieth of the bare server's speed. */
const bar = (ratio: number): string =>
  '█'.repeat(Math.min(chartWidth, Math.max(1, Math.round(ratio * chartWidth))))

export function table(rows: readonly Measured[]): readonly string[] {
  return [
    '| what | ours, per second | bare `node:http` | ratio (least to most) | owed | at half: p50 ms | p99 ms | p99.9 ms | refused | |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|---|',
    ...rows.map(
      (row) =>
        `| ${row.what} | ${whole(row.perSecond)} | ${whole(row.barePerSecond)} | ${fine(row.ratio)} (${fine(row.ratioMin)} to ${fine(row.ratioMax)}) | ${row.owe ?? '–'} | ${tenth(row.half.p50Ms)} | ${tenth(row.half.p99Ms)} | ${tenth(row.half.p999Ms)} | ${row.refused} | ${bar(row.ratio)} |`,
    ),
  ]
}

export function markdown({ machine, connections, rounds, size, rows, push }: Results): string {
  return [
    `${machine}; ${connections} connections, medians of ${rounds} rounds, load generator on the same machine.`,
    '',
    ...table(rows),
    '',
    `Start to ready line: ${whole(size.startMs)} ms, with a settings file ${whole(size.withFileMs)} ms (first start, which makes the folder: ${whole(size.firstStartMs)} ms). Resident when idle: ${whole(size.idleMiB)} MiB.`,
    ...(push
      ? [
          '',
          `One change of a provider to ${push.watchers} watchers, request sent to last frame heard: p50 ${tenth(push.p50Ms)} ms, p90 ${tenth(push.p90Ms)} ms, most ${tenth(push.maxMs)} ms (${push.changes} changes); server CPU for each ${tenth(push.cpuMs)} ms.`,
        ]
      : []),
  ].join('\n')
}
