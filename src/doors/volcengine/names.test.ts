import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  descriptionLike,
  hostnameLike,
  isPassword,
  isUserData,
  nameLike,
  namesFrom,
} from './names.ts'

const plain = { isUnique: false, first: 0 }

suite('names', () => {
  test('instances made together get one name, or numbers where the name says so', () => {
    assert.deepEqual(namesFrom('web', 2, plain), ['web', 'web'])
    assert.deepEqual(namesFrom('web[9,3]-x', 2, plain), ['web009-x', 'web010-x'])
    assert.deepEqual(namesFrom('web', 2, { isUnique: true, first: 7 }), ['web007', 'web008'])
    assert.deepEqual(namesFrom('web', 1, { isUnique: true, first: 7 }), ['web'])
    assert.equal(namesFrom('w'.repeat(127), 2, { isUnique: true, first: 0 }), undefined)
  })

  const names = {
    good: ['a', '机器-1', 'a.b_c-d', 'w'.repeat(128), 'web[1,3]', 'w[1,3]x'],
    bad: [
      '',
      '1a',
      '-a',
      'a b',
      'a/b',
      'w'.repeat(129),
      '[1,2]',
      'w[1,2][3,4]',
      'w[1]',
      'é',
      'a\n',
    ],
  }
  for (const name of names.good)
    test(`${name.slice(0, 20)} is a name`, () => assert.match(name, nameLike))
  for (const name of names.bad)
    test(`${JSON.stringify(name.slice(0, 20))} is no name`, () =>
      assert.doesNotMatch(name, nameLike))

  test('a description begins with a letter and has at most 255 characters, on any lines', () => {
    assert.match('Line one\nline two', descriptionLike)
    assert.match(`描${'x'.repeat(254)}`, descriptionLike)
    for (const text of ['1', ' a', `a${'x'.repeat(255)}`])
      assert.doesNotMatch(text, descriptionLike)
  })

  test('host names, passwords and user data', () => {
    for (const text of ['a', 'web-1.internal']) assert.match(text, hostnameLike)
    for (const text of ['-a', 'a-', 'a_b', 'a'.repeat(65)]) assert.doesNotMatch(text, hostnameLike)
    for (const text of ['Aa345678', 'aaaa#111', 'A$6$aaaa1']) assert(isPassword(text), text)
    for (const text of [
      'Aa34567',
      'aaaaaaaa1',
      '/Aa345678',
      '$6$Aa345678',
      'Aa3456 8',
      `Aa1${'x'.repeat(28)}`,
    ])
      assert(!isPassword(text), text)
    assert(isUserData('IyEvYmluL3No'))
    for (const text of ['a', 'a===', '%%%%', 'A'.repeat(4 * 5462)])
      assert(!isUserData(text), text.slice(0, 9))
  })
})
