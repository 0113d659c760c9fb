// A process of its own with a store on disk, for tests that kill it or take its disk away:
// `node store-child.ts <folder> <hold|commit|overfill>`. It tells on stdout what it has been promised.

import { writeSync } from 'node:fs'
import { operationId } from '#kernel/ids.ts'
import { type Store, StoreError } from '#kernel/ports/store.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'
import { eventDraft, put, rows } from './rows.ts'

/** At once and unbuffered: what was said survives the kill. */
const say = (line: string): void => void writeSync(1, `${line}\n`)

/** Commits without end, a few at a time; each is one operation and two events that carry its number. */
async function commitOnwards(store: Store): Promise<never> {
  let n = await store.count('operations', {})
  const lane = async (): Promise<never> => {
    for (;;) {
      const own = (n += 1)
      const data = { n: own }
      await store.commit({
        writes: put('operations', rows.operations({ id: operationId(`op-${own}`) })).writes,
        events: [eventDraft({ data }), eventDraft({ data })],
      })
      say(String(own))
    }
  }
  return Promise.race([lane(), lane(), lane()])
}

/** Under a limit on the size of files: one commit that cannot fit, then others that can. */
async function overfill(store: Store): Promise<void> {
  // By default the signal for a file that is too large ends the process; a full disk does not.
  process.on('SIGXFSZ', () => undefined)
  await store.commit(put('nodes', rows.nodes({ id: 'before' })))
  const filler = 'x'.repeat(1_000_000)
  const large = Array.from({ length: 40 }, (_, n) =>
    rows.nodes({ id: `large-${n}`, attributes: { filler } }),
  )
  try {
    await store.commit(put('nodes', ...large))
    say('committed')
  } catch (thrown) {
    say(thrown instanceof StoreError ? thrown.code : String(thrown))
  }
  say(String(await store.count('nodes', {})))
  await store.commit(put('nodes', rows.nodes({ id: 'after' })))
  say(String(await store.count('nodes', {})))
  await store.close()
}

const [folder = '', mode] = process.argv.slice(2)
const opened = await openSqliteStore(folder)
if (!opened.ok) throw new Error(opened.error.line)
say('open')
if (mode === 'commit') await commitOnwards(opened.value)
else if (mode === 'overfill') await overfill(opened.value)
else setInterval(() => undefined, 60_000)
