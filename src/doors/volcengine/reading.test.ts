import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decodeQuery } from '#doors/shared/signature.ts'
import { parametersOf } from './parameters.ts'
import { Reading } from './reading.ts'

const form = 'application/x-www-form-urlencoded; charset=utf-8'
const json = 'application/json'

function read(query: string, type = '', body = '', method = type === '' ? 'GET' : 'POST') {
  const headers = type === '' ? {} : { 'content-type': type }
  const exchange = { method, headers, body: Buffer.from(body) }
  return parametersOf(exchange, decodeQuery(query, 'space'))
}

function reading(query: string, type?: string, body?: string): Reading {
  const parameters = read(query, type, body)
  assert(parameters.ok)
  return new Reading(parameters.value)
}

suite('parameters', () => {
  const three = (text: string, body: object): readonly Reading[] => [
    reading(text),
    reading('', form, text),
    reading('', json, JSON.stringify(body)),
  ]

  test('a query, a form and JSON say the same thing', () => {
    const text =
      'InstanceId=i-a&ForceStop=TRUE&Count=3&InstanceIds.1=x&InstanceIds.2=y&Tags.1.Key=k&Tags.1.Value=v+w%26'
    const body = {
      InstanceId: 'i-a',
      ForceStop: true,
      Count: 3,
      InstanceIds: ['x', 'y'],
      Tags: [{ Key: 'k', Value: 'v w&' }],
    }
    const prints = three(text, body).map((one) => {
      assert.equal(one.text('InstanceId'), 'i-a')
      assert.equal(one.flag('ForceStop'), true)
      assert.equal(one.integer('Count', { min: 1, max: 9 }), 3)
      assert.deepEqual(one.list('InstanceIds', { max: 9 }), ['x', 'y'])
      assert.deepEqual(
        one.groups('Tags').map((tag) => [tag.text('Key'), tag.text('Value')]),
        [['k', 'v w&']],
      )
      assert.equal(one.fault, undefined)
      return one.fingerprint('A')
    })
    assert.equal(new Set(prints).size, 1)
  })

  test('a JSON body may use dotted names, alone or mixed with arrays and objects', () => {
    const one = reading(
      '',
      json,
      JSON.stringify({
        'InstanceIds.2': 'y',
        'InstanceIds.1': 'x',
        'Tags.1': { Key: 'k' },
        'Placement.Tenancy': 'Default',
      }),
    )
    assert.deepEqual(one.list('InstanceIds', { max: 9 }), ['x', 'y'])
    assert.equal(one.groups('Tags')[0]?.text('Key'), 'k')
    assert.equal(one.group('Placement').text('Tenancy'), 'Default')
  })

  test('numbers order a list, wherever they begin and whatever they leave out', () => {
    assert.deepEqual(reading('A.10=c&A.2=b&A.0=a').list('A', { max: 9 }), ['a', 'b', 'c'])
  })

  test('a repeated name without a number is a list in wire order', () => {
    assert.deepEqual(reading('A=b&A=a').list('A', { max: 9 }), ['b', 'a'])
  })

  test('an empty value is none, of a scalar and of a list', () => {
    const one = reading('StoppedMode=&InstanceIds=&Ids.1=&Count=&ForceStop=')
    assert.equal(one.choice('StoppedMode', ['KeepCharging']), undefined)
    assert.deepEqual(one.list('InstanceIds', { max: 9 }), [])
    assert.deepEqual(one.list('Ids', { max: 9 }), [])
    assert.equal(one.integer('Count', { min: 1, max: 9 }), undefined)
    assert.equal(one.flag('ForceStop'), undefined)
    assert.equal(one.fault, undefined)
    assert.equal(one.fingerprint('A'), reading('').fingerprint('A'))
  })

  test('a numbered empty text is a value where empty texts are', () => {
    assert.deepEqual(reading('V.1=').list('V', { max: 3, emptyCounts: true }), [''])
    assert.deepEqual(reading('V=').list('V', { max: 3, emptyCounts: true }), [])
  })

  test('the body wins over the query; unknown names and signing parameters mean nothing', () => {
    const one = reading(
      'InstanceId=i-q&Mode=q&X-Date=z&Unknown=u',
      form,
      'InstanceId=i-b&X-Thing=1&Action=Other',
    )
    assert.equal(one.text('InstanceId'), 'i-b')
    assert.equal(one.text('Mode'), 'q')
    for (const name of ['X-Date', 'X-Thing', 'Action']) assert.equal(one.text(name), undefined)
    assert.equal(one.fault, undefined)
  })

  test('null is not set', () => {
    assert.equal(reading('A=q', json, '{"A":null}').text('A'), 'q')
  })

  test('names that reach an object elsewhere are only names', () => {
    const one = reading(
      '__proto__.polluted=1&constructor=2',
      json,
      '{"__proto__":{"polluted":"1"},"toString":"x"}',
    )
    assert.equal(one.text('valueOf'), undefined)
    assert.equal(one.text('toString'), 'x')
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  })

  const bodies: readonly (readonly [string, string, string])[] = [
    ['JSON that is none', json, '{"InstanceId":'],
    ['JSON that is a list', json, '[1]'],
    ['JSON that is a text', json, '"InstanceId"'],
    ['a form sent as JSON', json, 'InstanceId=i-a'],
    ['JSON sent as a form', form, '{"InstanceId":"i-a"}'],
    ['a body of another type', 'text/xml', '<a/>'],
    ['bytes that are no UTF-8', json, '{"A":"\u00ff"}'],
  ]
  for (const [what, type, body] of bodies) {
    test(`refused: ${what}`, () => {
      const bytes = Buffer.from(body, what.startsWith('bytes') ? 'latin1' : 'utf8')
      const exchange = { method: 'POST', headers: { 'content-type': type }, body: bytes }
      assert.deepEqual(parametersOf(exchange, []), { ok: false, error: 'malformed' })
    })
  }

  test('what lies deeper than any parameter is ignored', () => {
    const depth = 90
    const one = reading(
      `${'a.'.repeat(3000)}b=1`,
      json,
      `{"A":${'['.repeat(depth)}${']'.repeat(depth)},"B":"b"}`,
    )
    assert.equal(one.text('B'), 'b')
  })
})

suite('reading', () => {
  const faults: readonly (readonly [string, (one: Reading) => unknown, string])[] = [
    ['A=i&A=j', (one) => one.text('A'), 'InvalidArgument'],
    ['A.1=i', (one) => one.text('A'), 'InvalidArgument'],
    ['A=yes', (one) => one.flag('A'), 'InvalidArgument'],
    ['A=1', (one) => one.flag('A'), 'InvalidArgument'],
    ['A=1.5', (one) => one.integer('A', { min: 1, max: 9 }), 'InvalidArgument'],
    ['A=0x1', (one) => one.integer('A', { min: 0, max: 9 }), 'InvalidArgument'],
    ['A=10', (one) => one.integer('A', { min: 1, max: 9 }), 'InvalidArgument'],
    ['A=-1', (one) => one.integer('A', { min: 0, max: 9 }), 'InvalidArgument'],
    ['', (one) => one.required('A'), 'MissingParameter.A'],
    ['A=', (one) => one.required('A'), 'MissingParameter.A'],
    ['A=b', (one) => one.text('A', { like: /^a$/ }), 'InvalidA.Malformed'],
    ['A=b', (one) => one.choice('A', ['a', 'B']), 'InvalidArgument'],
    ['A.1=a&A.1=b', (one) => one.list('A', { max: 9 }), 'InvalidArgument'],
    ['A.1.B=a', (one) => one.list('A', { max: 9 }), 'InvalidArgument'],
    ['A.1=a&A.2=b', (one) => one.list('A', { max: 1 }), 'LimitExceeded.MaximumA'],
    ['A.1=a', (one) => one.groups('A'), 'InvalidArgument'],
    ['A.1.K=a&A.2.K=b', (one) => one.groups('A', { max: 1 }), 'LimitExceeded.MaximumA'],
    [`ClientToken=${'a'.repeat(65)}`, (one) => one.clientToken(), 'InvalidClientToken.Malformed'],
    ['ClientToken=%C3%A9', (one) => one.clientToken(), 'InvalidClientToken.Malformed'],
    ['ClientToken=%FF', (one) => one.clientToken(), 'InvalidClientToken.Malformed'],
    ['ClientToken=a&ClientToken=b', (one) => one.clientToken(), 'InvalidClientToken.Malformed'],
    ['DryRun=maybe', (one) => one.dryRun(), 'InvalidArgument'],
  ]
  for (const [query, ask, code] of faults) {
    test(`${query.slice(0, 40) || 'nothing'} is ${code}`, () => {
      const one = reading(query)
      ask(one)
      assert.equal(one.fault?.code, code)
    })
  }

  const wrongTypes: readonly (readonly [object, (one: Reading) => unknown, string])[] = [
    [{ A: 1 }, (one) => one.text('A'), 'InvalidArgument'],
    [{ A: true }, (one) => one.text('A'), 'InvalidArgument'],
    [{ A: { B: 'c' } }, (one) => one.text('A'), 'InvalidArgument'],
    [{ A: ['x'] }, (one) => one.text('A'), 'InvalidArgument'],
    [{ A: true }, (one) => one.integer('A', { min: 0, max: 9 }), 'InvalidArgument'],
    [{ A: 1e21 }, (one) => one.integer('A', { min: 0, max: 9 }), 'InvalidArgument'],
    [{ A: 1 }, (one) => one.flag('A'), 'InvalidArgument'],
    [{ A: [1] }, (one) => one.list('A', { max: 9 }), 'InvalidArgument'],
    [{ A: [['x']] }, (one) => one.list('A', { max: 9 }), 'InvalidArgument'],
    [{ ClientToken: 7 }, (one) => one.clientToken(), 'InvalidClientToken.Malformed'],
  ]
  for (const [body, ask, code] of wrongTypes) {
    test(`${JSON.stringify(body)} is ${code}`, () => {
      const one = reading('', json, JSON.stringify(body))
      ask(one)
      assert.equal(one.fault?.code, code)
    })
  }

  test('the first fault is the one that is reported', () => {
    const one = reading('B=x')
    one.required('A')
    one.flag('B')
    assert.equal(one.fault?.code, 'MissingParameter.A')
  })

  test('64 ASCII characters are a token', () => {
    const token = `${'~'.repeat(63)} `
    const one = reading(`ClientToken=${encodeURIComponent(token)}`)
    assert.equal(one.clientToken(), token)
    assert.equal(one.fault, undefined)
  })

  test('a fingerprint is of what was read, not of how it was written, and of no secret', () => {
    const print = (query: string) => {
      const one = reading(query)
      one.clientToken()
      one.dryRun()
      one.secret('Password')
      one.text('A')
      one.flag('F')
      return one.fingerprint('X')
    }
    assert.equal(print('A=a&F=true'), print('Z=1&F=TRUE&A=a&ClientToken=t&DryRun=true&Password=p&'))
    assert.notEqual(print('A=a'), print('A=b'))
    assert.notEqual(print('A=a'), print('A=a&F=true'))
  })
})
