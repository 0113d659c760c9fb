// Another tenant's things cannot be told from things that never were: for every route of every door that names
// one, the answer is the same, byte for byte, but for the name itself.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  asked,
  type Asking,
  type Heard,
  hear,
  held,
  parametersOf,
  targetOf,
} from '#test/harness/door-call.ts'
import { actionParams, ecsIdOf, samples } from '#test/harness/door-samples.ts'
import {
  doorNames,
  type DoorRoute,
  doorStage,
  everyRoute,
  isOpen,
  type Stage,
} from '#test/harness/door-stage.ts'

let stage: Stage
before(async () => {
  stage = await doorStage(() => undefined)
})
after(() => stage.w.close())

/** What these name belongs to everybody; the rest belongs to one project. */
const shared = new Set([
  'node_id',
  'flavor_id',
  'image_id',
  'region_id',
  'domain_id',
  'key',
  'alias',
  'tag',
  'schemaId',
])
const sharedCollection =
  /\/(flavors|images|pools|nodes|drivers|roles|regions|domains)\/:id$|\/v3\/(services|endpoints)\/:id$/
const isProject = (parameter: string): boolean => ['project_id', 'project'].includes(parameter)
/** Documents of versions say nothing of any project. */
const isForAll = (route: DoorRoute): boolean => route.door !== 'servicecomb' && isOpen(route)
/** The registry asks for no credentials: who names another's project is in it, as its protocol has it. */
const namesOpenProject = ({ door }: DoorRoute, parameter: string): boolean =>
  door === 'servicecomb' && parameter === 'project'

const privateOf = (route: DoorRoute): readonly string[] =>
  sharedCollection.test(route.path) || isForAll(route)
    ? []
    : parametersOf(route).filter((one) => !shared.has(one) && !namesOpenProject(route, one))

/** An id of the same look that nothing ever had. */
function unheardOf(id: string): string {
  if (/^[0-9a-f]{8}-/.test(id)) return randomUUID()
  if (/^(DE|req)-/.test(id)) return `${id.slice(0, id.indexOf('-'))}-${randomUUID()}`
  if (/^[0-9a-f]{32}$/.test(id)) return randomUUID().replaceAll('-', '')
  return id.replace(/.$/, (last) => (last === '9' ? '8' : '9'))
}

/** The longest first: a request id of digits alone begins like another look of id. */
const passing =
  /\b\d{14}[0-9A-F]{20}\b|req-[0-9a-f-]{36}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|127\.0\.0\.1:\d+/g
/** Without the id that was asked for, the request's own, and the time. */
const masked = ({ status, headers, text }: Heard, ids: readonly string[]) => ({
  status,
  headers: Object.keys(headers).toSorted(),
  text: ids
    .reduce((all, id) => all.replaceAll(id, 'ID'), text)
    .replaceAll(passing, 'PASSING')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
})

async function tell(route: DoorRoute, asking: Asking): Promise<Heard> {
  const ask = asked(stage, route, stage.people.otto, asking)
  const heard = await hear(stage.w.url, ask)
  held(route, ask, heard)
  return heard
}

const sampleOf = ({ operation }: DoorRoute): Asking => {
  const { body, params } = samples[operation] ?? {}
  return { ...(body ? { body: JSON.stringify(body) } : {}), ...(params ? { params } : {}) }
}

/** Everything of the other project that an answer could name. */
const theirs = (): readonly string[] => {
  const { server, notebook, edge, registered, people } = stage
  const rows = [server, notebook, edge, registered]
  const named = rows.flatMap(({ id, aliases }) => [id, ...Object.values(aliases)])
  return [...named, edge.serviceId ?? '', 'of-one', people.mary.project, people.mary.userId]
}

const listsFlavors = /\/(flavors|flavors\/detail|specifications)$/
/** Doors that named one. */
const listing = new Set<string>()

for (const door of doorNames.filter((one) => one !== 'volcengine'))
  describe(`through ${door}`, () => {
    const routes = everyRoute.filter((route) => route.door === door)

    it("another tenant's id is answered as one that never was", async () => {
      const rows = await stage.rows()
      let compared = 0
      const { otto } = stage.people
      const home = { project_id: otto.project, project: otto.projectName }
      for (const route of routes)
        for (const parameter of privateOf(route)) {
          const id = stage.idFor(route, parameter)
          const other = unheardOf(id)
          const answers = []
          for (const one of [id, other]) {
            const target = targetOf(stage, route, { ...home, [parameter]: one })
            answers.push(masked(await tell(route, { ...sampleOf(route), target }), [id, other]))
          }
          const what = `${route.verb} ${route.path} ${parameter}`
          if (isProject(parameter) && answers[0]?.status === 200) assert.fail(`${what} let in`)
          assert.deepEqual(answers[0], answers[1], what)
          compared += 1
        }
      assert.ok(compared > 5)
      assert.equal(await stage.rows(), rows)
    })

    it('no list, and no answer at all, names what is another tenant’s', async () => {
      const { otto } = stage.people
      const home = { project_id: otto.project, project: otto.projectName }
      for (const route of routes.filter(({ verb }) => verb === 'GET')) {
        if (privateOf(route).some((one) => !isProject(one))) continue
        const target = targetOf(stage, route, home)
        const { text } = await tell(route, { ...sampleOf(route), target })
        for (const name of theirs()) assert.ok(!text.includes(name), `${route.path} names ${name}`)
      }
    })

    it('a list of flavors names to each project its own as well', async () => {
      const { mary } = stage.people
      const home = { project_id: mary.project, project: mary.projectName }
      for (const route of routes.filter(({ verb }) => verb === 'GET')) {
        if (!listsFlavors.test(route.path)) continue
        const target = targetOf(stage, route, home)
        const ask = asked(stage, route, mary, { ...sampleOf(route), target })
        const { text } = await hear(stage.w.url, ask)
        assert.ok(text.includes('flavor-of-one'), `${route.path}: ${text}`)
        listing.add(door)
      }
    })
  })

it('most doors list flavors', () => {
  assert.deepEqual([...listing].toSorted(), [
    'huawei',
    'modelarts-notebook',
    'modelarts-service',
    'native',
    'nova',
  ])
})

describe('through volcengine', () => {
  const [route] = everyRoute.filter(({ operations }) => operations)
  assert.ok(route?.operations)
  for (const { operation: action } of route.operations)
    it(`${action} answers another tenant's id as one that never was`, async () => {
      const rows = await stage.rows()
      const id = ecsIdOf(stage)
      const other = unheardOf(id)
      const answers = []
      for (const one of [id, other])
        answers.push(masked(await tell(route, { action, params: actionParams(one) }), [id, other]))
      assert.deepEqual(answers[0], answers[1])
      assert.equal(await stage.rows(), rows)
      const { text } = await tell(route, { action })
      for (const name of theirs()) assert.ok(!text.includes(name), `${action} names ${name}`)
    })
})

describe('through native', () => {
  it('naming another project is answered as naming none that is', async () => {
    const { project } = stage.people.mary
    const other = unheardOf(project)
    for (const route of everyRoute.filter(
      ({ door, operation }) => door === 'native' && operation !== 'getDocument',
    )) {
      const answers = []
      for (const one of [project, other]) {
        const { params, ...sent } = sampleOf(route)
        const heard = await tell(route, { ...sent, params: { ...params, project: one } })
        answers.push(masked(heard, [project, other]))
      }
      assert.deepEqual(answers[0], answers[1], `${route.verb} ${route.path}`)
      assert.ok(answers[0] && answers[0].status >= 400, route.path)
    }
  })
})
