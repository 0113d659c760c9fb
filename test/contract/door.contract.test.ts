// Every route of every door, from the doors' own tables, held against bad credentials and bad input: an answer in
// the door's own words, nothing changed, nothing told that nobody should know.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Ask,
  asked,
  type Asking,
  type Heard,
  hear,
  held,
  parametersOf,
  secretsSent,
  targetOf,
} from '#test/harness/door-call.ts'
import {
  type DoorName,
  doorNames,
  type DoorRoute,
  doorStage,
  everyRoute,
  isOpen,
  type Somebody,
  type Stage,
} from '#test/harness/door-stage.ts'
import { actionParams, ecsIdOf, samples } from '#test/harness/door-samples.ts'
import { everyDoor } from '../../tools/pages/doors.ts'
import { pathTable } from '#app/path-table.ts'

let stage: Stage
const log: string[] = []
const refusals: string[] = []
before(async () => {
  stage = await doorStage((line) => void log.push(line))
})
after(() => stage.w.close())

const reads = (route: DoorRoute): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(route.verb)

/** Asks, holds the answer against the laws of every answer, and remembers what it said. */
async function tell(route: DoorRoute, ask: Ask): Promise<Heard> {
  const heard = await hear(stage.w.url, ask)
  held(route, ask, heard)
  if (heard.status >= 400) refusals.push(heard.text, JSON.stringify(heard.headers))
  return heard
}

const say = (route: DoorRoute, who: Pick<Somebody, 'token' | 'keys'> | null, asking?: Asking) =>
  tell(route, asked(stage, route, who, asking))

/** Runs for each route of a door, and checks after each that all rows are as they were. */
async function onEvery(
  door: DoorName,
  which: (route: DoorRoute) => boolean,
  check: (route: DoorRoute) => Promise<void>,
): Promise<void> {
  const routes = everyRoute.filter((route) => route.door === door && which(route))
  assert.ok(routes.length > 0 || door === 'servicecomb')
  const rows = await stage.rows()
  for (const route of routes) {
    await check(route)
    const now = await stage.rows()
    assert.equal(now, rows, `${door} ${route.verb} ${route.path} changed something`)
  }
}

const everyAction = everyRoute.flatMap(({ operations = [] }) =>
  operations.map(({ operation }) => operation),
)
/** One route may stand for many actions; each of them is asked. */
const actionsOf = (route: DoorRoute): readonly (string | undefined)[] =>
  route.operations ? [...new Set(everyAction)] : [undefined]
const named = (action: string | undefined) => (action === undefined ? {} : { action })

/** Turned away at the door: whose credentials are none, wrong, or too weak. */
const unproved = {
  native: [401],
  volcengine: [400, 401, 403],
  keystone: [401],
  'modelarts-service': [401],
  'modelarts-notebook': [401],
  servicecomb: [],
  huawei: [401],
  nova: [401],
} as const satisfies Record<DoorName, readonly number[]>

const forbidden = {
  native: [403],
  volcengine: [403],
  // Whether somebody's credential is there comes before who may remove it.
  keystone: [403, 404],
  'modelarts-service': [403],
  'modelarts-notebook': [403],
  servicecomb: [],
  huawei: [403],
  // Upstream has no tags in the version that is asked for when none is named.
  nova: [403, 404],
} as const satisfies Record<DoorName, readonly number[]>

const otherMethod = {
  native: [405],
  volcengine: [400, 405],
  keystone: [405],
  'modelarts-service': [404, 405],
  'modelarts-notebook': [404, 405],
  huawei: [404],
  // Where accounts are not asked for, their paths are not there.
  servicecomb: [404, 405],
  nova: [404],
} as const satisfies Record<DoorName, readonly number[]>

/** Everybody's own affair, whatever their role: a token of one's own, and a key for as long as one asks. */
const ownAffairs = ['revoke_token', 'create_temporary_credential']
const isChange = (route: DoorRoute): boolean =>
  !isOpen(route) && !reads(route) && !ownAffairs.includes(route.operation)
const isOwn = (parameter: string): boolean => !['project_id', 'project'].includes(parameter)

/** What is put under it is there afterwards, whatever it is called. */
const isNewName = ({ verb }: DoorRoute, parameter: string): boolean =>
  verb === 'PUT' && parameter === 'tag'

const isTolerant = ({ operation }: DoorRoute, what: string): boolean =>
  undemanding[operation]?.includes(what) ?? false

/** Nothing is read but the path, so no body of it can be wrong. */
const isBodiless = ({ verb }: DoorRoute): boolean => verb === 'DELETE'

const among = (statuses: readonly number[], { status, text }: Heard, what: string): void =>
  assert.ok(statuses.includes(status), `${what}: ${status} ${text.slice(0, 200)}`)

const big = Buffer.alloc(3 * 1024 * 1024, ' ')
const bodies: Readonly<Record<string, Buffer | string>> = {
  'JSON that ends too early': '{"a":',
  'JSON with a comment': '{} // no',
  'a list': '[]',
  'a text': '"text"',
  'a number': '0',
  null: 'null',
  'an object of nothing known':
    '{"unheard-of":{"__proto__":{"admin":true},"constructor":{"prototype":1}}}',
  'a key that reaches the prototype': '{"__proto__":{"polluted":true}}',
  'bytes that are not UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'a nest of ten thousand lists': `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  'a nest of ten thousand objects': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  'three MiB': big,
}

const objects = [
  'an object of nothing known',
  'a key that reaches the prototype',
  'a nest of ten thousand objects',
]

/** These know no field that they need, and ignore those that they do not know: such an object is a request. */
const undemanding: Readonly<Record<string, readonly string[]>> = {
  holdInstance: ['a key that reaches the prototype'],
  putFlavor: ['a key that reaches the prototype'],
  putImage: ['a key that reaches the prototype'],
  putNode: ['a key that reaches the prototype'],
  putDriver: ['a key that reaches the prototype'],
  putProject: ['a key that reaches the prototype'],
  // Its URL says all; nothing is nothing.
  addTag: ['null'],
  UpdateService: objects,
  // Source: notebook contract, section 1.11: a stray field is ignored.
  StartNotebook: objects,
  StopNotebook: objects,
  UpdateDevEnvironInstance: objects,
  // Clients that renew by the default send an object of nothing; an update may be of any of its fields.
  RenewLease: objects,
  UpdateNotebook: objects,
  // The original reads null as the object of nothing.
  'S5 update service properties': [...objects, 'null'],
  'I9 update instance properties': [...objects, 'null'],
  // No tags are a set of tags.
  'T1 put tags': [...objects, 'null'],
}
const strangeIds: Readonly<Record<string, string>> = {
  'a NUL': '%00',
  'a slash': 'a%2Fb',
  'a way up': '..%2F..%2Fetc%2Fpasswd',
  'five thousand letters': 'a'.repeat(5_000),
  'a snowman': '%E2%98%83',
  'half a character': '%E2%98',
  'a percent sign that escapes nothing': '%zz',
  __proto__: '__proto__',
  constructor: 'constructor',
  'a line feed': 'a%0Ab',
}

for (const door of doorNames)
  describe(`the door ${door}`, () => {
    it('turns away who has no credentials, garbage, or what has expired', async () => {
      const garbage = 'garbage-that-looks-like-a-token-0123456789'
      const keys = { accessKeyId: 'AKLTnobody', secretKey: 'a-secret-key-that-nobody-has' }
      secretsSent.add(keys.secretKey)
      const { mary } = stage.people
      const wrong = { ...mary.keys, secretKey: keys.secretKey }
      const nobody = [null, { token: garbage, keys }, { token: stage.expired, keys: wrong }]
      await onEvery(
        door,
        (route) => !isOpen(route),
        async (route) => {
          for (const action of actionsOf(route))
            for (const who of nobody)
              among(
                unproved[door],
                await say(route, who, named(action)),
                `${route.verb} ${route.path}`,
              )
        },
      )
    })

    it('lets a reader change nothing', async () => {
      const { rita } = stage.people
      await onEvery(door, isChange, async (route) => {
        const { body, params } = samples[route.operation] ?? {}
        const sent = {
          ...(body ? { body: JSON.stringify(body) } : {}),
          ...(params ? { params } : {}),
        }
        for (const action of actionsOf(route)) {
          if (action !== undefined && /^(Describe|List)/.test(action)) continue
          const asking =
            action === undefined ? sent : { action, params: actionParams(ecsIdOf(stage)) }
          const heard = await say(route, rita, asking)
          among(forbidden[door], heard, `${action} ${route.verb} ${route.path}`)
        }
      })
    })

    it('refuses bodies that are no request, and changes nothing', async () => {
      const { ada } = stage.people
      await onEvery(
        door,
        ({ operation }) => operation !== 'revoke_token',
        async (route) => {
          // What is removed by its path alone reads no body: then it is not there.
          const names = route.verb === 'DELETE' ? parametersOf(route).filter(isOwn) : []
          const target = targetOf(
            stage,
            route,
            Object.fromEntries(names.map((name) => [name, 'no'])),
          )
          for (const action of actionsOf(route))
            for (const [what, body] of Object.entries(bodies)) {
              if (isTolerant(route, what)) continue
              // Reading three MiB once is enough: a signed action is named in the query, before any body.
              if (body === big && action !== undefined && action !== 'StopInstance') continue
              const heard = await say(route, ada, { target, body, ...named(action) })
              if (isChange(route) && action === undefined && !isBodiless(route))
                assert.ok(
                  heard.status >= 400,
                  `${what}: ${heard.status} ${route.verb} ${route.path}`,
                )
            }
        },
      )
      assert.ok(!('polluted' in {}))
    })

    it('knows nothing by a strange id', async () => {
      const { ada } = stage.people
      await onEvery(
        door,
        (route) => parametersOf(route).length > 0 || door === 'volcengine',
        async (route) => {
          // What somebody puts under a new name is there afterwards: that is another law.
          const { mary, rita } = stage.people
          const who = route.operation.startsWith('put')
            ? mary
            : route.operation === 'addTag'
              ? rita
              : ada
          for (const id of Object.values(strangeIds))
            for (const parameter of parametersOf(route).filter((one) => !isNewName(route, one)))
              await say(route, who, { target: targetOf(stage, route, { [parameter]: id }) })
          if (door !== 'volcengine') return
          for (const id of ['\0', 'a/b', 'a'.repeat(5_000), '☃', '__proto__', 'a\nb'])
            for (const name of ['InstanceId', 'InstanceIds.1', id.slice(0, 100)])
              for (const action of actionsOf(route))
                if (action !== 'RunInstances')
                  await say(route, ada, { ...named(action), params: { [name]: id } })
        },
      )
    })

    it('has a word for a wrong method', async () => {
      const { ada } = stage.people
      const table = pathTable(everyDoor())
      await onEvery(
        door,
        (route) => route.operation !== 'MethodNotAllowed',
        async (route) => {
          const target = targetOf(stage, route)
          const known = table.methods(target)
          const method =
            ['PATCH', 'PUT', 'DELETE', 'POST'].find((one) => !known.includes(one)) ?? 'LINK'
          among(
            otherMethod[door],
            await say(route, ada, { target, method }),
            `${method} ${route.path}`,
          )
        },
      )
    })
  })

describe('the native catalogue', () => {
  it('what is put under a name of any script is found at its Location, or nothing is put', async () => {
    const { ada } = stage.people
    const route = everyRoute.find(({ operation }) => operation === 'putNode')
    const reading = everyRoute.find(({ operation }) => operation === 'getNode')
    assert.ok(route && reading)
    for (const id of Object.values(strangeIds)) {
      const rows = await stage.rows()
      const heard = await say(route, ada, { target: `/api/v1/nodes/${id}`, body: '{}' })
      if (heard.status >= 300) assert.equal(await stage.rows(), rows, id.slice(0, 80))
      else
        assert.equal(
          (await say(reading, ada, { target: String(heard.headers['location']) })).status,
          200,
        )
    }
  })
})

describe('secrets', () => {
  it('none that was sent or is known is in the log, nor in any refusal', async () => {
    const body = JSON.stringify({
      auth: {
        identity: {
          methods: ['password'],
          password: {
            user: {
              name: 'mary',
              domain: { id: 'default' },
              password: 'a-wrong-password-that-is-secret',
            },
          },
        },
      },
    })
    for (const route of everyRoute.filter(({ operation }) => operation === 'issue_token'))
      assert.equal((await say(route, null, { body })).status, 401)
    const known = Object.values(stage.people).flatMap(({ token, keys }) => [token, keys.secretKey])
    const all = new Set([
      ...secretsSent,
      ...known,
      stage.expired,
      stage.password,
      'a-wrong-password-that-is-secret',
    ])
    assert.ok(
      all.size > 100 && log.length > 1000 && refusals.length > 1000,
      'there is something to look into',
    )
    const logged = log.join('')
    const told = refusals.join('\n')
    for (const secret of all) {
      assert.ok(!logged.includes(secret), `the log tells ${secret}`)
      assert.ok(!told.includes(secret), `a refusal tells ${secret}`)
    }
  })

  it('nothing that was asked was a bug: the log has no error', () => {
    const errors = log.filter((line) => Number(/"level":(\d+)/.exec(line)?.[1]) >= 50)
    assert.deepEqual(errors.slice(0, 3), [])
  })
})
