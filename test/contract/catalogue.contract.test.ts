// The service catalogue against the doors that there are: none is forgotten, and none that is not open is offered.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doorKinds } from '#app/plugins.ts'
import { offers } from '#app/offers.ts'
import { byPassword, inProject, postAuth } from '#test/harness/keystone.ts'
import { twoProjects } from '#test/harness/openstack.ts'
import { world } from '#test/harness/world.ts'

test('every door is something in the catalogue, and no two are the same', () => {
  const names = doorKinds.map(({ name }) => name)
  assert.deepEqual(Object.keys(offers).toSorted(), names.toSorted())
  const types = Object.values(offers).flatMap((one) => one.map(({ type }) => type))
  assert.equal(new Set(types).size, types.length)
  for (const one of Object.values(offers)) assert.ok(one.length > 0)
})

test('a door that is not open, or whose port is not known before, is not offered', async () => {
  const doors = { volcengine: { port: 0 }, servicecomb: { enabled: false } }
  const w = await world({ config: { identity: twoProjects, doors } })
  try {
    const heard = await postAuth(w.url, { identity: byPassword(), scope: inProject('one') })
    const types = heard.each('token.catalog', 'type')
    for (const type of ['cse', 'volcengine-ecs']) assert.ok(!types.includes(type), type)
    assert.ok(types.includes('compute'))
  } finally {
    await w.close()
  }
})
