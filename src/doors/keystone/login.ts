// Decodes what is posted to /v3/auth/tokens: by which methods somebody wants to be known, and in which scope.
//
// Source: contracts/identity.md sections 4.1 and 4.3, and 7 for what the cloud's own service takes besides: a
// project named without its domain, a project beside a domain.

import { err, ok } from '#kernel/errors.ts'
import type { DomainRef, UserName } from '#kernel/ports/identity.ts'
import {
  badScope,
  credentialWithScope,
  expecting,
  invalidInput,
  unauthorized,
  unsupportedMethod,
} from './faults.ts'
import {
  type Decoded,
  type JsonFields,
  type Place,
  neededObject,
  objectAt,
  textAt,
  valueAt,
} from './json-body.ts'

export const methods = ['password', 'token', 'application_credential'] as const
export type Method = (typeof methods)[number]

export type WantedScope =
  /** Nothing said: the user's default project, else none. */
  | { readonly kind: 'default' }
  | { readonly kind: 'none' }
  | { readonly kind: 'project'; readonly id: string }
  /** Domain null: the user's own. */
  | { readonly kind: 'project-name'; readonly name: string; readonly domain: DomainRef | null }
  | { readonly kind: 'domain'; readonly domain: DomainRef }
  | { readonly kind: 'system' }

export type Proof =
  | { readonly method: 'password'; readonly user: UserName; readonly password: string }
  | { readonly method: 'token'; readonly text: string }
  | {
      readonly method: 'application_credential'
      readonly credential:
        | { readonly id: string }
        | { readonly name: string; readonly user: UserName }
      readonly secret: string
    }

interface Login {
  /** At least one; each method once. */
  readonly proofs: readonly Proof[]
  readonly scope: WantedScope
}

export function decodeLogin(body: JsonFields): Decoded<Login> {
  const root: Place = { fields: body, path: '', name: 'request body' }
  if (valueAt(root, 'auth') === undefined) return err(expecting('auth', 'request body'))
  const found = neededObject(root, 'auth')
  if (!found.ok) return found
  // Keystone's own schema begins inside `auth`; its refusals name paths from there.
  const auth: Place = { ...found.value, path: '' }
  const identity = neededObject(auth, 'identity')
  if (!identity.ok) return identity
  const named = decodeMethods(identity.value)
  if (!named.ok) return named
  const scope = decodeScope(auth)
  if (!scope.ok) return scope
  if (named.value.includes('application_credential') && valueAt(auth, 'scope') !== undefined)
    return err(credentialWithScope)
  const proofs: Proof[] = []
  for (const method of named.value) {
    const place = neededObject(identity.value, method)
    if (!place.ok) return place
    const proof = decoders[method](place.value)
    if (!proof.ok) return proof
    proofs.push(proof.value)
  }
  return ok({ proofs, scope: scope.value })
}

function decodeMethods(identity: Place): Decoded<readonly Method[]> {
  const value = valueAt(identity, 'methods')
  if (value === undefined) return err(expecting('methods', 'identity'))
  if (!Array.isArray(value))
    return err(invalidInput('identity/methods', "it is not of type 'array'"))
  const names: readonly unknown[] = value
  const found = new Set<Method>()
  for (const name of names) {
    if (typeof name !== 'string')
      return err(invalidInput('identity/methods', "an item is not of type 'string'"))
    const method = methods.find((one) => one === name)
    if (method === undefined) return err(unsupportedMethod(methods))
    found.add(method)
  }
  return found.size === 0 ? err(unauthorized) : ok([...found])
}

const decoders = {
  password(place: Place): Decoded<Proof> {
    const user = neededObject(place, 'user')
    if (!user.ok) return user
    const name = decodeUser(user.value)
    if (!name.ok) return name
    const password = textAt(user.value, 'password')
    if (!password.ok) return password
    if (password.value === undefined) return err(unauthorized)
    return ok({ method: 'password', user: name.value, password: password.value })
  },
  token(place: Place): Decoded<Proof> {
    const text = textAt(place, 'id')
    if (!text.ok) return text
    return text.value === undefined
      ? err(expecting('id', 'token'))
      : ok({ method: 'token', text: text.value })
  },
  application_credential(place: Place): Decoded<Proof> {
    const id = textAt(place, 'id')
    if (!id.ok) return id
    const name = textAt(place, 'name')
    if (!name.ok) return name
    const secret = textAt(place, 'secret')
    if (!secret.ok) return secret
    if (secret.value === undefined) return err(expecting('secret', 'application_credential'))
    const proof = { method: 'application_credential', secret: secret.value } as const
    if (id.value !== undefined) return ok({ ...proof, credential: { id: id.value } })
    if (name.value === undefined) return err(expecting('id or name', 'application_credential'))
    const user = neededObject(place, 'user')
    if (!user.ok) return user
    const owner = decodeUser(user.value)
    return owner.ok ? ok({ ...proof, credential: { name: name.value, user: owner.value } }) : owner
  },
} as const satisfies Record<Method, (place: Place) => Decoded<Proof>>

function decodeUser(user: Place): Decoded<UserName> {
  const id = textAt(user, 'id')
  if (!id.ok) return id
  if (id.value !== undefined) return ok({ id: id.value })
  const name = textAt(user, 'name')
  if (!name.ok) return name
  if (name.value === undefined) return err(expecting('id or name', 'user'))
  const domain = neededObject(user, 'domain')
  if (!domain.ok) return domain
  const ref = decodeDomain(domain.value)
  return ref.ok ? ok({ name: name.value, domain: ref.value }) : ref
}

function decodeDomain(domain: Place): Decoded<DomainRef> {
  const id = textAt(domain, 'id')
  if (!id.ok) return id
  if (id.value !== undefined) return ok({ id: id.value })
  const name = textAt(domain, 'name')
  if (!name.ok) return name
  return name.value === undefined
    ? err(expecting('id or name', 'domain'))
    : ok({ name: name.value })
}

function decodeScope(auth: Place): Decoded<WantedScope> {
  const value = valueAt(auth, 'scope')
  if (value === undefined) return ok({ kind: 'default' })
  if (value === 'unscoped') return ok({ kind: 'none' })
  if (typeof value === 'string') return err(badScope)
  const scope = neededObject(auth, 'scope')
  if (!scope.ok) return scope
  // A project wins over a domain beside it.
  const project = objectAt(scope.value, 'project')
  if (!project.ok) return project
  if (project.value !== undefined) return decodeProject(project.value)
  const domain = objectAt(scope.value, 'domain')
  if (!domain.ok) return domain
  if (domain.value !== undefined) {
    const ref = decodeDomain(domain.value)
    return ref.ok ? ok({ kind: 'domain', domain: ref.value }) : ref
  }
  if (valueAt(scope.value, 'system') !== undefined) return ok({ kind: 'system' })
  if (valueAt(scope.value, 'unscoped') !== undefined) return ok({ kind: 'none' })
  return err(badScope)
}

function decodeProject(project: Place): Decoded<WantedScope> {
  const id = textAt(project, 'id')
  if (!id.ok) return id
  if (id.value !== undefined) return ok({ kind: 'project', id: id.value })
  const name = textAt(project, 'name')
  if (!name.ok) return name
  if (name.value === undefined) return err(expecting('id or name', 'project'))
  const domain = objectAt(project, 'domain')
  if (!domain.ok) return domain
  if (domain.value === undefined)
    return ok({ kind: 'project-name', name: name.value, domain: null })
  const ref = decodeDomain(domain.value)
  return ref.ok ? ok({ kind: 'project-name', name: name.value, domain: ref.value }) : ref
}
