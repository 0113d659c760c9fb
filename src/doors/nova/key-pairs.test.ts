// Laws of key pairs: whose they are, and what is a key (contract, section 8.3).

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { as, type OpenStackCaller, twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

const pairs = '/compute/v2.1/os-keypairs'
const publicKey =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq1p3sVn0Yw8v1cYz1WmV5kq3nT0bq3b3kqfQm0m8vA me'

let w: World
let mary: OpenStackCaller
let ada: OpenStackCaller

before(async () => {
  w = await world({ config: { identity: twoProjects } })
  mary = await as(w, 'mary')
  ada = await as(w, 'ada')
})
after(() => w.close())

const ask = (who: OpenStackCaller, method: string, path = '', keypair?: object) =>
  who.call(method, `${pairs}${path}`, {
    headers: { 'openstack-api-version': 'compute 2.10' },
    ...(keypair === undefined ? {} : { body: { keypair } }),
  })

const namesOf = async (who: OpenStackCaller): Promise<readonly unknown[]> =>
  ((await ask(who, 'GET')).at('keypairs') as { keypair: { name: string } }[]).map(
    ({ keypair }) => keypair.name,
  )

test('a key of another user is that user’s or an admin’s to change, and never one’s own by mistake', async () => {
  for (const who of [mary, ada])
    assert.equal((await ask(who, 'POST', '', { name: 'same', public_key: publicKey })).status, 201)
  assert.equal((await ask(mary, 'DELETE', `/same?user_id=${ada.userId}`)).status, 403)
  const forAda = { name: 'other', public_key: publicKey, user_id: ada.userId }
  assert.equal((await ask(mary, 'POST', '', forAda)).status, 403)
  assert.deepEqual(await namesOf(mary), ['same'])
  assert.deepEqual(await namesOf(ada), ['same'])
  assert.equal((await ask(ada, 'DELETE', `/same?user_id=${mary.userId}`)).status, 204)
  assert.deepEqual(await namesOf(mary), [])
  assert.deepEqual(await namesOf(ada), ['same'])
  const made = await ask(ada, 'POST', '', { ...forAda, user_id: mary.userId })
  assert.equal(made.status, 201)
  assert.equal(made.at('keypair.user_id'), mary.userId)
  assert.deepEqual(await namesOf(mary), ['other'])
  assert.equal((await ask(ada, 'DELETE', `/gone?user_id=${mary.userId}`)).status, 404)
  assert.equal((await ask(mary, 'DELETE', '/other')).status, 204)
})

test('what is no key is refused, and a key is kept as it was sent', async () => {
  const blob = publicKey.split(' ')[1] ?? ''
  const wrong = [
    'ssh-rsa JUNK me',
    `ssh-rsa ${'A'.repeat(2048)} me`,
    `ssh-rsa ${blob} me`,
    `ssh-ed25519 ${blob.slice(0, 60)} me`,
    `ssh-ed25519 ${blob}AAAA me`,
    'ssh-ed25519',
    blob,
  ]
  for (const public_key of wrong) {
    const heard = await ask(mary, 'POST', '', { name: 'wrong', public_key })
    assert.equal(heard.status, 400, public_key)
    assert.equal(
      heard.at('badRequest.message'),
      'Keypair data is invalid: failed to generate fingerprint',
    )
  }
  const sent = `${publicKey}\n`
  const made = await ask(mary, 'POST', '', { name: 'line', public_key: sent })
  assert.equal(made.at('keypair.public_key'), sent)
  assert.equal(made.at('keypair.fingerprint'), 'a9:16:b1:82:fe:ce:47:b9:6e:90:cb:32:ee:08:f4:db')
  assert.equal((await ask(mary, 'GET', '/line')).at('keypair.public_key'), sent)
  assert.equal((await ask(mary, 'POST', '', { name: 'made' })).status, 201)
})

test('a repeated request is not given a private key that fits nothing', async () => {
  const asked = (keypair: object) =>
    mary.call('POST', pairs, { body: { keypair }, headers: { 'idempotency-key': 'one-key' } })
  const first = await asked({ name: 'once' })
  assert.equal(first.status, 200)
  assert.equal((await asked({ name: 'once' })).status, 409)
  const shown = await mary.call('GET', `${pairs}/once`)
  assert.equal(shown.at('keypair.fingerprint'), first.at('keypair.fingerprint'))
  const given = () =>
    mary.call('POST', pairs, {
      body: { keypair: { name: 'given', public_key: publicKey } },
      headers: { 'idempotency-key': 'given-key' },
    })
  const told = await given()
  assert.deepEqual((await given()).json, told.json)
})
