// /v3/auth/tokens: issue, show, revoke.
//
// - However a login fails, the answer is the same; only a malformed body is told apart.
// - A subject token that is not there, has ended or was revoked is 404; somebody else's is 403, but for admins.
//
// Source: contracts/identity.md section 4.

import { unreachable } from '#kernel/assert.ts'
import type { Caller } from '#kernel/caller.ts'
import { type Result, err, ok } from '#kernel/errors.ts'
import type { AppCredential, Token, User } from '#kernel/identity.ts'
import { type ProjectId, projectId } from '#kernel/ids.ts'
import type { AuthFailure, DomainRef, Identity } from '#kernel/ports/identity.ts'
import { header } from '../shared/http.ts'
import type { Call, Reply, Visit } from './call.ts'
import { catalogOf } from './catalog.ts'
import { type KeystoneFault, badSubject, forbidden, loginFault, noSubject } from './faults.ts'
import { readBody } from './json-body.ts'
import { type Proof, type WantedScope, decodeLogin } from './login.ts'
import { tokenObject } from './wire.ts'

type Attempt<T> = Result<T, AuthFailure>

const wrong = err({ code: 'wrong' } as const)

/** What one method, or all of them together, proved. */
interface Proved {
  readonly user: User
  readonly methods: readonly string[]
  readonly parent?: Token
  readonly credential?: AppCredential
}

export async function issueToken(visit: Visit): Promise<Reply> {
  const body = readBody(visit.exchange)
  if (!body.ok) return body
  const login = decodeLogin(body.value)
  if (!login.ok) return login
  const { identity } = visit.house
  const proved = await proveAll(identity, login.value.proofs)
  if (!proved.ok) return err(loginFault(proved.error))
  const issued = await issueIn(identity, proved.value, login.value.scope)
  if (!issued.ok) return err(loginFault(issued.error))
  const { text, token, caller } = issued.value
  const shown = await bodyOf(visit, token, caller)
  if (!shown.ok) return shown
  return ok({ status: 201, headers: { 'x-subject-token': text }, body: shown.value })
}

async function proveAll(identity: Identity, proofs: readonly Proof[]): Promise<Attempt<Proved>> {
  let all: Proved | undefined
  for (const proof of proofs) {
    const one = await prove(identity, proof)
    if (!one.ok) return one
    if (all !== undefined && all.user.id !== one.value.user.id) return wrong
    const methods = [...new Set([...(all?.methods ?? []), ...one.value.methods])]
    all = { ...all, ...one.value, methods }
  }
  return all === undefined ? wrong : ok(all)
}

async function prove(identity: Identity, proof: Proof): Promise<Attempt<Proved>> {
  switch (proof.method) {
    case 'password': {
      const user = await identity.password(proof.user, proof.password)
      return user.ok ? ok({ user: user.value, methods: [proof.method] }) : user
    }
    case 'token': {
      const found = await identity.byToken(proof.text)
      if (!found.ok) return found
      const { token } = found.value
      const user = await identity.user(token.userId)
      if (user === undefined) return wrong
      return ok({ user, methods: [...token.methods, proof.method], parent: token })
    }
    case 'application_credential': {
      const found = await identity.appCredential(proof.credential, proof.secret)
      return found.ok ? ok({ ...found.value, methods: [proof.method] }) : found
    }
    default:
      return unreachable(proof)
  }
}

async function issueIn(identity: Identity, proved: Proved, scope: WantedScope) {
  const { user, credential, parent } = proved
  // An application credential, and a token got with one, are good for one project only.
  const inherited = typeof parent?.appCredentialId === 'string' ? parent.project : null
  const bound = credential?.project ?? inherited
  if (bound !== null && (scope.kind === 'default' || credential !== undefined))
    return await identity.issue({ ...proved, project: bound })
  switch (scope.kind) {
    case 'none':
      return await identity.issue({ ...proved, project: null })
    case 'default': {
      const home =
        user.defaultProject === null
          ? undefined
          : await identity.issue({ ...proved, project: user.defaultProject })
      return home?.ok === true ? home : await identity.issue({ ...proved, project: null })
    }
    case 'project':
      return await identity.issue({ ...proved, project: projectId(scope.id) })
    case 'project-name': {
      const project = await projectNamed(
        identity,
        scope.name,
        scope.domain ?? { id: user.domainId },
      )
      return project === undefined ? wrong : await identity.issue({ ...proved, project })
    }
    case 'domain': {
      const domainId = identity.domain(scope.domain)?.id
      return domainId === undefined
        ? wrong
        : await identity.issue({ ...proved, project: null, domainId })
    }
    case 'system':
      // Nobody has a role on the system: this server has no such scope.
      return wrong
    default:
      return unreachable(scope)
  }
}

async function projectNamed(
  identity: Identity,
  name: string,
  domain: DomainRef,
): Promise<ProjectId | undefined> {
  const domainId = identity.domain(domain)?.id
  return domainId === undefined ? undefined : (await identity.project({ name, domainId }))?.id
}

export async function showToken(call: Call): Promise<Reply> {
  const subject = await subjectOf(call, forbidden('validate_token'), forbidden('validate_token'))
  if (!subject.ok) return subject
  const { text, token, caller } = subject.value
  const shown = await bodyOf(call, token, caller)
  if (!shown.ok) return shown
  return ok({ status: 200, headers: { 'x-subject-token': text }, body: shown.value })
}

export async function revokeToken(call: Call): Promise<Reply> {
  const subject = await subjectOf(call, noSubject, forbidden('revoke_token'))
  if (!subject.ok) return subject
  await call.house.identity.revoke(subject.value.token)
  return ok({ status: 204 })
}

async function subjectOf(
  { exchange, house, who }: Call,
  missing: KeystoneFault,
  notYours: KeystoneFault,
): Promise<Result<{ text: string; token: Token; caller: Caller }, KeystoneFault>> {
  const text = header(exchange, 'x-subject-token')?.trim() ?? ''
  if (text === '') return err(missing)
  const found = await house.identity.byToken(text)
  if (!found.ok) return err(badSubject)
  const { token, caller } = found.value
  if (token.userId !== who.caller.userId && who.caller.role !== 'admin') return err(notYours)
  return ok({ text, token, caller })
}

/** The whole answer about a token; a user or project that vanished meanwhile took the token along. */
async function bodyOf(
  { exchange, house, query }: Visit,
  token: Token,
  caller: Caller,
): Promise<Result<object, KeystoneFault>> {
  const { identity } = house
  const user = await identity.user(token.userId)
  const project = token.project === null ? null : await identity.project({ id: token.project })
  if (user === undefined || project === undefined) return err(badSubject)
  const facts = {
    token,
    caller,
    user,
    project,
    domainOf: (id: string) => identity.domain({ id }) ?? { id, name: id },
  }
  const catalog = query.has('nocatalog') ? {} : { catalog: catalogOf(exchange.baseUrl, house) }
  return ok({ token: tokenObject({ ...facts, ...catalog }) })
}
