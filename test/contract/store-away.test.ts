// A store that cannot be read for a while: whoever asks is told so in the door's own words, with a retry hint where
// its cloud has one, nobody is shown less than there is, and the log does not speak of a bug.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { brittleStore } from '#test/harness/brittle-store.ts'
import { asked, hear } from '#test/harness/door-call.ts'
import {
  type DoorName,
  doorNames,
  doorStage,
  everyRoute,
  type Stage,
} from '#test/harness/door-stage.ts'

/** What a door says of it: status, what its body has, and when to come again. */
const away = {
  native: { status: 503, says: /"code":"StoreUnavailable"/, retry: true },
  volcengine: { status: 500, says: /"Code":"InternalError"/, retry: false },
  keystone: { status: 503, says: /"title":"Service Unavailable"/, retry: true },
  'modelarts-service': { status: 500, says: /"error_code":"ModelArts\.\d{4}"/, retry: false },
  'modelarts-notebook': { status: 500, says: /"error_code":"ModelArts\.\d{4}"/, retry: false },
  servicecomb: { status: 500, says: /"errorCode":"500011"/, retry: false },
  huawei: { status: 503, says: /"error_code":"APIGW\.0201"/, retry: true },
  nova: { status: 503, says: /store is not usable|Service Unavailable/, retry: true },
} as const satisfies Record<DoorName, object>

const log: string[] = []
const brittle = brittleStore()
let stage: Stage
before(async () => {
  stage = await doorStage((line) => void log.push(line), brittle.store)
})
after(() => stage.w.close())

describe('a store that cannot be read', () => {
  for (const door of doorNames)
    it(`${door}: every GET is answered from memory or told so`, async () => {
      const gets = everyRoute.filter(
        ({ door: of, verb, upgrade, path }) =>
          of === door && verb === 'GET' && !upgrade && !path.endsWith('/stream'),
      )
      const all = async () => {
        const heard = []
        for (const route of gets)
          heard.push(await hear(stage.w.url, asked(stage, route, stage.people.ada)))
        return heard
      }
      // Who asks is known by then, as it is while a server runs.
      const before = await all()
      const broken = ['get', 'find', 'list', 'count', 'events'] as const
      const told = await brittle.whileBroken(
        broken.map((call) => ({ call })),
        all,
      )
      const { status, says, retry } = away[door]
      assert.ok(told.some((one) => one.status >= 500))
      for (const [at, one] of told.entries()) {
        if (one.status < 500) {
          // Nothing is left out as if it were not there.
          assert.deepEqual([one.status, one.text], [before[at]?.status, before[at]?.text])
          continue
        }
        assert.equal(one.status, status, one.text)
        assert.match(one.text, says)
        assert.equal('retry-after' in one.headers, retry)
      }
    })

  it('is no bug to whoever reads the log', () => {
    assert.ok(log.some((line) => line.includes('the store could not be read')))
    assert.deepEqual(
      log.filter((line) => line.includes('this is a bug')),
      [],
    )
  })
})
