// Ids of what is not stored: roles, services, endpoints. The same name has the same id on every server.

import { hash } from 'node:crypto'

/** 32 lower-case hex digits. */
export const stableId = (name: string): string => hash('sha256', name, 'hex').slice(0, 32)
