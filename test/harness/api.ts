// Calls of APIs whose paths begin with a project, through real sockets, as one user or another.

import type { World } from './world.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
  readonly text: string
}

export interface Api {
  readonly project: string
  /** `{p}` in the path is the project. A string body is sent as it is. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Reply>
}

export function apiOf(world: Pick<World, 'url'>, token: string, project: string): Api {
  return {
    project,
    async call(method, path, body, headers = {}) {
      const response = await fetch(world.url + path.replace('{p}', project), {
        method,
        headers: {
          ...(token === '' ? {} : { 'x-auth-token': token }),
          'content-type': 'application/json',
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, body: parsed(text) }
    },
  }
}

/** Not every answer is JSON; those that are not are read as text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The administrator that the first start made. */
export const adminApi = (world: World): Api =>
  apiOf(world, world.credentials['RUNSTATE_TOKEN'] ?? '', world.credentials['OS_PROJECT_ID'] ?? '')

/** Logs in as a user that runstate.yaml declares. */
export async function userApi(
  world: Pick<World, 'url'>,
  { user, password, project }: { user: string; password: string; project: string },
): Promise<Api> {
  const domain = { id: 'default' }
  const identity = { methods: ['password'], password: { user: { name: user, domain, password } } }
  const scope = { project: { name: project, domain } }
  const response = await fetch(`${world.url}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, scope } }),
  })
  const token = response.headers.get('x-subject-token')
  if (token === null) throw new Error(`no token for ${user}: ${response.status}`)
  return apiOf(world, token, String(at(await response.json(), 'token', 'project', 'id')))
}

/** A value deep in a parsed answer; undefined where the way ends. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Readonly<Record<string | number, unknown>>)[key] // an object; what it lacks is undefined
  }
  return here
}

/** A list deep in a parsed answer; empty where there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const list: unknown = at(value, ...path)
  return Array.isArray(list) ? list : []
}
