// Which server, and in whose name: flag, then environment, then the credentials that a server on
// this machine wrote. A token from that file is sent to that file's server alone.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { done, type Outcome, usage } from './outcome.ts'

export interface Connection {
  /** Without a slash at the end. */
  readonly url: string
  readonly token: string
  /** Another project to act in; admins only. */
  readonly project: string | undefined
}

export interface ConnectionOptions {
  readonly url?: string | undefined
  readonly token?: string | undefined
  readonly project?: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

export const dataFolder = (env: Environment): string => env['RUNSTATE_DATA'] ?? '.runstate'

export function connectionOf(options: ConnectionOptions, env: Environment): Outcome<Connection> {
  const file = readCredentials(dataFolder(env))
  if (!file.ok) return file
  const kept = file.value
  const wanted =
    options.url ?? env['RUNSTATE_URL'] ?? kept['RUNSTATE_URL'] ?? 'http://127.0.0.1:7070'
  if (!URL.canParse(wanted) || !/^https?:/.test(wanted))
    return usage(`${wanted} is not the address of a server`)
  const { username, password } = new URL(wanted)
  if (username !== '' || password !== '')
    return usage('the address of a server holds no user and no password: give --token')
  const url = wanted.replace(/\/+$/, '')
  const own = url === kept['RUNSTATE_URL'] ? kept['RUNSTATE_TOKEN'] : undefined
  const token = options.token ?? env['RUNSTATE_TOKEN'] ?? own
  if (token === undefined)
    return usage(
      `no token for ${url}: give --token or RUNSTATE_TOKEN, or run where ${join(dataFolder(env), 'credentials.env')} is`,
    )
  // Not shown: it is meant to be a secret.
  if (!/^[\x21-\x7e]+$/.test(token))
    return usage('the token holds a character that no token has: was it broken over two lines?')
  return done({ url, token, project: options.project })
}

/** `KEY=value` lines; none when no server ever started here. */
export function readCredentials(folder: string): Outcome<Readonly<Record<string, string>>> {
  const path = join(folder, 'credentials.env')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unreadable'
    return code === 'ENOENT' ? done({}) : usage(`cannot read ${path} (${code})`)
  }
  const lines = text.split('\n').filter((line) => /^[A-Z][A-Z0-9_]*=/.test(line))
  return done(
    Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
  )
}
