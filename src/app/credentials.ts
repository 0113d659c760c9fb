// `credentials.env`: what the owner needs to reach every door, for a shell and for tools. Secrets are written
// once, synced, before what they open is stored; addresses are brought up to date at every start.

import { readFileSync, renameSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

export type Credentials = Readonly<Record<string, string>>

export const credentialsFile = (dataDir: string): string => join(dataDir, 'credentials.env')

export function readCredentials(dataDir: string): Credentials {
  let text: string
  try {
    text = readFileSync(credentialsFile(dataDir), 'utf8')
  } catch (thrown) {
    // Nothing was written yet, or its owner took it away: both are "none".
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return {}
    throw thrown
  }
  return Object.fromEntries(
    text
      .split('\n')
      .flatMap((line) =>
        line.includes('=') && !line.startsWith('#')
          ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]]
          : [],
      ),
  )
}

/** Keeps what is there already; whole or not at all, mode 0600. */
export async function writeCredentials(dataDir: string, lines: Credentials): Promise<void> {
  const merged = { ...readCredentials(dataDir), ...lines }
  const file = credentialsFile(dataDir)
  const fresh = `${file}.new`
  await synced(fresh, 'w', (handle) =>
    handle.writeFile(
      Object.entries(merged)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    ),
  )
  renameSync(fresh, file)
  await synced(dataDir, 'r', async () => undefined)
}

async function synced(
  path: string,
  mode: 'w' | 'r',
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(path, mode, 0o600)
  try {
    await write(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Where a door listens: on the port that it has alone, or on the one that all others share. */
export type UrlOf = (door: string) => string

/** Where each door is reached. */
export function addresses(reached: {
  readonly urlOf: UrlOf
  readonly region: string
  readonly ecsRegion: string
}): Credentials {
  const { urlOf, region, ecsRegion } = reached
  return {
    RUNSTATE_URL: urlOf('native'),
    OS_AUTH_URL: `${urlOf('keystone')}/identity/v3`,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: region,
    OS_IDENTITY_API_VERSION: '3',
    VOLCENGINE_REGION: ecsRegion,
    VOLCENGINE_ENDPOINT: urlOf('volcengine').replace(/^https?:\/\//, ''),
    CSE_REGISTRY_ADDRESS: urlOf('servicecomb'),
  }
}
