// The store on disk, or one line that says why it cannot be opened.

import { join } from 'node:path'
import type { Result } from '#kernel/errors.ts'
import type { Store } from '#kernel/ports/store.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'

export async function openStore(dataDir: string): Promise<Result<Store, string>> {
  const opened = await openSqliteStore(join(dataDir))
  return opened.ok ? opened : { ok: false, error: opened.error.line }
}
