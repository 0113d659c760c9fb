import assert from 'node:assert/strict'
import { it } from 'node:test'
import { doorKinds, driverSettings } from './plugins.ts'

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

it('no setting has a default deeper than where defaults are filled in', () => {
  const schemas = [...doorKinds.map(({ settings }) => settings), ...Object.values(driverSettings)]
  const all = schemas.flatMap((schema) => defaultsIn(schema))
  assert.ok(all.length > 10)
  assert.deepEqual(
    all.filter((path) => !/^properties\.\w+$/.test(path)),
    [],
  )
})
