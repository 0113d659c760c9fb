import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type KeyFault, keyFaultText, openSecretKey, passingKey, sealerOf } from './sealing.ts'

async function inFolder(use: (folder: string, path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'runstate-sealing-'))
  try {
    await use(folder, join(folder, 'secret.key'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('what is sealed is opened by the same key for the same owner only', () => {
  const key = passingKey()
  const sealed = sealerOf(key).seal('the secret', 'AK1')
  assert.equal(sealerOf(key).unseal(sealed, 'AK1'), 'the secret')
  assert.equal(sealerOf(key).unseal(sealed, 'AK2'), undefined, 'moved to another owner')
  assert.equal(sealerOf(passingKey()).unseal(sealed, 'AK1'), undefined, 'another key')
  assert.ok(!sealed.includes('secret'))
  assert.notEqual(sealerOf(key).seal('the secret', 'AK1'), sealed, 'a fresh nonce each time')
})

test('no single changed character of a sealed text goes unseen', () => {
  const key = passingKey()
  const sealed = sealerOf(key).seal('s', 'o')
  for (let at = 0; at < sealed.length; at += 1) {
    const other = sealed[at] === 'A' ? 'B' : 'A'
    const forged = sealed.slice(0, at) + other + sealed.slice(at + 1)
    // The last character of base64 holds bits that no byte uses.
    const isSame = Buffer.from(forged.slice(3), 'base64url').equals(
      Buffer.from(sealed.slice(3), 'base64url'),
    )
    if (at >= 3 && isSame) continue
    assert.equal(sealerOf(key).unseal(forged, 'o'), undefined, `at ${at}`)
  }
  for (const text of ['', 'v1.', 'v1.AAAA', 'v2.AAAA'])
    assert.equal(sealerOf(key).unseal(text, 'o'), undefined, text)
})

test('the key file is made once, for its owner only, and read again', async () => {
  await inFolder(async (folder, path) => {
    const made = await openSecretKey(folder, { mayCreate: true })
    assert.ok(made.ok)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(await openSecretKey(folder, { mayCreate: true }), made)
    assert.deepEqual(await openSecretKey(folder, { mayCreate: false }), made)
    assert.equal(made.value.length, 32)
    assert.equal((await readFile(path, 'utf8')).trim(), made.value.toString('base64'))
  })
})

test('a key file that is missing, exposed or broken is refused in one line, and not replaced', async () => {
  await inFolder(async (folder, path) => {
    const missing = await openSecretKey(folder, { mayCreate: false })
    assert.deepEqual(missing, { ok: false, error: { code: 'KeyMissing', path } })
    await openSecretKey(folder, { mayCreate: true })
    await chmod(path, 0o640)
    const exposed = await openSecretKey(folder, { mayCreate: true })
    assert.deepEqual(exposed, { ok: false, error: { code: 'KeyExposed', path } })
    await chmod(path, 0o600)
    await writeFile(path, 'short')
    const broken = await openSecretKey(folder, { mayCreate: true })
    assert.ok(!broken.ok && broken.error.code === 'KeyUnreadable')
    assert.equal(await readFile(path, 'utf8'), 'short')
  })
})

test('a fault is told in one line that names the file', () => {
  const faults: readonly KeyFault[] = [
    { code: 'KeyMissing', path: '/d/secret.key' },
    { code: 'KeyExposed', path: '/d/secret.key' },
    { code: 'KeyUnreadable', path: '/d/secret.key', why: 'EACCES' },
    { code: 'KeyWrong', path: '/d/secret.key' },
  ]
  for (const fault of faults) assert.match(keyFaultText(fault), /^\/d\/secret\.key [^\n]+$/)
})
