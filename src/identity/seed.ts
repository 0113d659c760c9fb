// Opens identity at start: makes what a first start needs, and merges what runstate.yaml declares.
//
// - First start: domain `Default`, project `default`, user `admin` with a random password, two access keys and a
//   bearer token that never ends. All of it in one commit, after its secrets have been kept: a crash between the
//   two repeats the first start instead of locking the owner out.
// - Every start: declared projects and users are added or changed to what is declared, nothing else is removed.
//   A changed password or role voids that user's tokens; a start that changes nothing writes nothing.

import { assert } from '#kernel/assert.ts'
import { type Result, err, ok } from '#kernel/errors.ts'
import type { Token, User } from '#kernel/identity.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { Store, Write } from '#kernel/ports/store.ts'
import { newAccessKey } from './access-keys.ts'
import {
  type DeclarationFault,
  type IdentitySettings,
  adminName,
  domainProject,
  mergeDeclared,
  projectName,
} from './declared.ts'
import { grantOf, newProject, newUser, theDomain } from './directory.ts'
import { type IdentityParts, type IdentityRoom, createIdentity } from './identity.ts'
import { type KeyFault, keyFaultText, openSecretKey, passingKey, sealerOf } from './sealing.ts'
import {
  type KeyPair,
  auditId,
  fingerprint,
  hashPassword,
  password as randomPassword,
  tokenText,
} from './secrets.ts'

/** What was made at this start and can be shown only now. */
export interface FreshCredentials {
  readonly userName: string
  readonly projectId: string
  readonly projectName: string
  readonly password: string
  /** Bearer token of the native door; never ends by itself. */
  readonly token: string
  /** Absent when only the password changed: the keys of the first start go on. */
  readonly keys?: { readonly plain: KeyPair; readonly long: KeyPair }
}

type SeedFault = KeyFault | DeclarationFault

interface SeedOptions {
  readonly store: Store
  readonly nowMs: () => number
  /** Where `secret.key` is. Null: the store does not outlive the process, so neither need the key. */
  readonly folder: string | null
  readonly settings: IdentitySettings
  /** Writes the secrets down, synced, before what they open is stored. */
  readonly keep: (fresh: FreshCredentials) => Promise<void>
  readonly passwordCost?: IdentityParts['passwordCost']
}

export async function ensureIdentity(
  options: SeedOptions,
): Promise<Result<IdentityRoom, SeedFault>> {
  const { store, nowMs, folder, settings, passwordCost } = options
  const isFirst = (await store.count('users', {})) === 0
  const key =
    folder === null ? ok(passingKey()) : await openSecretKey(folder, { mayCreate: isFirst })
  if (!key.ok) return key
  if (!(await fitsStore(key.value, store)))
    return err({ code: 'KeyWrong', path: `${folder ?? '.'}/secret.key` })
  const identity = createIdentity({
    store,
    nowMs,
    secretKey: key.value,
    ...(passwordCost === undefined ? {} : { passwordCost }),
    ...(settings.lockKeysAfter === undefined ? {} : { lockKeysAfter: settings.lockKeysAfter }),
  })
  if (isFirst) await seedAdmin(identity, key.value, options)
  const merged = await mergeDeclared(identity.directory, settings, identity.passwordCost)
  if (!merged.ok) return merged
  const { writes, users } = merged.value
  const admin = users.find(({ name }) => name === adminName)
  if (admin !== undefined) writes.push(await renewToken(identity, admin, options))
  if (writes.length > 0) await identity.directory.add(writes)
  return ok(identity)
}

/** The admin's password or roles were changed, which voids the token that never ends: makes another. */
async function renewToken(
  identity: IdentityRoom,
  admin: User,
  { nowMs, settings, keep }: SeedOptions,
): Promise<Write> {
  const project = await identity.directory.project({ name: projectName, domainId: theDomain.id })
  const declared = settings.users?.find(({ name }) => name === adminName)
  assert(project !== undefined && declared !== undefined, 'the admin is declared, in a project')
  const issuedAtMs = Math.max(nowMs(), admin.tokensSinceMs)
  const { text, row } = endlessToken(admin, project.id, issuedAtMs)
  await keep({
    userName: adminName,
    password: declared.password,
    projectId: project.id,
    projectName,
    token: text,
  })
  return { table: 'tokens', row }
}

/** One line for the person who started the server. */
export const seedFaultText = (fault: SeedFault): string =>
  fault.code === 'BadSettings' ? fault.line : keyFaultText(fault)

async function fitsStore(key: Buffer, store: Store): Promise<boolean> {
  const [row] = await store.list('accessKeys', { limit: 1 })
  return row === undefined || sealerOf(key).unseal(row.sealedSecret, row.id) !== undefined
}

async function seedAdmin(
  identity: IdentityRoom,
  secretKey: Buffer,
  { nowMs, settings, keep }: SeedOptions,
): Promise<void> {
  const declared = settings.users?.find(({ name }) => name === adminName)
  const password = declared?.password ?? randomPassword()
  const project = newProject(projectName)
  const user = newUser(adminName, await hashPassword(password, identity.passwordCost))
  const sealer = sealerOf(secretKey)
  const newKey = (look: 'plain' | 'long', home: ProjectId | null) => {
    const wanted = { userId: user.id, look, project: home, description: 'made at first start' }
    return newAccessKey(wanted, sealer, nowMs())
  }
  // Requests signed with the long kind name no project, so the key does.
  const keys = { plain: newKey('plain', null), long: newKey('long', project.id) }
  const { text, row } = endlessToken(user, project.id, nowMs())
  await keep({
    userName: adminName,
    password,
    projectId: project.id,
    projectName,
    token: text,
    keys: { plain: keys.plain.pair, long: keys.long.pair },
  })
  await identity.directory.add([
    { table: 'projects', row: project },
    { table: 'users', row: user },
    { table: 'grants', row: grantOf(user.id, project.id, 'admin') },
    { table: 'grants', row: grantOf(user.id, domainProject, 'admin') },
    { table: 'accessKeys', row: keys.plain.row },
    { table: 'accessKeys', row: keys.long.row },
    { table: 'tokens', row },
  ])
}

function endlessToken(
  user: User,
  project: ProjectId,
  issuedAtMs: number,
): { readonly text: string; readonly row: Token } {
  const text = tokenText()
  const row: Token = {
    id: fingerprint(text),
    userId: user.id,
    project,
    domainId: null,
    appCredentialId: null,
    methods: ['password'],
    auditIds: [auditId()],
    issuedAtMs,
    expiresAtMs: null,
    revoked: false,
  }
  return { text, row }
}
