// A user's public keys: kept and dropped by that user, or by an admin.

import type { Caller } from '../caller.ts'
import { err, ok, type Result } from '../errors.ts'
import { type KeyPair, keyPairId, keyPairsMax } from '../key-pair.ts'
import type { AddKeyPair, Context, Receipt, RemoveKeyPair } from '../request.ts'
import type { Draft } from '../rows.ts'

export function addKeyPair(draft: Draft, context: Context, request: AddKeyPair): Result<Receipt> {
  const { userId = context.caller.userId } = request
  if (!mayChange(context.caller, userId)) return err({ code: 'Forbidden', needs: 'admin' })
  const id = keyPairId(userId, request.name)
  const { name, type, publicKey, fingerprint } = request
  if (draft.get('keyPairs', id)) return err({ code: 'AlreadyExists', what: 'key-pair', name, id })
  if (draft.find('keyPairs', 'userId', userId).length >= keyPairsMax)
    return err({ code: 'QuotaExceeded', what: 'key-pair', limit: keyPairsMax })
  const createdAtMs = context.nowMs
  draft.put('keyPairs', { id, userId, name, type, publicKey, fingerprint, createdAtMs })
  changed(draft, context, id, 'added')
  return ok({ instanceIds: [] })
}

export function removeKeyPair(
  draft: Draft,
  context: Context,
  { name, userId = context.caller.userId }: RemoveKeyPair,
): Result<Receipt> {
  if (!mayChange(context.caller, userId)) return err({ code: 'Forbidden', needs: 'admin' })
  const id = keyPairId(userId, name)
  if (!draft.get('keyPairs', id)) return err({ code: 'NotFound', what: 'key-pair', id: name })
  draft.remove('keyPairs', id)
  changed(draft, context, id, 'removed')
  return ok({ instanceIds: [] })
}

const mayChange = (caller: Caller, owner: KeyPair['userId']): boolean =>
  owner === caller.userId || caller.role === 'admin'

const changed = (draft: Draft, context: Context, id: KeyPair['id'], what: string): void =>
  draft.emit({
    type: 'key-pair.changed',
    project: context.caller.projectId,
    subject: id,
    atMs: context.nowMs,
    cause: context.cause,
    data: { what },
  })
