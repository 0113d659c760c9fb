// Who asks in a walk: users of each role in one project, and one of another. Made once, for proving who somebody
// is costs more than a whole walk; every walk's plane knows them.

import type { Project } from '#kernel/project.ts'
import { ensureIdentity, seedFaultText } from '#identity/seed.ts'
import type { IdentityRoom } from '#identity/identity.ts'
import { memoryStore } from '#stores/memory/store.ts'
import type { Homes } from './commit-laws.ts'
import type { KeyPair } from './ecs.ts'

export interface Person {
  readonly name: string
  readonly token: string
  readonly keys: KeyPair
  readonly userId: string
  readonly project: string
  readonly projectName: string
}

export interface People {
  readonly identity: IdentityRoom
  readonly homes: Homes
  readonly projects: readonly Project[]
  readonly named: Readonly<Record<Name, Person>>
  /** By whose clock tokens and signatures are judged from now on. */
  follow(nowMs: () => number): void
}

const users = {
  mary: { one: 'member' },
  rita: { one: 'reader' },
  ada: { one: 'admin' },
  otto: { two: 'member' },
} as const
type Name = keyof typeof users
const names = Object.keys(users) as readonly Name[] // keys of a const table
const password = 'a-password-nobody-guesses'

let made: Promise<People> | undefined
export const people = (nowMs: number): Promise<People> => (made ??= make(nowMs))

async function make(startMs: number): Promise<People> {
  let clock = (): number => startMs
  const store = memoryStore()
  const opened = await ensureIdentity({
    store,
    nowMs: () => clock(),
    folder: null,
    settings: {
      projects: [{ name: 'one' }, { name: 'two' }],
      users: names.map((name) => ({ name, password, roles: users[name] })),
    },
    keep: async () => undefined,
    passwordCost: { blocks: 2 ** 10, r: 8, parallel: 1 },
  })
  if (!opened.ok) throw new Error(seedFaultText(opened.error))
  const identity = opened.value
  const all = await Promise.all(names.map((name) => somebody(identity, name)))
  const homes = new Map(
    all.map((one) => [one.userId, { project: one.project, isAdmin: one.name === 'ada' }]),
  )
  return {
    identity,
    homes,
    projects: await store.list('projects', { limit: 100 }),
    named: Object.fromEntries(all.map((one) => [one.name, one])) as People['named'], // one for each name
    follow: (nowMs) => (clock = nowMs),
  }
}

async function somebody(identity: IdentityRoom, name: Name): Promise<Person> {
  const [projectName = ''] = Object.keys(users[name])
  const user = await identity.directory.userByName(name, 'default')
  const project = await identity.project({ name: projectName, domainId: 'default' })
  if (!user || !project) throw new Error(`${name} is not there`)
  const granted = await identity.issue({ user, project: project.id, methods: ['password'] })
  if (!granted.ok) throw new Error(granted.error.code)
  const wanted = { userId: user.id, look: 'long', project: project.id, description: '' } as const
  const { pair } = await identity.keys.create(wanted)
  return {
    name,
    token: granted.value.text,
    keys: { accessKeyId: pair.id, secretKey: pair.secret },
    userId: user.id,
    project: project.id,
    projectName,
  }
}
