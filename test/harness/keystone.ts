// What tests of the identity door know of it: whom they log in as, and what all its answers must be.

import assert from 'node:assert/strict'
import { offers } from '#app/offers.ts'
import { type Heard, hear } from './openstack.ts'

/** In the order of the catalogue. */
export const everyService = Object.values(offers).flat()

export const password = 'a-good-password'
export const domain = { id: 'default' }
export const mary = { name: 'mary', domain, password }

export const needsLogin = 'The request you have made requires authentication.'
/** With which Keystone ends its sentence about a malformed request. */
export const tail =
  ' The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.'

export const byPassword = (user: object = mary) => ({ methods: ['password'], password: { user } })
export const inProject = (name: string) => ({ project: { name, domain } })
export const notAllowed = (action: string): string =>
  `You are not authorized to perform the requested action: identity:${action}.`

export const postAuth = (url: string, auth: unknown, query = ''): Promise<Heard> =>
  hear(`${url}/v3/auth/tokens${query}`, 'POST', { body: { auth } })

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Request Entity Too Large',
}

/** Checks what every refusal must be, and returns it. */
export function refused(heard: Heard, status: number, message: string, base?: string): Heard {
  const said = ['code', 'title', 'message'].map((field) => heard.at(`error.${field}`))
  assert.deepEqual([heard.status, ...said], [status, status, titles[status], message])
  const challenge = heard.headers.get('www-authenticate')
  if (status !== 401) assert.equal(challenge, null)
  else if (base === undefined) assert.match(challenge ?? '', /^Keystone uri="http:.*\/v3"$/)
  else assert.equal(challenge, `Keystone uri="${base}/v3"`)
  dressed(heard)
  return heard
}

/** The headers of every answer. */
export function dressed(heard: Heard): void {
  const id = heard.headers.get('x-openstack-request-id') ?? ''
  assert.match(id, /^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  assert.equal(heard.headers.get('x-request-id'), id.slice(4).replaceAll('-', ''))
  assert.equal(heard.headers.get('vary'), 'X-Auth-Token')
}

/** The names of an object's fields, in order. */
export function fieldsAt(heard: Heard, path: string): readonly string[] {
  const value = heard.at(path)
  assert.ok(typeof value === 'object' && value !== null, `no object at ${path}: ${heard.text}`)
  return Object.keys(value)
}
