// Laws of the protocol itself: version documents, negotiation (contract, section 3.2), the order of checks (3.4),
// bodies (3.5), and what is answered to what makes no sense.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AKSKSigner } from '@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner.js'
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js'
import { as, hear, type OpenStackCaller, twoProjects, unscoped } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

let w: World
let mary: OpenStackCaller

before(async () => {
  w = await world({ config: { identity: twoProjects } })
  mary = await as(w, 'mary')
})
after(() => w.close())

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  hear(`${w.url}${path}`, 'GET', { headers })

for (const prefix of ['', '/compute']) {
  test(`the version documents of ${prefix || '/'} need no token, and their links lead on`, async () => {
    const root = await get(prefix === '' ? '/' : '/compute')
    assert.equal(root.status, 200)
    assert.deepEqual(root.each('versions', 'id'), ['v2.0', 'v2.1'])
    assert.deepEqual(root.each('versions', 'status'), ['SUPPORTED', 'CURRENT'])
    assert.deepEqual(root.each('versions', 'version'), ['', '2.93'])
    assert.deepEqual(root.each('versions', 'min_version'), ['', '2.1'])
    for (const index of [0, 1]) {
      const self = root.textAt(`versions.${index}.links.0.href`)
      assert.equal(self, `${w.url}${prefix}/${['v2', 'v2.1'][index]}/`)
      for (const url of [self, self.slice(0, -1)]) {
        const document = await hear(url, 'GET')
        assert.equal(document.status, 200)
        assert.equal(document.textAt('version.links.0.href'), self)
        assert.equal(document.at('version.id'), root.at(`versions.${index}.id`))
      }
    }
    assert.equal((await mary.call('GET', `${prefix}/v2.1/${mary.projectId}/`)).status, 200)
    assert.equal((await get(`${prefix}/v2.1/${mary.projectId}/`)).status, 401)
  })
}

test('another version of the advertised mount is answered with the choices there are', async () => {
  const heard = await get('/compute/v3')
  assert.equal(heard.status, 300)
  assert.deepEqual(heard.each('choices', 'id'), ['v2.0', 'v2.1'])
})

test('version documents take no notice of the version headers', async () => {
  assert.equal((await get('/v2.1', { 'openstack-api-version': 'compute 2.999' })).status, 200)
})

/** Sent, expected status, expected value of the version headers; null: there are none. */
const negotiations: readonly (readonly [Record<string, string>, number, string | null])[] = [
  [{}, 200, '2.1'],
  [{ 'openstack-api-version': 'compute 2.1' }, 200, '2.1'],
  [{ 'openstack-api-version': 'compute latest' }, 200, '2.93'],
  [{ 'openstack-api-version': 'volume 3.70' }, 200, '2.1'],
  [{ 'openstack-api-version': 'volume 3.70, compute 2.1' }, 200, '2.1'],
  [{ 'openstack-api-version': 'COMPUTE 2.1' }, 200, '2.1'],
  [{ 'x-openstack-nova-api-version': '2.1' }, 200, '2.1'],
  [{ 'x-openstack-nova-api-version': 'latest' }, 200, '2.93'],
  [
    { 'openstack-api-version': 'volume 3.1', 'x-openstack-nova-api-version': '2.999' },
    406,
    '2.999',
  ],
  [{ 'openstack-api-version': 'compute 2.1', 'x-openstack-nova-api-version': '2.999' }, 200, '2.1'],
  [{ 'openstack-api-version': 'compute 2.0' }, 406, '2.0'],
  [{ 'openstack-api-version': 'compute 2.999' }, 406, '2.999'],
  [{ 'openstack-api-version': 'compute 3.1' }, 406, '3.1'],
  [{ 'openstack-api-version': 'compute 2.2' }, 200, '2.2'],
  [{ 'openstack-api-version': 'compute 2.93' }, 200, '2.93'],
  [{ 'openstack-api-version': 'compute 2.94' }, 406, '2.94'],
  [{ 'openstack-api-version': 'compute abc' }, 400, null],
  [{ 'openstack-api-version': 'compute 2.01' }, 400, null],
  [{ 'openstack-api-version': 'compute 2' }, 400, null],
  [{ 'openstack-api-version': 'compute' }, 400, null],
  [{ 'x-openstack-nova-api-version': '2.1; drop' }, 400, null],
]
for (const [headers, status, version] of negotiations) {
  test(`asked for ${JSON.stringify(headers)}: ${status}, and the headers say ${version}`, async () => {
    const heard = await mary.call('GET', '/compute/v2.1/limits', { headers })
    assert.equal(heard.status, status)
    assert.equal(heard.headers.get('x-openstack-nova-api-version'), version)
    assert.equal(
      heard.headers.get('openstack-api-version'),
      version === null ? null : `compute ${version}`,
    )
    assert.equal(heard.headers.get('vary'), 'OpenStack-API-Version, X-OpenStack-Nova-API-Version')
    if (status === 406) {
      assert.equal(
        heard.at('computeFault.message'),
        `Version ${version} is not supported by the API. Minimum is 2.1 and maximum is 2.93.`,
      )
      assert.equal(heard.at('computeFault.code'), 406)
    }
    if (status === 400) assert.equal(heard.at('badRequest.code'), 400)
  })
}

const someId = '00000000-0000-4000-8000-000000000000'
const actionPath = `/compute/v2.1/servers/${someId}/action`

/** What is sent as the body of an action, the expected status, fault and sentence. */
const bodies: readonly (readonly [string, number, string, string | RegExp])[] = [
  ['', 400, 'badRequest', 'Malformed request body'],
  ['{', 400, 'badRequest', 'Malformed request body'],
  ['null', 400, 'badRequest', 'Malformed request body'],
  ['7', 400, 'badRequest', 'Malformed request body'],
  ['"os-stop"', 400, 'badRequest', 'Malformed request body'],
  ['{}', 400, 'badRequest', 'Malformed request body'],
  ['[]', 400, 'badRequest', 'Malformed request body'],
  ['{"os-stop":null,"os-start":null}', 400, 'badRequest', 'Malformed request body'],
  ['["os-stop"]', 404, 'itemNotFound', 'The resource could not be found.'],
  ['{"os-foo":null}', 400, 'badRequest', 'There is no such action: os-foo'],
  ['{"toString":null}', 400, 'badRequest', 'There is no such action: toString'],
  ['{"__proto__":null}', 400, 'badRequest', 'Malformed request body'],
  ['\u00ff\u00fe', 400, 'badRequest', 'Malformed request body'],
  [
    '{"reboot":null}',
    400,
    'badRequest',
    "Invalid input for field/attribute reboot. Value: None. None is not of type 'object'",
  ],
  [
    '{"reboot":{}}',
    400,
    'badRequest',
    "Invalid input for field/attribute reboot. Value: {}. 'type' is a required property",
  ],
  [
    '{"reboot":{"type":"WARM"}}',
    400,
    'badRequest',
    "Invalid input for field/attribute type. Value: 'WARM'. 'WARM' is not one of ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']",
  ],
  [
    '{"reboot":{"type":"HARD","x":1}}',
    400,
    'badRequest',
    "Invalid input for field/attribute reboot. Value: {'type': 'HARD', 'x': 1}. Additional properties are not allowed ('x' was unexpected)",
  ],
  ['{"reboot":{"type":null}}', 400, 'badRequest', /Value: None\. None is not one of/],
  ['{"os-stop":null}', 404, 'itemNotFound', `Instance ${someId} could not be found.`],
]
for (const [raw, status, name, message] of bodies) {
  test(`the body ${JSON.stringify(raw)} of an action: ${status} ${name}`, async () => {
    for (const path of [actionPath, actionPath.replace('/compute', '')]) {
      const headers = { 'content-type': 'application/json' }
      const heard = await mary.call('POST', path, { raw, headers })
      assert.equal(heard.status, status)
      assert.equal(heard.at(`${name}.code`), status)
      const said = heard.textAt(`${name}.message`)
      if (typeof message === 'string') assert.equal(said, message)
      else assert.match(said, message)
      assert.equal(heard.headers.get('content-type'), 'application/json; charset=UTF-8')
    }
  })
}

const contentTypes: readonly (readonly [string, number])[] = [
  ['application/json', 404],
  ['application/json; charset=utf-8', 404],
  ['application/vnd.openstack.compute+json', 404],
  ['text/plain;charset=UTF-8', 404],
  ['application/xml', 415],
  ['application/jsonx', 415],
  ['multipart/form-data; boundary=x', 415],
]
for (const [type, status] of contentTypes) {
  test(`a body of type ${type}: ${status === 415 ? 'refused' : 'read as JSON'}`, async () => {
    const said = { raw: '{"os-stop":null}', headers: { 'content-type': type } }
    const heard = await mary.call('POST', actionPath, said)
    assert.equal(heard.status, status)
    if (status === 415) assert.equal(heard.at('badMediaType.message'), 'Unsupported Content-Type')
  })
}

test('the checks come in Nova’s order: each fault hides those behind it', async () => {
  const other = `/compute/v2.1/${'f'.repeat(32)}/servers/${someId}/action`
  const bad = { 'openstack-api-version': 'compute 2.999' }
  const xml = { 'content-type': 'application/xml' }
  const json = { 'content-type': 'application/json' }
  const anonymous = await hear(`${w.url}${other}`, 'POST', {
    raw: '{',
    headers: { ...bad, ...xml },
  })
  assert.equal(anonymous.status, 401)
  const send = (raw: string, headers: Readonly<Record<string, string>>, path = other) =>
    mary.call('POST', path, { raw, headers })
  assert.equal((await send('{', { ...bad, ...xml })).status, 406)
  assert.equal((await send('{', xml)).status, 415)
  const unknown = await send('{"os-foo":1}', json)
  assert.equal(unknown.at('badRequest.message'), 'There is no such action: os-foo')
  const project = await send('{"reboot":null}', json)
  assert.match(project.textAt('badRequest.message'), /^Malformed request URL: /)
  const schema = await send('{"reboot":null}', json, actionPath)
  assert.match(schema.textAt('badRequest.message'), /^Invalid input for field\/attribute reboot/)
  assert.equal((await send('{"reboot":{"type":"SOFT"}}', json, actionPath)).status, 404)
})

test('a token that acts in no project may do nothing', async () => {
  const nobody = await unscoped(w, 'mary')
  assert.equal((await nobody.call('GET', '/compute/v2.1/servers')).status, 403)
  assert.equal((await nobody.call('GET', `/compute/v2.1/${mary.projectId}/servers`)).status, 400)
})

test('unknown paths and methods are not found, in the voice of this door', async () => {
  const strays: readonly (readonly [string, string])[] = [
    ['PATCH', `/compute/v2.1/servers/${someId}`],
    ['PUT', '/compute/v2.1/servers'],
    ['GET', '/compute/v2.1/os-nothing'],
    ['GET', `/v2.1/${someId}/nothing/at/all`],
    ['DELETE', '/v2.1/flavors'],
  ]
  for (const [method, path] of strays) {
    const heard = await mary.call(method, path)
    assert.equal(heard.status, 404, `${method} ${path}`)
    assert.equal(heard.at('itemNotFound.code'), 404)
    assert.match(heard.headers.get('x-compute-request-id') ?? '', /^req-/)
  }
})

test('a slash too many leads to where one leads, as behind the web servers of clouds', async () => {
  const one = await mary.call('GET', '/compute/v2.1/limits')
  for (const path of ['/compute/v2.1//limits', '//compute///v2.1/limits']) {
    const heard = await mary.call('GET', path)
    assert.deepEqual([heard.status, heard.json], [200, one.json], path)
  }
  assert.equal((await mary.call('GET', `/compute/v2.1//${mary.projectId}//limits`)).status, 200)
  assert.equal((await mary.call('GET', `/compute/v2.1//${someId}//limits`)).status, 400)
})

test('a body beyond all bounds is refused and changes nothing', async () => {
  const body = { 'os-stop': 'x'.repeat(3 * 1024 * 1024) }
  const heard = await mary.call('POST', actionPath, { body })
  assert.equal(heard.status, 413)
  assert.equal(heard.at('overLimit.code'), 413)
})

test('a text made to be tried in all ways is refused as quickly as any other', async () => {
  const plain = { name: 'n', flavorRef: 'sim.small', imageRef: 'sim', networks: 'none' }
  const texts = {
    user_data: [`${' '.repeat(65_534)}!`, `${'= '.repeat(32_000)}!`],
    hostname: [`${'a'.repeat(3000)}!`, `${'a-'.repeat(3000)}!`],
    name: [`a${' '.repeat(60_000)}`, `a${' '.repeat(200)}`],
  }
  for (const [field, hostile] of Object.entries(texts)) {
    for (const text of hostile) {
      const sinceMs = performance.now()
      const heard = await mary.call('POST', '/compute/v2.1/servers', {
        body: { server: { ...plain, [field]: text } },
        headers: { 'openstack-api-version': 'compute 2.90' },
      })
      assert.equal(heard.status, 400, field)
      // Before the patterns were made so, these took seconds, and all other callers waited.
      assert.ok(performance.now() - sinceMs < 1000, field)
    }
  }
})

test('a request signed by the vendor’s own library acts; a byte changed, it does not', async () => {
  const { HUAWEICLOUD_SDK_AK = '', HUAWEICLOUD_SDK_SK = '' } = w.credentials
  const project = w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? ''
  const path = `/v2.1/${project}/servers/${someId}/action`
  const body = { 'os-stop': {} }
  const stop = JSON.stringify(body)
  const signed = (at = path) => {
    const headers = { 'content-type': 'application/json', 'X-Project-Id': project }
    const request = { method: 'POST', endpoint: `${w.url}${at}`, headers, data: body }
    const made = AKSKSigner.sign(
      request as unknown as Parameters<typeof AKSKSigner.sign>[0], // the library reads no more of it
      new BasicCredentials().withAk(HUAWEICLOUD_SDK_AK).withSk(HUAWEICLOUD_SDK_SK),
    )
    return { ...headers, ...made }
  }
  const good = await hear(`${w.url}${path}`, 'POST', { raw: stop, headers: signed() })
  assert.equal(good.status, 404, good.text)
  assert.equal(good.at('itemNotFound.message'), `Instance ${someId} could not be found.`)
  const bad = await hear(`${w.url}${path}`, 'POST', {
    raw: '{"os-stop":[]}',
    headers: signed(),
  })
  assert.equal(bad.status, 401)
  assert.equal(bad.at('error_code'), 'APIGW.0301')
  const advertised = await hear(`${w.url}/compute${path}`, 'POST', {
    raw: stop,
    headers: signed(`/compute${path}`),
  })
  assert.equal(advertised.status, 401, 'the advertised mount takes tokens only')
  assert.equal(advertised.at('error.code'), 401)
  const reader = { ...signed(), 'X-Project-Id': mary.projectId }
  const elsewhere = await hear(`${w.url}${path}`, 'POST', { raw: stop, headers: reader })
  assert.equal(elsewhere.status, 401, 'the project is part of what is signed')
})
