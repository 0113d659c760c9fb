// Every door and driver there is, and how settings open them. A new one is a line here.

import type { Static, TSchema } from 'typebox'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Driver } from '#kernel/ports/driver.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Logger } from 'pino'
import type { Door, DoorKind, House } from '#doors/shared/http.ts'
import { huawei } from '#doors/huawei/door.ts'
import { keystone } from '#doors/keystone/door.ts'
import { modelartsNotebook } from '#doors/modelarts-notebook/door.ts'
import { modelartsService } from '#doors/modelarts-service/door.ts'
import { native } from '#doors/native/door.ts'
import { nova } from '#doors/nova/door.ts'
import { serverWords } from '#doors/nova/server-words.ts'
import { servicecomb } from '#doors/servicecomb/door.ts'
import { volcengine } from '#doors/volcengine/door.ts'
import { processDriver } from '#drivers/process/driver.ts'
import { settings as processSettings } from '#drivers/process/config.ts'
import { simulatedDriver } from '#drivers/simulated/driver.ts'
import { settings as simulatedSettings } from '#drivers/simulated/config.ts'
import { validatorOf } from '#schema/validator.ts'
import { offers } from './offers.ts'
import type { Settings } from './settings.ts'

/** A door's kind, whatever its settings are. */
type OwnKind = Omit<DoorKind, 'open'> & { open(house: never): Door }

/** Order matters where one exchange fits several: the first door that claims it answers. */
export const doorKinds: readonly DoorKind[] = [
  widened(native),
  widened(volcengine),
  widened(keystone),
  widened(modelartsNotebook),
  widened(servicecomb),
  widened(huawei(serverWords)),
  // Below /v1 it answers for whatever is nobody else's.
  widened(modelartsService),
  widened(nova),
]

/** Each door reads its own settings; to the app they are what its schema let through. */
function widened(kind: OwnKind): DoorKind {
  return kind as DoorKind // `open` is given only what `settings` has checked
}

export const driverSettings = { process: processSettings, simulated: simulatedSettings } as const

/** Doors that would let anybody in: the registry, while its own accounts are off. */
export function unguarded(settings: Settings): readonly string[] {
  const registry = settings.file.doors?.['servicecomb'] ?? {}
  return registry['enabled'] === false || registry['rbac'] === true ? [] : ['servicecomb']
}

/** As people read them: what every client looks for comes first. */
const inOrder = Object.keys(offers)

export function openDoors(
  settings: Settings,
  house: Omit<House, 'settings' | 'offers'>,
): Result<readonly { readonly door: Door; readonly port: number | null }[], string> {
  const given = settings.file.doors ?? {}
  const stray = Object.keys(given).find((name) => !doorKinds.some((kind) => kind.name === name))
  if (stray !== undefined)
    return err(
      `doors.${stray} is not a door; known are ${doorKinds.map((kind) => kind.name).join(', ')}`,
    )
  const wanted: {
    readonly kind: DoorKind
    readonly settings: unknown
    readonly port: number | null
  }[] = []
  for (const kind of doorKinds) {
    const { enabled = true, port = null, ...rest } = given[kind.name] ?? {}
    if (typeof enabled !== 'boolean') return err(`doors.${kind.name}.enabled must be true or false`)
    if (port !== null && (!Number.isInteger(port) || Number(port) < 0 || Number(port) > 65_535))
      return err(`doors.${kind.name}.port must be a number from 0 to 65535`)
    const checked = check(kind.settings, rest, `doors.${kind.name}`)
    if (!checked.ok) return checked
    if (enabled)
      wanted.push({ kind, settings: checked.value, port: port === null ? null : Number(port) })
  }
  const catalogue = inOrder.flatMap((name) =>
    wanted
      // A port that is any free one is not known before it listens.
      .filter(({ kind, port }) => kind.name === name && port !== 0)
      .flatMap(({ port }) => (offers[name] ?? []).map((offer) => ({ ...offer, port }))),
  )
  return ok(
    wanted.map(({ kind, settings: own, port }) => ({
      door: kind.open({ ...house, offers: catalogue, settings: own }),
      port,
    })),
  )
}

export function openDrivers(
  settings: Settings,
  world: { readonly clock: Clock; readonly log: Logger },
): Result<ReadonlyMap<string, Driver>, string> {
  const given = settings.file.drivers ?? {}
  const stray = Object.keys(given).find((name) => !Object.hasOwn(driverSettings, name))
  if (stray !== undefined)
    return err(
      `drivers.${stray} is not a driver; known are ${Object.keys(driverSettings).join(', ')}`,
    )
  const lost = settings.file.catalogue?.flavors?.find(
    ({ driver }) => !Object.hasOwn(driverSettings, driver),
  )
  if (lost)
    return err(
      `catalogue.flavors: ${lost.id} has the driver ${lost.driver}; known are ${Object.keys(driverSettings).join(', ')}`,
    )
  const process = check(processSettings, given['process'] ?? {}, 'drivers.process')
  if (!process.ok) return process
  const simulated = check(simulatedSettings, given['simulated'] ?? {}, 'drivers.simulated')
  if (!simulated.ok) return simulated
  const both = [
    processDriver(process.value, { ...world, dataDir: settings.dataDir }),
    simulatedDriver(simulated.value, world),
  ]
  return ok(new Map(both.map((driver) => [driver.name, driver])))
}

/** Settings are flat, so that each has one default and one line in the reference. */
export const defaultsOf = ({
  properties = {},
}: TSchema & { readonly properties?: object }): object =>
  Object.fromEntries(
    Object.entries(properties as Readonly<Record<string, object>>).flatMap(([name, property]) =>
      'default' in property ? [[name, property.default]] : [],
    ), // schemas, each an object
  )

function check<S extends TSchema>(
  schema: S,
  value: unknown,
  where: string,
): Result<Static<S>, string> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  const filled: unknown = isObject ? { ...defaultsOf(schema), ...value } : value
  // Defaults fit, as a test holds: who sets nothing is ready before the checker is loaded.
  if (isObject && Object.keys(value).length === 0) return ok(filled as Static<S>)
  const validator = validatorOf(schema)
  if (validator.fits(filled)) return ok(filled)
  const [first] = validator.complaints(filled)
  return err(
    `${where}${(first?.instancePath ?? '').replaceAll('/', '.')} ${first?.message ?? 'is wrong'}`,
  )
}
