// Plays transcripts: a fresh world for each, its turns asked one after the other through a real socket, what is
// different at every run masked by name.

import { checkFile } from '#app/settings.ts'
import { doorNames } from './door-stage.ts'
import { hear, type Heard } from './door-call.ts'
import { GoldenSocket } from './golden-socket.ts'
import { keyFor, signed as signedQuery } from './ecs.ts'
import { type JumpingClock, jumpingClock } from './jumping-clock.ts'
import { Masks } from './masks.ts'
import { nativeApi, tokenOf } from './native-api.ts'
import { signed as signedHeaders } from './signed.ts'
import type { Directive, Transcript, Turn } from './transcript.ts'
import { until, type World, world } from './world.ts'

const password = 'a-password-nobody-guesses'
const users = {
  mary: { one: 'member' },
  rita: { one: 'reader' },
  ada: { one: 'admin' },
  otto: { two: 'member' },
} as const

const kinds = ['server', 'notebook', 'edge-instance']
const instant = { createMs: 0, startMs: 1, stopMs: 1, hardStopMs: 1, captureMs: 1, removeMs: 1 }
const never = 86_400_000
const flavors = [
  { id: 'instant', attributes: instant },
  // What it is asked to do after its creation goes on for ever, so a transcript can look at it meanwhile.
  { id: 'stuck', attributes: { ...instant, stopMs: never, hardStopMs: never, removeMs: never } },
  { id: 'unready', attributes: { ...instant, startMs: never } },
  { id: 'broken', attributes: { ...instant, failAt: ['start'] } },
].map((flavor) => ({
  ...flavor,
  driver: 'simulated',
  kinds,
  graceMs: 3_600_000,
  startMs: 3_600_000,
}))

const config = {
  identity: {
    projects: [{ name: 'one' }, { name: 'two' }],
    users: Object.entries(users).map(([name, roles]) => ({ name, password, roles })),
  },
  catalogue: { flavors },
}

/** Told by every answer, and nothing that a door decides. */
const plumbing = new Set([
  'date',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
])

/** A world that mounts less starts sooner. Only the catalogue of one door tells of the others. */
const othersOff = (door: string): Record<string, object> =>
  door === 'keystone'
    ? {}
    : Object.fromEntries(
        doorNames
          .filter((name) => name !== door && name !== 'native')
          .map((name) => [name, { enabled: false }]),
      )

/** The answers as the file should have them. */
export async function play(transcript: Transcript, door: string): Promise<readonly string[]> {
  const clock = jumpingClock()
  const own = JSON.parse(transcript.facts['config'] ?? '{}') as Record<string, unknown> // checked on the next line
  const doors = { ...othersOff(door), ...(own['doors'] as object | undefined) } // an object, or the check refuses it
  const told = { ...config, ...own, doors }
  const checked = checkFile(told, 'config')
  if (!checked.ok) throw new Error(checked.error)
  const w = await world({ clock, config: told })
  try {
    const stage = await Stage.open(w, clock, transcript.facts['volatile']?.split(' ') ?? [])
    const answers: string[] = []
    try {
      for (const turn of transcript.turns) answers.push(await stage.turn(turn))
    } finally {
      stage.end()
    }
    return answers
  } finally {
    await w.close()
  }
}

type Sign = { readonly scheme: 'query' | 'sdk-hmac'; readonly who: string }

class Stage {
  readonly #w: World
  readonly #clock: JumpingClock
  readonly #masks: Masks
  readonly #keys = new Map<string, { readonly id: string; readonly secret: string }>()
  readonly #sockets = new Map<string, GoldenSocket>()

  private constructor(w: World, clock: JumpingClock, volatile: readonly string[]) {
    this.#w = w
    this.#clock = clock
    this.#masks = new Masks(volatile)
  }

  static async open(w: World, clock: JumpingClock, volatile: readonly string[]): Promise<Stage> {
    const stage = new Stage(w, clock, volatile)
    stage.#masks.know('url', w.url)
    stage.#masks.know('host', new URL(w.url).host)
    stage.#masks.know('password', password)
    stage.#masks.know('admin.token', w.credentials['RUNSTATE_TOKEN'] ?? '')
    for (const [name, roles] of Object.entries(users))
      await stage.#introduce(name, Object.keys(roles)[0] ?? '')
    return stage
  }

  async #introduce(name: string, project: string): Promise<void> {
    const token = await tokenOf(this.#w, { user: name, password, project })
    const known = await this.#w.identity.byToken(token)
    if (!known.ok) throw new Error(`${name} is unknown`)
    const keys = await keyFor(this.#w, name, project)
    this.#keys.set(name, { id: keys.accessKeyId, secret: keys.secretKey })
    this.#masks.know(`${name}.token`, token)
    this.#masks.know(`${name}.id`, known.value.caller.userId)
    this.#masks.know(`${name}.key`, keys.accessKeyId)
    this.#masks.know(project, known.value.caller.projectId ?? '')
  }

  async turn(turn: Turn): Promise<string> {
    let sign: Sign | undefined
    let awaited: string | undefined
    let kept: string | undefined
    const listened: string[] = []
    for (const directive of turn.directives) {
      if (directive.name === 'sign') sign = signOf(directive)
      else if (directive.name === 'until') awaited = directive.rest
      else if (directive.name === 'socket') kept = directive.rest
      else if (directive.name === 'hears') listened.push(directive.rest)
      else if (directive.name === 'operation') continue
      else await this.#prepare(directive)
    }
    const ask = (): Promise<string> =>
      kept === undefined ? this.#ask(turn, sign) : this.#upgrade(turn, kept)
    const wished = awaited
    const answer =
      wished === undefined ? await ask() : await until(ask, (heard) => heard.includes(wished))
    // Masked once it has come: what was heard on the way would take numbers that depend on how often it was asked.
    return [this.#masks.mask(answer), ...(await this.#heardBy(listened))].join('\n')
  }

  async #upgrade(turn: Turn, name: string): Promise<string> {
    const target = this.#masks.expand(turn.target)
    const headers = this.#headersOf(turn)
    const { socket, answer } = await GoldenSocket.open(this.#w.url, { target, headers })
    this.#sockets.set(name, socket)
    return shown(answer)
  }

  /** @param listened  `NAME COUNT`: so many frames more are awaited. */
  async #heardBy(listened: readonly string[]): Promise<readonly string[]> {
    const lines = []
    for (const one of listened) {
      const [name = '', count = '1'] = one.split(' ')
      const socket = this.#sockets.get(name)
      if (!socket) throw new Error(`no socket is called ${name}`)
      await until(
        async () => socket.untold,
        (untold) => untold >= Number(count),
      )
      lines.push('', ...socket.tell(name, Number(count)).map((line) => this.#masks.mask(line)))
    }
    return lines
  }

  end(): void {
    for (const socket of this.#sockets.values()) socket.end()
  }

  #headersOf({ headers }: Turn): Record<string, string> {
    return Object.fromEntries(headers.map(([name, value]) => [name, this.#masks.expand(value)]))
  }

  async #prepare({ name, rest }: Directive): Promise<void> {
    if (name === 'rest') return await this.#rest()
    if (name === 'jump') return void this.#clock.jump(Number(rest))
    if (name !== 'given') throw new Error(`no such directive: @${name}`)
    const [, as = '', who = '', method = '', path = '', body = '{}'] =
      /^(\S+) (\S+) ([A-Z]+) (\S+) ?(.*)$/.exec(rest) ?? []
    const token = this.#masks.expand(`{{${who}.token}}`)
    const sent = this.#masks.expand(body)
    const made = await nativeApi(this.#w, token).call(method, this.#masks.expand(path), {
      body: sent,
    })
    if (made.status >= 300) throw new Error(`@${name} ${rest}: ${JSON.stringify(made.body)}`)
    if (as !== '-')
      await this.#remember(
        as,
        made.body as { instances?: readonly string[]; service?: string | null },
      ) // a receipt of our own door, held against its schema by the client
  }

  async #remember(
    as: string,
    { instances = [], service }: { instances?: readonly string[]; service?: string | null },
  ): Promise<void> {
    if (typeof service === 'string') this.#masks.know(`${as}.service`, service)
    const [first] = instances
    const row = first === undefined ? undefined : await this.#w.plane.read.get('instances', first)
    if (!row) return
    this.#masks.know(as, row.id)
    for (const [scheme, alias] of Object.entries(row.aliases))
      if (alias !== row.id) this.#masks.know(`${as}.${scheme}`, alias)
  }

  async #rest(): Promise<void> {
    const running = { where: { state: 'running' } } as const
    await until(
      () => this.#w.plane.read.list('operations', { ...running, limit: 10 }),
      (left) => left.length === 0,
    )
  }

  async #ask(turn: Turn, sign: Sign | undefined): Promise<string> {
    const { method } = turn
    const target = this.#masks.expand(turn.target)
    const body = turn.body === undefined ? undefined : this.#masks.expand(turn.body)
    const plain = this.#headersOf(turn)
    const sent = body === undefined ? {} : { body }
    const asked = { method, target, headers: plain, ...sent }
    const heard = await hear(this.#w.url, sign ? this.#signed(asked, sign) : asked)
    return shown(heard)
  }

  #signed(
    asked: { method: string; target: string; headers: Record<string, string>; body?: string },
    { scheme, who }: Sign,
  ): { method: string; target: string; headers: Record<string, string>; body?: string } {
    const key = this.#keys.get(who)
    if (!key) throw new Error(`nobody is called ${who}`)
    const nowMs = this.#clock.nowMs()
    if (scheme === 'sdk-hmac') {
      const { method, target: path, headers, body } = asked
      const wanted = { method, path, nowMs, ...(body === undefined ? {} : { body }) }
      return { ...asked, headers: { ...headers, ...signedHeaders(this.#w.url, key, wanted) } }
    }
    const {
      Action = '',
      Version: version = '',
      ...query
    } = Object.fromEntries(new URL(asked.target, this.#w.url).searchParams)
    const { headers } = signedQuery({ accessKeyId: key.id, secretKey: key.secret }, Action, query, {
      method: asked.method,
      version,
      date: new Date(nowMs),
      ...(asked.body === undefined ? {} : { body: asked.body }),
    })
    return { ...asked, headers: { ...asked.headers, ...headers } }
  }
}

function signOf({ rest }: Directive): Sign {
  const [scheme = '', who = ''] = rest.split(' ')
  if (scheme !== 'query' && scheme !== 'sdk-hmac')
    throw new Error(`no such signature: @sign ${rest}`)
  return { scheme, who }
}

function shown({
  status,
  reason,
  rawHeaders,
  text,
}: Pick<Heard, 'status' | 'reason' | 'rawHeaders' | 'text'>): string {
  const lines = [`HTTP/1.1 ${status} ${reason}`]
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (!plumbing.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  return text === '' ? lines.join('\n') : `${lines.join('\n')}\n\n${laidOut(text)}`
}

/** JSON that is compact on the wire is laid out for the reader; anything else stands as it came. */
function laidOut(text: string): string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not every answer is JSON; it is compared as it is.
    return text.trimEnd()
  }
  return JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text.trimEnd()
}
