import assert from 'node:assert/strict'
import { it } from 'node:test'
import { validatorOf } from '#schema/validator.ts'
import { defaultsOf, doorKinds, driverSettings } from './plugins.ts'

/** Where a schema has a default, by path. */
function defaultsIn(schema: object, path: readonly string[] = []): readonly string[] {
  return Object.entries(schema).flatMap(([key, inner]) =>
    key === 'default'
      ? [path.join('.')]
      : typeof inner === 'object' && inner !== null
        ? defaultsIn(inner as object, [...path, key])
        : [],
  )
}

const schemas = [...doorKinds.map(({ settings }) => settings), ...Object.values(driverSettings)]

it('the defaults of every door and driver fit its own schema', () => {
  assert.ok(schemas.length > 8)
  for (const schema of schemas) {
    const filled = defaultsOf(schema)
    assert.deepEqual(validatorOf(schema).fits(filled), true, JSON.stringify(filled))
  }
})

it('no setting has a default deeper than where defaults are filled in', () => {
  const all = schemas.flatMap((schema) => defaultsIn(schema))
  assert.ok(all.length > 10)
  assert.deepEqual(
    all.filter((path) => !/^properties\.\w+$/.test(path)),
    [],
  )
})
