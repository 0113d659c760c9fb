import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  appCredentialSecret,
  auditId,
  defaultCost,
  fingerprint,
  hashOfNobody,
  hashPassword,
  keyPairs,
  looksLikeToken,
  password,
  passwordFits,
  sameText,
  securityTokenText,
  tokenText,
} from './secrets.ts'

const cheap = { blocks: 2 ** 10, r: 8, parallel: 1 }

test('a hash fits its password and no other, and says its own parameters', async () => {
  const hash = await hashPassword('correct horse', cheap)
  assert.match(hash, /^scrypt\$1024\$8\$1\$[\w-]{22}\$[\w-]{43}$/)
  assert.equal(await passwordFits('correct horse', hash), true)
  assert.equal(await passwordFits('correct horsf', hash), false)
  assert.equal(await passwordFits('', hash), false)
  assert.notEqual(await hashPassword('correct horse', cheap), hash, 'salted')
})

test('a password fits in whichever way its accents are typed', async () => {
  assert.equal(await passwordFits('cafe\u0301', await hashPassword('caf\u00e9', cheap)), true)
})

test('a text that is no hash fits no password', async () => {
  for (const text of ['', 'x', 'scrypt$1024$8$1$$', 'bcrypt$1024$8$1$AAAA$AAAA'])
    assert.equal(await passwordFits('', text), false, text)
})

test('the hash of nobody costs what a real one does, and nothing fits it', async () => {
  const [real, nobody] = [await hashPassword('x', cheap), hashOfNobody(cheap)]
  assert.deepEqual(nobody.split('$').slice(0, 4), real.split('$').slice(0, 4))
  assert.equal(nobody.length, real.length)
  assert.equal(await passwordFits('', nobody), false)
})

test('hashing leaves the event loop free', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)
  await hashPassword('x', defaultCost)
  clearInterval(timer)
  assert.ok(turns > 3, `${turns} turns while hashing`)
})

test('random secrets have the promised look and do not repeat', () => {
  const looks = {
    token: [tokenText, /^rst_[\w-]{43}$/],
    audit: [auditId, /^[\w-]{22}$/],
    password: [password, /^[A-Za-z0-9]{24}$/],
    appCredential: [appCredentialSecret, /^[\w-]{86}$/],
    securityToken: [securityTokenText, /^[\w-]{128}$/],
    plainId: [() => keyPairs.plain().id, /^[A-Z0-9]{20}$/],
    plainSecret: [() => keyPairs.plain().secret, /^[A-Za-z0-9]{40}$/],
    longId: [() => keyPairs.long().id, /^AKLT[A-Za-z0-9]{43}$/],
    longSecret: [() => keyPairs.long().secret, /^[A-Za-z0-9]{60}$/],
  } as const satisfies Record<string, readonly [() => string, RegExp]>
  for (const [name, [make, look]] of Object.entries(looks)) {
    const made = Array.from({ length: 50 }, make)
    for (const one of made) assert.match(one, look, name)
    assert.equal(new Set(made).size, made.length, name)
  }
  assert.equal(looksLikeToken(tokenText()), true)
})

test('what cannot be a token is known without a look into the store', () => {
  for (const text of ['', 'a b', 'a,b', 'ä', 'a\n', 'x'.repeat(256)])
    assert.equal(looksLikeToken(text), false, JSON.stringify(text))
  for (const text of ['x', 'gAAAAABl-_=', 'x'.repeat(255)]) assert.equal(looksLikeToken(text), true)
})

test('texts are the same or not, of whatever length', () => {
  assert.equal(sameText('a', 'a'), true)
  assert.equal(sameText('a', 'b'), false)
  assert.equal(sameText('a', 'aa'), false)
  assert.equal(sameText('', ''), true)
  assert.equal(
    fingerprint('abc'),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})
