// Wires the rooms and opens the house: store, identity, drivers, engine, doors, listeners, in that order; closes
// it in the reverse one. Nothing is decided here.

import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Caller } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { defaultGuardPolicy } from '#kernel/guard.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Driver } from '#kernel/ports/driver.ts'
import type { PutCatalogue } from '#kernel/request.ts'
import { type Store, StoreError } from '#kernel/ports/store.ts'
import { realClock } from '#engine/clock.ts'
import { type Engine, startEngine } from '#engine/plane.ts'
import { ensureIdentity, type FreshCredentials, seedFaultText } from '#identity/seed.ts'
import type { IdentityRoom } from '#identity/identity.ts'
import type { ScryptCost } from '#identity/secrets.ts'
import type { Door } from '#doors/shared/http.ts'
import { makeFolder } from '#stores/sqlite/folder.ts'
import {
  addresses,
  type Credentials,
  credentialsFile,
  readCredentials,
  type UrlOf,
  writeCredentials,
} from './credentials.ts'
import { builtIn, puts } from './catalogue.ts'
import { freshId } from './fresh-id.ts'
import { openDoors, openDrivers, unguarded } from './plugins.ts'
import { healthDoor } from './health.ts'
import { closeListener, listener } from './listeners.ts'
import { openStore } from './open-store.ts'
import { endAll, type Ending, stillRunning } from './shutdown.ts'
import type { Settings } from './settings.ts'
import { makeStarter, sampleLines } from './starter.ts'

export interface Server {
  readonly url: string
  readonly engine: Engine
  readonly identity: IdentityRoom
  /** This start made the starter fleet. */
  readonly fresh: boolean
  readonly credentialsFile: string
  readonly credentials: Credentials
  readonly sample: readonly (readonly [string, string])[]
  /** Lets what is in flight end, closes the store, and tells which real things go on running. */
  close(): Promise<readonly string[]>
  /** Ends every real thing, and tells what came of each. */
  stopAll(): Promise<readonly Ending[]>
}

/** What tests put in place of the real thing. */
export interface Overrides {
  readonly store?: Store
  readonly clock?: Clock
  /** Less than passwords deserve: tests make many. */
  readonly passwordCost?: ScryptCost
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
  const store = await storeFor(settings.dataDir, overrides.store)
  if (!store.ok) return store
  const opened = await furnish(settings, log, store.value, overrides).catch((thrown: unknown) =>
    err(worldsFault(settings.dataDir, thrown)),
  )
  if (!opened.ok) await store.value.close()
  return opened
}

async function storeFor(dataDir: string, given: Store | undefined): Promise<Result<Store, string>> {
  try {
    makeFolder(dataDir)
  } catch (thrown) {
    return err(worldsFault(dataDir, thrown))
  }
  return given ? ok(given) : await openStore(dataDir)
}

/** A disk that is full, read-only or broken is for its owner to mend, in one line; anything else is a bug of ours. */
function worldsFault(dataDir: string, thrown: unknown): string {
  const isWorld = thrown instanceof StoreError || (thrown instanceof Error && 'syscall' in thrown)
  if (!isWorld) throw thrown
  return `the data folder ${dataDir} cannot be used: ${thrown.message}`
}

async function furnish(
  settings: Settings,
  log: Logger,
  store: Store,
  overrides: Overrides,
): Promise<Result<Server, string>> {
  const { clock = realClock } = overrides
  const keep = (fresh: FreshCredentials): Promise<void> =>
    writeCredentials(settings.dataDir, secretsOf(fresh))
  const identity = await ensureIdentity({
    store,
    nowMs: () => clock.nowMs(),
    folder: settings.dataDir,
    settings: settings.file.identity ?? {},
    keep,
    ...(overrides.passwordCost ? { passwordCost: overrides.passwordCost } : {}),
  })
  if (!identity.ok) return err(seedFaultText(identity.error))
  const drivers = openDrivers(settings, { clock, log })
  if (!drivers.ok) return drivers
  const engine = await startEngine({
    store,
    clock,
    drivers: drivers.value,
    worker: `${hostname()}:${process.pid}`,
    freshId,
    guard: { ...defaultGuardPolicy, ...settings.file.registry?.guard },
    log,
  })
  // A project that was changed through the plane is another one to whoever remembers it.
  engine.plane.follow((events) => {
    if (events.some((event) => event.data['table'] === 'projects')) identity.value.forget()
  })
  const owner = await ownerOf(identity.value)
  const rooms = { plane: engine.plane, identity: identity.value }
  const filled = await fillCatalogue(rooms, owner, settings, [...drivers.value.values()])
  const parts = { plane: engine.plane, identity: identity.value, region: settings.region, log }
  const doors = filled.ok ? openDoors(settings, parts) : filled
  const house = { settings, log, store, identity: identity.value, drivers: drivers.value, engine }
  const opened = doors.ok ? await open({ ...house, owner }, doors.value) : doors
  if (opened.ok) return opened
  // Nobody will close what nobody was given.
  await engine.close()
  await Promise.all([...drivers.value.values()].map((driver) => driver.close()))
  return opened
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

interface Rooms {
  readonly plane: Engine['plane']
  readonly identity: IdentityRoom
}

async function projectIds(
  identity: IdentityRoom,
  names: readonly string[],
): Promise<Result<readonly ProjectId[], string>> {
  const ids: ProjectId[] = []
  for (const name of names) {
    const project = await identity.project({ name, domainId: 'default' })
    if (!project) return err(`names the project "${name}", which is none`)
    ids.push(project.id)
  }
  return ok(ids)
}

/** All at once, so that a start is one commit however long the catalogue. */
async function fillCatalogue(
  { plane, identity }: Rooms,
  caller: Caller,
  settings: Settings,
  drivers: readonly Driver[],
): Promise<Result<void, string>> {
  const known = (request: PutCatalogue) => plane.read.get(request.table, request.row.id)
  const wanted: PutCatalogue[] = []
  const wantUnlessSo = async (request: PutCatalogue): Promise<void> => {
    const row = await known(request)
    if (JSON.stringify({ ...row, ...request.row }) !== JSON.stringify(row)) wanted.push(request)
  }
  for (const { name: id, capabilities } of drivers) {
    // An operator's switch stays as it was set; what the driver can do may be news.
    const before = (await plane.read.get('drivers', id)) ?? { available: true, reason: null }
    const row = { ...before, id, acts: capabilities.acts }
    await wantUnlessSo({ verb: 'put', table: 'drivers', row })
  }
  for (const request of puts(builtIn)) if (!(await known(request))) wanted.push(request)
  const file = settings.file.catalogue ?? {}
  for (const request of puts(file)) {
    if (request.table !== 'flavors') {
      await wantUnlessSo(request)
      continue
    }
    const said = file.flavors?.find(({ id }) => id === request.row.id)?.projects
    const named = said && (await projectIds(identity, said))
    if (named && !named.ok) return err(`catalogue.flavors: ${request.row.id} ${named.error}`)
    const projects = named?.value ?? (await plane.read.get('flavors', request.row.id))?.projects
    await wantUnlessSo({ ...request, row: { ...request.row, ...(projects && { projects }) } })
  }
  const submission = { caller, door: 'configuration', requestId: 'start' }
  const results = await Promise.all(wanted.map((request) => plane.submit(request, submission)))
  for (const [at, result] of results.entries()) {
    const request = wanted[at]
    if (result.ok || !request) continue
    return err(
      `the catalogue's ${request.table} ${request.row.id} is refused: ${JSON.stringify(result.error)}`,
    )
  }
  return ok(undefined)
}

interface House {
  readonly settings: Settings
  readonly log: Logger
  readonly store: Store
  readonly identity: IdentityRoom
  readonly drivers: ReadonlyMap<string, Driver>
  readonly engine: Engine
  readonly owner: Caller
}

type OpenDoors = readonly { readonly door: Door; readonly port: number | null }[]

async function open(house: House, doors: OpenDoors): Promise<Result<Server, string>> {
  const { settings, engine } = house
  const listeners = { apps: [] as FastifyInstance[], stopping: false }
  // Whoever only wants everything ended needs no door, and must not take the addresses of one who serves.
  const urls = settings.stopAll ? ok(() => '') : await listenAll(house, doors, listeners)
  if (!urls.ok) return urls
  const urlOf = urls.value
  const region = settings.file.doors?.['volcengine']?.['region']
  const ecsRegion = typeof region === 'string' ? region : 'cn-beijing'
  if (!settings.stopAll) {
    await writeCredentials(
      settings.dataDir,
      addresses({ urlOf, region: settings.region, ecsRegion }),
    )
  }
  const starter = (await wantsStarter(house))
    ? await makeStarter(engine.plane, house.owner)
    : undefined
  const credentials = readCredentials(settings.dataDir)
  return ok({
    url: urlOf('shared'),
    engine,
    identity: house.identity,
    fresh: starter !== undefined,
    credentialsFile: credentialsFile(settings.dataDir),
    credentials,
    sample: starter ? sampleLines(urlOf, credentials['OS_PROJECT_ID'] ?? '', starter) : [],
    stopAll: () => endAll(engine.plane, house.owner),
    close: async () => {
      listeners.stopping = true
      await Promise.all(listeners.apps.map(closeListener))
      await engine.close()
      const left = await stillRunning(house.store)
      await Promise.all([...house.drivers.values()].map((driver) => driver.close()))
      await house.store.close()
      return left
    },
  })
}

/** Only where nothing ever was: whoever deleted the starter fleet does not get it back. */
async function wantsStarter({ settings, store }: House): Promise<boolean> {
  if (!settings.starter || settings.stopAll) return false
  return (await store.count('instances', {})) === 0 && (await store.count('services', {})) === 0
}

/** One listener for all doors, and one for each that has a port of its own. */
async function listenAll(
  { settings, log, engine }: House,
  doors: OpenDoors,
  listeners: { readonly apps: FastifyInstance[]; readonly stopping: boolean },
): Promise<Result<UrlOf, string>> {
  const { plane, depth } = engine
  const health = healthDoor({ plane, depth, stopping: () => listeners.stopping })
  const together = doors.filter((one) => one.port === null).map((one) => one.door)
  const wanted = [
    { name: 'shared', port: settings.port, doors: [health, ...together] },
    ...doors.flatMap(({ door, port }) =>
      port === null ? [] : [{ name: door.name, port, doors: [health, door] }],
    ),
  ]
  const urls = new Map<string, string>()
  for (const one of wanted) {
    const app = listener(one.doors, log)
    listeners.apps.push(app)
    const bound = await listen(app, settings.host, one.port)
    if (!bound.ok) {
      await Promise.all(listeners.apps.map(closeListener))
      return bound
    }
    urls.set(one.name, bound.value)
  }
  const shared = urls.get('shared') ?? ''
  return ok((door) => urls.get(door) ?? shared)
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
