// Three roles on every route of every door: reading takes no more than a reader's, and whoever may more is refused
// no more. What a reader may not change is told in door.contract.test.ts; what is another's, in tenancy.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { asked, type Asking, hear, held, parametersOf, targetOf } from '#test/harness/door-call.ts'
import { samples } from '#test/harness/door-samples.ts'
import {
  doorNames,
  type DoorRoute,
  doorStage,
  everyRoute,
  isOpen,
  type Stage,
  type UserName,
} from '#test/harness/door-stage.ts'

let stage: Stage
before(async () => {
  stage = await doorStage(() => undefined)
})
after(() => stage.w.close())

const isRead = ({ verb }: DoorRoute): boolean => ['GET', 'HEAD'].includes(verb)
/** A person's own, whatever their role: another person is refused. */
const isPersonal = (route: DoorRoute): boolean =>
  parametersOf(route).some((one) => ['user_id', 'access_key'].includes(one))

/** Who has a notebook's token is in the notebook: that is more than reading. */
const letsIn = ({ path }: DoorRoute): boolean =>
  path.endsWith('/demanager/instances/:instance_id/token')

async function told(route: DoorRoute, who: UserName, asking: Asking = {}): Promise<number> {
  const ask = asked(stage, route, stage.people[who], asking)
  const heard = await hear(stage.w.url, ask)
  held(route, ask, heard)
  return heard.status
}

/** Reading it is as good as using what it opens. */
const secrets: ReadonlySet<string> = new Set(['ShowDevEnvironToken'])
const tellsSecret = ({ operation }: DoorRoute): boolean => secrets.has(operation)

const names = (parameter: string): boolean => ['project_id', 'project'].includes(parameter)

/** As it would be asked for when all is well, of something that is not there: nothing of the stage is changed. */
function harmless(route: DoorRoute): Asking {
  const { body, params } = samples[route.operation] ?? {}
  const ids = parametersOf(route).filter((one) => !names(one))
  const target = targetOf(stage, route, Object.fromEntries(ids.map((id) => [id, randomUUID()])))
  return { target, ...(body ? { body: JSON.stringify(body) } : {}), ...(params ? { params } : {}) }
}

const guarded = everyRoute.filter((route) => !isOpen(route) && !isPersonal(route))
const refuses = (status: number): boolean => status === 401 || status === 403

for (const door of doorNames.filter((one) => one !== 'servicecomb'))
  describe(`through ${door}`, () => {
    const routes = guarded.filter((route) => route.door === door)

    it('a reader reads whatever a member reads, and an admin no less', async () => {
      let read = 0
      for (const route of routes.filter((one) => isRead(one) && !letsIn(one))) {
        const [rita, mary, ada] = [
          await told(route, 'rita'),
          await told(route, 'mary'),
          await told(route, 'ada'),
        ]
        const what = `${route.verb} ${route.path}`
        if (tellsSecret(route)) assert.deepEqual([rita, refuses(mary)], [403, false], what)
        else assert.equal(rita, mary, what)
        if (!refuses(mary)) assert.ok(!refuses(ada), `${route.verb} ${route.path}: ${ada}`)
        read += 1
      }
      assert.ok(read > 0)
    })

    it('what a reader may, a member may, and what a member may, an admin', async () => {
      const changes = routes.filter((route) => !isRead(route) && route.operation !== 'revoke_token')
      for (const route of changes) {
        const statuses = []
        for (const who of ['rita', 'mary', 'ada'] as const)
          statuses.push(refuses(await told(route, who, harmless(route))))
        const sorted = statuses.toSorted((a, b) => Number(b) - Number(a))
        assert.deepEqual(statuses, sorted, `${route.verb} ${route.path}`)
      }
    })
  })
