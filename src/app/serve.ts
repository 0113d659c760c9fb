// Wires the rooms and opens the house: store, identity, drivers, engine, doors, listeners, in that order; closes
// it in the reverse one. Nothing is decided here.

import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { type AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { type FastifyInstance } from 'fastify'
import { type Logger } from 'pino'
import { type Caller } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { type Clock } from '#kernel/ports/clock.ts'
import { type Driver } from '#kernel/ports/driver.ts'
import { type Store } from '#kernel/ports/store.ts'
import { realClock } from '#engine/clock.ts'
import { type Engine, startEngine } from '#engine/plane.ts'
import { ensureIdentity, type FreshCredentials, seedFaultText } from '#identity/seed.ts'
import { type IdentityRoom } from '#identity/identity.ts'
import { type Door } from '#doors/shared/http.ts'
import {
  addresses,
  type Credentials,
  credentialsFile,
  readCredentials,
  writeCredentials,
} from './credentials.ts'
import { builtIn, puts } from './catalogue.ts'
import { openDoors, openDrivers, unguarded } from './plugins.ts'
import { healthDoor } from './health.ts'
import { listener } from './listeners.ts'
import { openStore } from './open-store.ts'
import { endAll, stillRunning } from './shutdown.ts'
import { type Settings } from './settings.ts'
import { makeStarter, sampleLines } from './starter.ts'

export interface Server {
  readonly url: string
  readonly engine: Engine
  readonly identity: IdentityRoom
  /** This start made the credentials. */
  readonly fresh: boolean
  readonly credentialsFile: string
  readonly credentials: Credentials
  readonly sample: readonly (readonly [string, string])[]
  /** Lets what is in flight end, closes the store, and tells which real things go on running. */
  close(): Promise<readonly string[]>
  /** Ends every real thing, and tells what it ended. */
  stopAll(): Promise<readonly string[]>
}

/** What tests put in place of the real thing. */
export interface Overrides {
  readonly store?: Store
  readonly clock?: Clock
}

const loopback = /^(127\.|::1$|localhost$)/

export async function serve(
  settings: Settings,
  log: Logger,
  overrides: Overrides = {},
): Promise<Result<Server, string>> {
  const guard = unguarded(settings)
  if (guard.length > 0 && !loopback.test(settings.host) && settings.file.allowOpenDoors !== true) {
    return err(
      `${settings.host} is not a loopback address and the door ${guard.join(', ')} asks for no credentials: switch its rbac on, disable it, or set allowOpenDoors: true`,
    )
  }
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 })
  const store = overrides.store ? ok(overrides.store) : await openStore(settings.dataDir)
  if (!store.ok) return store
  const opened = await furnish(settings, log, store.value, overrides.clock ?? realClock)
  if (!opened.ok) await store.value.close()
  return opened
}

async function furnish(
  settings: Settings,
  log: Logger,
  store: Store,
  clock: Clock,
): Promise<Result<Server, string>> {
  let made: FreshCredentials | undefined
  const keep = async (fresh: FreshCredentials): Promise<void> => {
    made = fresh
    await writeCredentials(settings.dataDir, secretsOf(fresh))
  }
  const identity = await ensureIdentity({
    store,
    nowMs: () => clock.nowMs(),
    folder: settings.dataDir,
    settings: settings.file.identity ?? {},
    keep,
  })
  if (!identity.ok) return err(seedFaultText(identity.error))
  const drivers = openDrivers(settings, { clock, log })
  if (!drivers.ok) return drivers
  const engine = await startEngine({
    store,
    clock,
    drivers: drivers.value,
    worker: `${hostname()}:${process.pid}`,
    freshId: () => randomUUID(),
    log,
  })
  const owner = await ownerOf(identity.value)
  await fillCatalogue(engine, owner, settings, [...drivers.value.keys()])
  const doors = openDoors(settings, {
    plane: engine.plane,
    identity: identity.value,
    region: settings.region,
    log,
  })
  if (!doors.ok) return doors
  return open(
    {
      settings,
      log,
      store,
      identity: identity.value,
      drivers: drivers.value,
      engine,
      owner,
      fresh: made !== undefined,
    },
    doors.value,
  )
}

function secretsOf(fresh: FreshCredentials): Credentials {
  return {
    RUNSTATE_TOKEN: fresh.token,
    OS_USERNAME: fresh.userName,
    OS_PASSWORD: fresh.password,
    OS_PROJECT_NAME: fresh.projectName,
    OS_PROJECT_ID: fresh.projectId,
    HUAWEICLOUD_PROJECT_ID: fresh.projectId,
    ...(fresh.keys === undefined
      ? {}
      : {
          HUAWEICLOUD_SDK_AK: fresh.keys.plain.id,
          HUAWEICLOUD_SDK_SK: fresh.keys.plain.secret,
          VOLCENGINE_ACCESS_KEY: fresh.keys.long.id,
          VOLCENGINE_SECRET_KEY: fresh.keys.long.secret,
        }),
  }
}

/** The administrator, in whose name configuration and the starter fleet are put in place. */
async function ownerOf(identity: IdentityRoom): Promise<Caller> {
  const project = await identity.project({ name: 'default', domainId: 'default' })
  const admin = await identity.directory.userNamed({ name: 'admin', domain: { id: 'default' } })
  const caller = admin && (await identity.callerOf(admin.id, project?.id ?? null))
  if (!caller?.ok) throw new Error('the administrator that identity has just made is not there')
  return { ...caller.value, role: 'admin' }
}

async function fillCatalogue(
  { plane }: Engine,
  caller: Caller,
  settings: Settings,
  drivers: readonly string[],
): Promise<void> {
  const submission = { caller, door: 'configuration', requestId: 'start' }
  const rows = drivers.map(
    (id) =>
      ({ verb: 'put', table: 'drivers', row: { id, available: true, reason: null } }) as const,
  )
  const builtIns = [...rows, ...puts(builtIn)]
  for (const request of builtIns)
    if (!(await plane.read.get(request.table, request.row.id)))
      await plane.submit(request, submission)
  for (const request of puts(settings.file.catalogue ?? {})) {
    const known = await plane.read.get(request.table, request.row.id)
    if (JSON.stringify({ ...known, ...request.row }) !== JSON.stringify(known))
      await plane.submit(request, submission)
  }
}

interface House {
  readonly settings: Settings
  readonly log: Logger
  readonly store: Store
  readonly identity: IdentityRoom
  readonly drivers: ReadonlyMap<string, Driver>
  readonly engine: Engine
  readonly owner: Caller
  readonly fresh: boolean
}

async function open(
  house: House,
  doors: readonly { readonly door: Door; readonly port: number | null }[],
): Promise<Result<Server, string>> {
  const { settings, log, engine } = house
  let stopping = false
  const health = healthDoor({ plane: engine.plane, depth: engine.depth, stopping: () => stopping })
  const shared = listener(
    [health, ...doors.filter((one) => one.port === null).map((one) => one.door)],
    log,
  )
  const own = doors.flatMap((one) =>
    one.port === null
      ? []
      : [{ name: one.door.name, port: one.port, app: listener([health, one.door], log) }],
  )
  const address = await listen(shared, settings.host, settings.port)
  if (!address.ok) return address
  const urls = new Map<string, string>()
  for (const one of own) {
    const bound = await listen(one.app, settings.host, one.port)
    if (!bound.ok) return bound
    urls.set(one.name, bound.value)
  }
  const url = address.value
  const ecsRegion = String(settings.file.doors?.['volcengine']?.['region'] ?? 'cn-beijing')
  await writeCredentials(
    settings.dataDir,
    addresses(url, settings.region, ecsRegion, urls.get('servicecomb') ?? url),
  )
  const starter =
    house.fresh && settings.starter ? await makeStarter(engine.plane, house.owner) : undefined
  const credentials = readCredentials(settings.dataDir)
  return ok({
    url,
    engine,
    identity: house.identity,
    fresh: house.fresh,
    credentialsFile: credentialsFile(settings.dataDir),
    credentials,
    sample: starter ? sampleLines(url, credentials['OS_PROJECT_ID'] ?? '', starter) : [],
    stopAll: () => endAll(engine.plane, house.owner),
    close: async () => {
      stopping = true
      await Promise.all([shared, ...own.map((one) => one.app)].map((app) => app.close()))
      await engine.close()
      const left = await stillRunning(house.store)
      await Promise.all([...house.drivers.values()].map((driver) => driver.close()))
      await house.store.close()
      return left
    },
  })
}

async function listen(
  app: FastifyInstance,
  host: string,
  port: number,
): Promise<Result<string, string>> {
  try {
    await app.listen({ host, port })
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'EADDRINUSE')
      return err(`port ${port} on ${host} is in use: set RUNSTATE_PORT, or 0 for any free one`)
    if (code === 'EADDRNOTAVAIL' || code === 'EACCES' || code === 'ENOTFOUND')
      return err(`cannot listen on ${host} port ${port}: ${String(code)}`)
    throw thrown
  }
  const bound = app.server.address() as AddressInfo // a TCP server that listens has one
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return ok(`http://${shown === '0.0.0.0' || shown === '[::]' ? '127.0.0.1' : shown}:${bound.port}`)
}
