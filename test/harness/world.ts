// The whole server in one process, for tests that speak to it through real sockets: every door, a store, both
// drivers, on 127.0.0.1 and any free port, with a data folder of its own.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Store } from '#kernel/ports/store.ts'
import { logger } from '#app/logger.ts'
import { type Server, serve } from '#app/serve.ts'
import { checkFile } from '#app/settings.ts'
import { memoryStore } from '#stores/memory/store.ts'

export interface WorldOptions {
  /** As runstate.yaml would say it. `starter` is off unless asked for. */
  readonly config?: Record<string, unknown>
  /** Default: memory. */
  readonly store?: 'memory' | 'sqlite' | Store
  readonly clock?: Clock
  /** Default: a new one, removed at the end. */
  readonly dataDir?: string
  /** Hears every line of the log, down to the finest. */
  readonly hear?: (line: string) => void
}

/** For a test that writes rows behind the plane's back. */
export const freshStore = (): Store => memoryStore()

export interface World extends Pick<Server, 'url' | 'credentials' | 'identity'> {
  readonly plane: Plane
  readonly dataDir: string
  readonly server: Server
  close(): Promise<void>
}

export async function world(options: WorldOptions = {}): Promise<World> {
  const checked = checkFile({ starter: false, ...options.config }, 'test')
  if (!checked.ok) throw new Error(checked.error)
  const { hear } = options
  const log = hear
    ? logger('trace', { write: hear })
    : logger(process.env['RUNSTATE_LOG'] ?? 'error')
  if (!log.ok) throw new Error(log.error)
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'runstate-test-'))
  const { store = 'memory' } = options
  const file = checked.value
  const settings = {
    host: '127.0.0.1',
    port: 0,
    dataDir,
    starter: file.starter ?? false,
    region: file.region ?? 'RegionOne',
    stopAll: false,
    file,
  }
  const overrides = {
    passwordCost: { blocks: 2 ** 10, r: 8, parallel: 1 },
    ...(store === 'sqlite' ? {} : { store: store === 'memory' ? memoryStore() : store }),
    ...(options.clock ? { clock: options.clock } : {}),
  }
  const server = await serve(settings, log.value, overrides)
  if (!server.ok) throw new Error(server.error)
  return {
    url: server.value.url,
    credentials: server.value.credentials,
    identity: server.value.identity,
    plane: server.value.engine.plane,
    server: server.value,
    dataDir,
    close: async () => {
      await server.value.stopAll()
      await server.value.close()
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Asks until the answer is as wished, or the time is over; never sleeps blindly. */
export async function until<T>(
  ask: () => Promise<T>,
  wished: (value: T) => boolean,
  timeoutMs = 10_000,
): Promise<T> {
  const endMs = Date.now() + timeoutMs
  for (;;) {
    const value = await ask()
    if (wished(value)) return value
    if (Date.now() > endMs)
      throw new Error(`not as wished within ${timeoutMs} ms: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
