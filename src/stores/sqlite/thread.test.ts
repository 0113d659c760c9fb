import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type Commit, StoreError } from '#kernel/ports/store.ts'
import { eventDraft, put, rows } from '#test/contract/rows.ts'
import { encode, type Encoded } from './encode.ts'
import { openFolder } from './open.ts'
import type { Place } from './succession.ts'
import { WritingThread } from './thread.ts'

const none: Commit = { writes: [], events: [] }

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-writing-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const alone = (nth: number): Place => ({ nth, after: null })
const isBehind = (error: unknown): boolean => error instanceof StoreError && error.code === 'behind'
const isLost = (error: unknown): boolean => error instanceof StoreError && error.code === 'io'

test('a thread that ended is told to those who wait, and started again by the next', async (t) => {
  const folder = join(folderFor(t), 'later')
  // Nothing is there yet, so the thread cannot open the file and dies of it.
  const writing = new WritingThread(join(folder, 'runstate.db'))
  const waiting = [writing.commit(encode(none), alone(1)), writing.commit(encode(none), alone(2))]
  for (const one of waiting) await assert.rejects(one, isLost)
  mkdirSync(folder)
  const opened = openFolder(folder, { checkpoints: false })
  assert.ok(opened.ok)
  t.after(() => opened.value.lock.close())
  t.after(() => opened.value.db.close())
  const draft = encode({ ...none, events: [eventDraft()] })
  await assert.rejects(writing.commit(draft, { nth: 3, after: 2 }), isBehind)
  assert.equal(await writing.commit(draft, alone(4)), 1)
  await writing.close()
})

test('a bug over there is rejected to its caller alone, and changes nothing', async (t) => {
  const opened = openFolder(folderFor(t), { checkpoints: false })
  assert.ok(opened.ok)
  const writing = new WritingThread(opened.value.path)
  const fine = encode({ ...put('nodes', rows.nodes({ id: 'a' })), events: [eventDraft()] })
  const nothing = undefined as unknown as string // what no type allows, and no statement takes
  const odd: Encoded = { ...fine, events: [['p', 'i', 's', 't', 0, nothing]] }
  const [before, broken, after] = [
    writing.commit(fine, alone(1)),
    writing.commit(odd, alone(2)),
    writing.commit(fine, alone(3)),
  ]
  assert.equal(await before, 1)
  await assert.rejects(broken, (error) => error instanceof Error && !(error instanceof StoreError))
  assert.equal(await after, 2)
  await writing.close()
  opened.value.db.close()
  opened.value.lock.close()
})
