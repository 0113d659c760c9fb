// Speaks to the native door. Each change carries a fresh key, so that one whose answer was lost can
// be sent again without being done twice.

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { PageShown, ProblemShown } from '#doors/native/wire.ts'
import type { Connection } from './connection.ts'
import { done, failed, type Failure, type Outcome } from './outcome.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Sending {
  readonly body?: object
  readonly query?: Query
  readonly dryRun?: boolean
  /** Seconds for which the server shall wait for the end of what is asked. */
  readonly waitS?: number
  readonly signal?: AbortSignal
}

const triesMax = 3
const patienceMs = 30_000
const retryMs = 300
const retryMsMax = 5_000

export class Client {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get<T>(path: string, sending: Sending = {}): Promise<Outcome<T>> {
    return this.#ask<T>('GET', path, sending)
  }

  /** A change: one key for all tries of it. */
  change<T>(
    method: Exclude<Method, 'GET'>,
    path: string,
    sending: Sending = {},
  ): Promise<Outcome<T>> {
    return this.#ask<T>(method, path, sending, { 'idempotency-key': randomUUID() })
  }

  /** Every row of a list, page after page, until there are `limit`. */
  async list<T>(
    path: string,
    query: Query,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<Outcome<readonly T[]>> {
    const items: T[] = []
    let cursor: string | undefined
    do {
      const left = limit - items.length
      const size = String(Math.min(left, 500))
      const page = await this.get<PageShown<T>>(path, { query: { ...query, limit: size, cursor } })
      if (!page.ok) return page
      items.push(...page.value.items)
      cursor = page.value.nextCursor ?? undefined
    } while (cursor !== undefined && items.length < limit)
    return done(items)
  }

  /** The answer as it comes, for streams. */
  async open(path: string, query: Query, signal: AbortSignal): Promise<Outcome<Response>> {
    try {
      const response = await fetch(this.#address(path, query), {
        headers: this.#headers(),
        signal,
      })
      return response.ok ? done(response) : failed(await this.#refusal(response))
    } catch (thrown) {
      return failed(this.#unreachable(thrown))
    }
  }

  async #ask<T>(
    method: Method,
    path: string,
    sending: Sending,
    extra: Record<string, string> = {},
  ): Promise<Outcome<T>> {
    for (let tries = 1; ; tries++) {
      const asked = await this.#once<T>(method, path, sending, extra)
      if (asked.ok || tries === triesMax || !mayPass(asked.failure) || sending.signal?.aborted)
        return asked
      await setTimeout(Math.min(retryMsMax, asked.retryAfterMs ?? retryMs * tries))
    }
  }

  async #once<T>(
    method: Method,
    path: string,
    { body, query = {}, dryRun, waitS, signal }: Sending,
    extra: Record<string, string>,
  ): Promise<Outcome<T> & { readonly retryAfterMs?: number }> {
    const patience = AbortSignal.timeout(patienceMs + (waitS ?? 0) * 1000)
    try {
      const response = await fetch(this.#address(path, query), {
        method,
        headers: {
          ...this.#headers(),
          ...extra,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(dryRun ? { 'x-dry-run': 'true' } : {}),
          ...(waitS === undefined ? {} : { prefer: `wait=${waitS}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([patience, signal]) : patience,
      })
      if (response.ok && isOurs(response)) return done((await response.json()) as T) // the door's schemas say what each path answers
      const retryAfter = Number(response.headers.get('retry-after'))
      return {
        ...failed(await this.#refusal(response)),
        ...(retryAfter > 0 ? { retryAfterMs: retryAfter * 1000 } : {}),
      }
    } catch (thrown) {
      return failed(this.#unreachable(thrown))
    }
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#connection.token}`, accept: 'application/json' }
  }

  #address(path: string, query: Query): string {
    const url = new URL(`${this.#connection.url}/api/v1${path}`)
    for (const [name, value] of Object.entries({ ...query, project: this.#connection.project }))
      for (const one of value === undefined ? [] : [value].flat())
        url.searchParams.append(name, one)
    return url.href
  }

  async #refusal(response: Response): Promise<Failure> {
    const { url } = this.#connection
    const type = response.headers.get('content-type') ?? ''
    if (!type.startsWith('application/problem+json'))
      return { is: 'foreign', url, status: response.status }
    return { is: 'problem', problem: (await response.json()) as ProblemShown } // only our own door says problem+json here
  }

  #unreachable(thrown: unknown): Failure {
    const { cause } = thrown instanceof Error ? thrown : { cause: undefined }
    const inner: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
    const why =
      inner instanceof Error && 'code' in inner
        ? String(inner.code)
        : thrown instanceof Error
          ? thrown.name === 'TimeoutError'
            ? 'no answer in time'
            : thrown.message
          : String(thrown)
    return { is: 'unreachable', url: this.#connection.url, why }
  }
}

const isOurs = (response: Response): boolean =>
  (response.headers.get('content-type') ?? '').startsWith('application/json')

const passing: readonly ProblemShown['code'][] = [
  'Overloaded',
  'StoreUnavailable',
  'TokenInProcess',
]
/**
 * What a connection that broke in the middle leaves open is asked again; one that was never made is
 * not.
 */
const broken: readonly string[] = ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE']

const mayPass = (failure: Failure): boolean =>
  (failure.is === 'problem' && passing.includes(failure.problem.code)) ||
  (failure.is === 'unreachable' && broken.includes(failure.why))
