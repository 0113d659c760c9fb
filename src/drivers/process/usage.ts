// What a thing uses now: all processes that run in its name, looked at twice a moment apart.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Usage } from '#kernel/ports/driver.ts'
import type { Identity } from './handle.ts'
import type { Host } from './host.ts'
import { leftovers } from './signals.ts'

const betweenMs = 200
const bytesPerMiB = 1_048_576

/** Null when nothing runs, or when this system does not tell. */
export async function usageOf(id: string, host: Host, signal: AbortSignal): Promise<Usage | null> {
  const all = await leftovers(id, host)
  const before = sum(all, host)
  if (before === null) return null
  const beganAtMs = performance.now()
  await sleep(betweenMs, undefined, { signal }).catch(() => undefined) // Called off: what was seen so far is told.
  const after = sum(all, host)
  if (after === null) return null
  const tookMs = Math.max(1, performance.now() - beganAtMs)
  // One that ended in between takes its time with it.
  const cpuMs = Math.max(0, after.cpuMs - before.cpuMs)
  return {
    cpuCores: Math.round((100 * cpuMs) / tookMs) / 100,
    memoryMiB: Math.ceil(after.bytes / bytesPerMiB),
    gpus: 0,
  }
}

function sum(
  all: readonly Identity[],
  host: Host,
): { readonly cpuMs: number; readonly bytes: number } | null {
  const seen = all.map((one) => host.used(one)).filter((one) => one !== null)
  if (seen.length === 0) return null
  return {
    cpuMs: seen.reduce((total, { cpuMs }) => total + cpuMs, 0),
    bytes: seen.reduce((total, { bytes }) => total + bytes, 0),
  }
}
