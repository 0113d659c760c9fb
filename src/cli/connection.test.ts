import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Connection, connectionOf } from './connection.ts'
import type { Outcome } from './outcome.ts'

const folder = mkdtempSync(join(tmpdir(), 'runstate-connection-'))
after(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(
  join(folder, 'credentials.env'),
  'RUNSTATE_URL=http://127.0.0.1:7070\n# a note\nRUNSTATE_TOKEN=kept=\n',
)
const env = { RUNSTATE_DATA: folder }

const told = (outcome: Outcome<Connection>): readonly (string | undefined)[] =>
  outcome.ok ? [outcome.value.url, outcome.value.token] : [outcome.failure.is]

test('flag wins over environment, environment over the file', () => {
  const all = { ...env, RUNSTATE_URL: 'http://env', RUNSTATE_TOKEN: 'env' }
  assert.deepEqual(told(connectionOf({}, env)), ['http://127.0.0.1:7070', 'kept='])
  assert.deepEqual(told(connectionOf({}, all)), ['http://env', 'env'])
  assert.deepEqual(told(connectionOf({ url: 'http://flag/', token: 'flag' }, all)), [
    'http://flag',
    'flag',
  ])
})

test('the token of a file goes to that file’s server alone', () => {
  assert.deepEqual(told(connectionOf({ url: 'http://elsewhere' }, env)), ['usage'])
  assert.deepEqual(told(connectionOf({}, { ...env, RUNSTATE_URL: 'http://127.0.0.1:7071' })), [
    'usage',
  ])
  assert.deepEqual(told(connectionOf({ url: 'http://127.0.0.1:7070/' }, env)), [
    'http://127.0.0.1:7070',
    'kept=',
  ])
})

test('what is no address is said to be none', () => {
  for (const url of ['', 'localhost', 'ftp://x', '127.0.0.1:7070'])
    assert.deepEqual(told(connectionOf({ url, token: 't' }, {})), ['usage'], url)
})
