// A caller of the compute and identity doors: logs in as somebody and speaks JSON, for tests of those doors.

import { until, type World } from './world.ts'

export interface Heard {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined when there is none. */
  readonly json: unknown
  /** The value at a path such as `server.links.0.href`; undefined where there is none. */
  at(path: string): unknown
  /** The same, and it must be a text. */
  textAt(path: string): string
  /** That field of each member of a list: `each('servers', 'name')`. */
  each(list: string, field: string): readonly unknown[]
}

export interface Said {
  readonly body?: unknown
  /** Sent as it is, in place of `body`. */
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface OpenStackCaller {
  readonly token: string
  readonly projectId: string
  readonly userId: string
  call(method: string, path: string, said?: Said): Promise<Heard>
}

export async function hear(url: string, method: string, said: Said = {}): Promise<Heard> {
  const raw = said.raw ?? (said.body === undefined ? undefined : JSON.stringify(said.body))
  const type = said.body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await fetch(url, {
    method,
    headers: { ...type, ...said.headers },
    redirect: 'manual',
    ...(raw === undefined ? {} : { body: raw }),
  })
  const text = await answer.text()
  const isJson = (answer.headers.get('content-type') ?? '').startsWith('application/json')
  const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
  const at = (path: string) => path.split('.').reduce(memberOf, json)
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json,
    at,
    textAt: (path) => {
      const value = at(path)
      if (typeof value !== 'string') throw new Error(`no text at ${path}: ${answer.status} ${text}`)
      return value
    },
    each: (list, field) => {
      const members = at(list)
      if (!Array.isArray(members)) throw new Error(`no list at ${list}: ${answer.status} ${text}`)
      return members.map((member) => memberOf(member, field))
    },
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name] // any object may be read so
    : undefined

/** @param project  its name; null: a token that acts in none. */
export async function logIn(
  { url }: Pick<World, 'url'>,
  {
    user,
    password,
    project,
  }: { readonly user: string; readonly password: string; readonly project: string | null },
): Promise<OpenStackCaller> {
  const domain = { id: 'default' }
  const scope = project === null ? {} : { scope: { project: { name: project, domain } } }
  const identity = {
    methods: ['password'],
    password: { user: { name: user, domain, password } },
  }
  const heard = await hear(`${url}/identity/v3/auth/tokens`, 'POST', {
    body: { auth: { identity, ...scope } },
  })
  const token = heard.headers.get('x-subject-token')
  if (token === null) throw new Error(`no token for ${user}: ${heard.status} ${heard.text}`)
  return {
    token,
    projectId: project === null ? '' : heard.textAt('token.project.id'),
    userId: heard.textAt('token.user.id'),
    call: (method, path, said = {}) =>
      hear(`${url}${path}`, method, {
        ...said,
        headers: { 'x-auth-token': token, ...said.headers },
      }),
  }
}

const password = 'a-good-password'

/** Two projects and everybody who matters in them: a part of `config.identity`. */
export const twoProjects = {
  projects: [{ name: 'one' }, { name: 'two' }],
  users: [
    { name: 'mary', password, roles: { one: 'member' } },
    { name: 'rita', password, roles: { one: 'reader' } },
    { name: 'ada', password, roles: { one: 'admin' } },
    { name: 'otto', password, roles: { two: 'member' } },
    { name: 'amos', password, roles: { two: 'admin' } },
  ],
}

const home = { mary: 'one', rita: 'one', ada: 'one', otto: 'two', amos: 'two' } as const

/** Logs in somebody of `twoProjects`, in their project. */
export const as = (w: Pick<World, 'url'>, user: keyof typeof home): Promise<OpenStackCaller> =>
  logIn(w, { user, password, project: home[user] })

/** The same without a project. */
export const unscoped = (
  w: Pick<World, 'url'>,
  user: keyof typeof home,
): Promise<OpenStackCaller> => logIn(w, { user, password, project: null })

/** Waits until a server shows this status and nothing is under way. */
export async function settled(caller: OpenStackCaller, id: string, status: string): Promise<Heard> {
  return until(
    () => caller.call('GET', `/compute/v2.1/servers/${id}`),
    (heard) =>
      heard.at('server.status') === status && heard.at('server.OS-EXT-STS:task_state') === null,
  )
}
