// What the simulated driver accepts: how long each act takes and how it misbehaves. One form for all three
// places where it may be said; the later one wins: settings, flavor.attributes, image or instance (`scenario`).

import type { Static } from 'typebox'
import { ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Act } from '#kernel/operation.ts'
import type { Thing, Usage } from '#kernel/ports/driver.ts'
import type { DriverError } from '#kernel/request.ts'
import { Type } from '#schema/type.ts'
import { faultOf } from '../shared/faults.ts'
import { refused } from '../shared/world.ts'

export const acts = [
  'create',
  'start',
  'stop',
  'pause',
  'unpause',
  'suspend',
  'resume',
  'capture',
  'remove',
] as const satisfies readonly Act[]

const strict = { additionalProperties: false }
const Ms = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000_000, description }))
const Flag = (description: string) => Type.Optional(Type.Boolean({ description }))
const ActName = Type.Enum([...acts])

const Failing = Type.Object(
  {
    act: ActName,
    times: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Then it works.' }),
    ),
    message: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
    code: Type.Optional(Type.Enum(['failed', 'timeout', 'refused', 'unsupported'])),
  },
  strict,
)
type Failing = Readonly<Static<typeof Failing>>

const Scenario = Type.Object(
  {
    createMs: Ms('How long a create takes to answer.'),
    startMs: Ms('From a start until it is ready.'),
    stopMs: Ms('From a drain or soft stop until it is down.'),
    hardStopMs: Ms('From a hard stop until it is down.'),
    pauseMs: Ms('From a pause until it is paused.'),
    unpauseMs: Ms('From an unpause until it is ready again.'),
    suspendMs: Ms('From a suspend until it is suspended.'),
    resumeMs: Ms('From a resume until it is ready again.'),
    captureMs: Ms('How long it cannot be seen while an image is taken.'),
    removeMs: Ms('How long a remove takes to answer.'),
    ignoreSoftStop: Flag('Only a hard stop ends it.'),
    failAt: Type.Optional(
      Type.Array(Type.Unsafe<Act | Failing>({ type: ['string', 'object'] }), {
        description: 'Acts that fail: always, or the first so many `times`.',
      }),
    ),
    refuse: Type.Optional(Type.Array(ActName, { description: 'Acts that are refused for good.' })),
    hangAt: Type.Optional(
      Type.Array(Type.Enum([...acts, 'observe']), {
        description: 'Calls that never answer until called off.',
      }),
    ),
    failRate: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Share of acts that fail, chosen by the seed.',
      }),
    ),
    reportUnknown: Type.Optional(
      Type.Unsafe<boolean | { readonly fromMs: number; readonly toMs: number }>({
        type: ['boolean', 'object'],
        description: 'It cannot be seen: ever, or in this window after each start and stop.',
      }),
    ),
    forgetAfterMs: Ms('So long after its last start or stop it is gone without a trace.'),
    driftDownAfterMs: Ms('So long after it was ready it ends by itself.'),
    driftUpAfterMs: Ms('So long after it was down it starts by itself.'),
    uses: Type.Optional(
      Type.Object(
        {
          cpuCores: Type.Optional(Type.Number({ minimum: 0 })),
          memoryMiB: Type.Optional(Type.Integer({ minimum: 0 })),
          gpus: Type.Optional(Type.Number({ minimum: 0 })),
        },
        { ...strict, description: 'What it says that it uses while it runs.' },
      ),
    ),
    exitCode: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 255, description: 'What it ends with by itself.' }),
    ),
  },
  strict,
)
type Written = Readonly<Static<typeof Scenario>>

const Window = Type.Object(
  { fromMs: Type.Integer({ minimum: 0 }), toMs: Type.Integer({ minimum: 0 }) },
  strict,
)

export const settings = Type.Object(
  {
    seed: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 0xffff_ffff, default: 1, description: 'Of all chance.' }),
    ),
    jitter: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        default: 0,
        description: 'By what share durations vary: 0.1 is 90 % to 110 %.',
      }),
    ),
    scenario: Type.Optional(Scenario),
    cannot: Type.Optional(
      Type.Array(Type.Enum(['pause', 'unpause', 'suspend', 'resume', 'capture']), {
        uniqueItems: true,
        description: 'Acts that this driver says it cannot do, as drivers of real things may.',
      }),
    ),
  },
  { ...strict, description: 'Acts on nothing; for trying things out, and for tests of clients.' },
)
export type SimulatedConfig = Static<typeof settings>

/** Everything said, nothing left open. */
export interface Scenario {
  readonly durationMs: Readonly<Record<Act | 'hardStop', number>>
  readonly ignoresSoftStop: boolean
  readonly failAt: readonly Failing[]
  readonly hangAt: readonly (Act | 'observe')[]
  readonly failRate: number
  readonly unknownMs: { readonly from: number; readonly to: number } | null
  readonly forgetAfterMs: number | null
  readonly driftDownAfterMs: number | null
  readonly driftUpAfterMs: number | null
  readonly exitCode: number
  readonly uses: Usage
}

/** About 200 ms from an accepted request to its end, whichever it is. */
const standard = {
  createMs: 0,
  startMs: 200,
  stopMs: 200,
  hardStopMs: 50,
  pauseMs: 200,
  unpauseMs: 200,
  suspendMs: 200,
  resumeMs: 200,
  captureMs: 200,
  removeMs: 150,
}

type Told = Pick<Thing, 'flavor' | 'image' | 'launch'>

/** What the last scenario of a launch was made of: rows never change, so the same ones make the same. */
interface Made {
  readonly told: Told
  readonly config: SimulatedConfig
  readonly scenario: Result<Scenario, DriverError>
}
const made = new WeakMap<Thing['launch'], Made>()

export function scenarioOf(told: Told, config: SimulatedConfig): Result<Scenario, DriverError> {
  const { flavor, image, launch } = told
  const last = made.get(launch)
  if (last?.config === config && last.told.flavor === flavor && last.told.image === image)
    return last.scenario
  const scenario = scenarioFrom(told, config)
  made.set(launch, { told: { flavor, image, launch }, config, scenario })
  return scenario
}

function scenarioFrom(thing: Told, config: SimulatedConfig): Result<Scenario, DriverError> {
  const parts: readonly (readonly [string, unknown])[] = [
    ['drivers.simulated.scenario', config.scenario ?? {}],
    ['flavor.attributes', knownOf(thing.flavor?.attributes ?? {})],
    ['image.launch.scenario', thing.image?.launch['scenario'] ?? {}],
    ['launch.scenario', thing.launch['scenario'] ?? {}],
  ]
  let written: Written = {}
  for (const [at, part] of parts) {
    const fault = faultOf(Scenario, part, at) ?? partFault(part as Written, at) // checked by the call before
    if (fault !== undefined) return refused(fault)
    written = { ...written, ...(part as Written) } // checked on the lines above
  }
  return ok(whole(written))
}

/** A flavor has attributes for others too; the keys known here are ours. */
function knownOf(attributes: JsonObject): JsonObject {
  const known = Object.keys(Scenario.properties)
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => known.includes(key)))
}

/** The parts that may be written in two ways are checked by the way they are written in. */
function partFault({ failAt = [], reportUnknown }: Written, at: string): string | undefined {
  const faults = failAt.map((one, n) =>
    faultOf(typeof one === 'string' ? ActName : Failing, one, `${at}.failAt.${n}`),
  )
  if (typeof reportUnknown === 'object')
    faults.push(faultOf(Window, reportUnknown, `${at}.reportUnknown`))
  return faults.find((fault) => fault !== undefined)
}

function whole(written: Written): Scenario {
  const ms = { ...standard, ...written }
  const { reportUnknown = false } = written
  const refusals = (written.refuse ?? []).map((act) => ({ act, code: 'refused' as const }))
  return {
    durationMs: {
      create: ms.createMs,
      start: ms.startMs,
      stop: ms.stopMs,
      hardStop: ms.hardStopMs,
      pause: ms.pauseMs,
      unpause: ms.unpauseMs,
      suspend: ms.suspendMs,
      resume: ms.resumeMs,
      capture: ms.captureMs,
      remove: ms.removeMs,
    },
    ignoresSoftStop: written.ignoreSoftStop ?? false,
    failAt: [
      ...(written.failAt ?? []).map((one) => (typeof one === 'string' ? { act: one } : one)),
      ...refusals,
    ],
    hangAt: written.hangAt ?? [],
    failRate: written.failRate ?? 0,
    unknownMs:
      typeof reportUnknown === 'object'
        ? { from: reportUnknown.fromMs, to: reportUnknown.toMs }
        : reportUnknown
          ? { from: 0, to: Number.POSITIVE_INFINITY }
          : null,
    forgetAfterMs: written.forgetAfterMs ?? null,
    driftDownAfterMs: written.driftDownAfterMs ?? null,
    driftUpAfterMs: written.driftUpAfterMs ?? null,
    exitCode: written.exitCode ?? 1,
    uses: { cpuCores: 0.25, memoryMiB: 128, gpus: 0, ...written.uses },
  }
}
