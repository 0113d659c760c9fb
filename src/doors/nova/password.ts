// An administrator's password for a new server: made and said once, and neither kept nor set anywhere.

import { createHmac, randomBytes } from 'node:crypto'

/**
 * A repeated request (same Idempotency-Key) gets the first one's answer, and its password is kept nowhere; so
 * it is made from the server's id and from what only this process knows.
 */
const passwordKey = randomBytes(32)
export const passwordFor = (id: string): string =>
  createHmac('sha256', passwordKey).update(id).digest('base64url').slice(0, 12)
