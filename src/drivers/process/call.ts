// Asks a thing something from outside: whether it is ready, or to drain. Never later than its deadline.

import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { messageOf } from '../shared/world.ts'
import type { Call } from './config.ts'
import { endGroup } from './signals.ts'

/** Null: it answered as it should; else what was wrong, for a person. */
export type Answer = string | null

export interface Place {
  readonly address: string
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export async function ask(call: Call, place: Place): Promise<Answer> {
  const late = AbortSignal.timeout(call.timeoutMs)
  const signal = AbortSignal.any([place.signal, late])
  const answer = await askBy(call, { ...place, signal })
  if (answer === null || !signal.aborted) return answer
  return late.aborted ? `no answer within ${call.timeoutMs} ms` : 'called off'
}

function askBy(call: Call, place: Place): Promise<Answer> {
  if (place.signal.aborted) return Promise.resolve('called off')
  if (call.kind === 'tcp') return askTcp(call.port, place)
  if (call.kind === 'http') return askHttp(call, place)
  return askExec(call.command, place)
}

function askTcp(port: number, { address, signal }: Place): Promise<Answer> {
  return new Promise((done) => {
    const socket = connect({ host: address, port, signal })
    socket.once('connect', () => {
      socket.destroy()
      done(null)
    })
    socket.once('error', (error) => done(error.message))
  })
}

function askHttp(call: Extract<Call, { kind: 'http' }>, { signal }: Place): Promise<Answer> {
  // Not imported: an import of one of their names makes Node load all they have, an HTTP client of 5 MiB among it.
  const { request } = process.getBuiltinModule(
    call.url.startsWith('https:') ? 'node:https' : 'node:http',
  )
  return new Promise((done) => {
    let sent: ReturnType<typeof request>
    try {
      // No agent: a connection kept open would hold up a server that closes gracefully.
      sent = request(call.url, { method: call.method, agent: false, signal }, (response) => {
        const { statusCode = 0 } = response
        response.destroy()
        done(statusCode >= 200 && statusCode < 400 ? null : `it answered ${statusCode}`)
      })
    } catch (thrown) {
      // A URL that is none after filling in.
      done(messageOf(thrown))
      return
    }
    sent.once('error', (error) => done(error.message))
    // One that answers with another protocol (101) is cut off, which is no error to Node.
    sent.once('close', () => done('the connection ended without an answer'))
    sent.end()
  })
}

function askExec(command: readonly string[], place: Place): Promise<Answer> {
  const [file = '', ...rest] = command
  return new Promise((done) => {
    let child: ChildProcess
    try {
      child = spawn(file, rest, {
        cwd: place.cwd,
        env: place.environment,
        // A group of its own, so that all of it ends at the deadline.
        detached: true,
        stdio: 'ignore',
      })
    } catch (thrown) {
      // Node tells listeners of five of the system's refusals (ENOENT is one), and throws all others.
      done(messageOf(thrown))
      return
    }
    const end = () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        endGroup(child.pid)
      }
    }
    place.signal.addEventListener('abort', end, { once: true })
    child.once('error', (error) => done(error.message))
    child.once('exit', (code, signal) => {
      place.signal.removeEventListener('abort', end)
      done(code === 0 ? null : `${file} ended with ${code === null ? signal : `code ${code}`}`)
    })
  })
}
