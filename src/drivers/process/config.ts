// What the process driver accepts: its own settings, and what an image and an instance say of a command.
//
// - An image is written by whoever runs the server; an instance's part may come from a tenant, so that part
//   only overrides the port, adds arguments and sets variables, and none that would load other code.
// - Keys that belong to other drivers are passed over: one image may serve several.

import type { Static, TSchema } from 'typebox'
import { ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Thing } from '#kernel/ports/driver.ts'
import type { DriverError } from '#kernel/request.ts'
import { Type } from '#schema/type.ts'
import { faultOf } from '../shared/faults.ts'
import { refused } from '../shared/world.ts'

const Port = Type.Integer({ minimum: 1, maximum: 65_535 })

export const settings = Type.Object(
  {
    address: Type.Optional(
      Type.String({
        minLength: 1,
        default: '127.0.0.1',
        description: 'Where probes look for a thing, and the address shown for it.',
      }),
    ),
    portMin: Type.Optional(
      Type.Integer({
        minimum: 1024,
        maximum: 65_535,
        default: 20_000,
        description: 'First of the ports that `port: auto` chooses from.',
      }),
    ),
    portMax: Type.Optional(
      Type.Integer({
        minimum: 1024,
        maximum: 65_535,
        default: 29_999,
        description: 'Last of those ports. Keep clear of the range that outgoing connections use.',
      }),
    ),
    passEnvironment: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), {
        default: [],
        description: 'Variables of the server that every thing gets besides PATH, HOME, LANG, …',
      }),
    ),
    logBytesMax: Type.Optional(
      Type.Integer({
        minimum: 4096,
        maximum: 1_073_741_824,
        default: 5_242_880,
        description:
          'Size at which a log is moved aside; the one moved aside before it is dropped.',
      }),
    ),
    pollMs: Type.Optional(
      Type.Integer({
        minimum: 20,
        maximum: 1000,
        default: 500,
        description: 'How often adopted processes and the sizes of logs are looked at.',
      }),
    ),
    settleMs: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 60_000,
        default: 8000,
        description: 'How long a start may wait for its process to exist, or for leftovers to end.',
      }),
    ),
  },
  { additionalProperties: false, description: 'Runs commands as processes of this machine.' },
)

export type ProcessConfig = Static<typeof settings>
export type ProcessSettings = {
  readonly [K in keyof ProcessConfig]-?: NonNullable<ProcessConfig[K]>
}

export const defaults: ProcessSettings = {
  address: '127.0.0.1',
  portMin: 20_000,
  portMax: 29_999,
  passEnvironment: [],
  logBytesMax: 5_242_880,
  pollMs: 500,
  settleMs: 8000,
}

const Text = Type.String({ minLength: 1, maxLength: 65_536, pattern: '^[^\\0]*$' })
const Command = Type.Array(Type.String({ maxLength: 65_536, pattern: '^[^\\0]*$' }), {
  minItems: 1,
  maxItems: 1000,
})
const Environment = Type.Record(
  Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
  Type.String({ maxLength: 65_536, pattern: '^[^\\0]*$' }),
  { additionalProperties: false },
)
const PortChoice = Type.Unsafe<'auto' | number>({
  type: ['string', 'integer'],
  pattern: '^auto$',
  minimum: 1,
  maximum: 65_535,
})
/** Those that mean "end" or "drain" to some program, and that the supervising shell survives. */
const stopSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
export type StopSignal = (typeof stopSignals)[number]

const timing = {
  intervalMs: Type.Optional(Type.Integer({ minimum: 20, maximum: 60_000 })),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000 })),
}
const strict = { additionalProperties: false }
const kind = (name: string) => Type.Literal(name)

/** Ways to ask a thing something; told apart by `kind`. */
const callKinds = {
  tcp: Type.Object({ kind: kind('tcp'), port: Type.Optional(Port), ...timing }, strict),
  http: Type.Object(
    {
      kind: kind('http'),
      /** Of the thing's own port; or a whole `url`. */
      path: Type.Optional(Type.String({ pattern: '^/' })),
      url: Type.Optional(Type.String({ pattern: '^https?://' })),
      method: Type.Optional(Type.Enum(['GET', 'POST', 'PUT'])),
      ...timing,
    },
    strict,
  ),
  exec: Type.Object({ kind: kind('exec'), command: Command, ...timing }, strict),
} as const satisfies Record<string, TSchema>

interface Timing {
  readonly intervalMs: number
  readonly timeoutMs: number
}
export type Call = Timing &
  (
    | { readonly kind: 'tcp'; readonly port: number }
    | { readonly kind: 'http'; readonly url: string; readonly method: string }
    | { readonly kind: 'exec'; readonly command: readonly string[] }
  )

const ImageLaunch = Type.Object({
  command: Command,
  env: Type.Optional(Environment),
  cwd: Type.Optional(Type.String({ pattern: '^/[^\\0]*$' })),
  port: Type.Optional(PortChoice),
  stopSignal: Type.Optional(Type.Enum([...stopSignals])),
  probe: Type.Optional(Type.Object({ kind: Text })),
  drain: Type.Optional(Type.Object({ kind: Text })),
})

const ThingLaunch = Type.Object({
  env: Type.Optional(Environment),
  port: Type.Optional(PortChoice),
  args: Type.Optional(
    Type.Array(Type.String({ maxLength: 65_536, pattern: '^[^\\0]*$' }), { maxItems: 1000 }),
  ),
})

/** An image's and an instance's launch, checked and made one; ports are not filled in yet. */
export interface Launch {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Null: the thing's own working folder. */
  readonly cwd: string | null
  readonly port: 'auto' | number | null
  readonly stopSignal: StopSignal
  readonly probe: JsonObject | null
  readonly drain: JsonObject | null
}

/** Variables that make a loader or an interpreter run code the image does not name. */
const loading =
  /^(LD_.*|DYLD_.*|PATH|ENV|BASH_ENV|NODE_OPTIONS|NODE_PATH|PYTHON(PATH|STARTUP|HOME)|PERL5(OPT|LIB)|RUBY(OPT|LIB)|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS)$/
const ours = /^RUNSTATE_/

export function readLaunch(thing: Pick<Thing, 'image' | 'launch'>): Result<Launch, DriverError> {
  if (thing.image === null) return refused('it has no image, so there is no command to run')
  const fault =
    faultOf(ImageLaunch, thing.image.launch, 'image.launch') ??
    callFault(thing.image.launch, 'probe') ??
    callFault(thing.image.launch, 'drain') ??
    faultOf(ThingLaunch, thing.launch, 'launch')
  if (fault !== undefined) return refused(fault)
  const image = thing.image.launch as Static<typeof ImageLaunch> // checked on the lines above
  const own = thing.launch as Static<typeof ThingLaunch> // checked on the lines above
  const taken = Object.keys({ ...image.env, ...own.env }).find((name) => ours.test(name))
  if (taken !== undefined)
    return refused(`launch.env.${taken}: names in RUNSTATE_ are the server's`)
  const loader = Object.keys(own.env ?? {}).find((name) => loading.test(name))
  if (loader !== undefined) return refused(`launch.env.${loader} may be set by the image only`)
  if (image.command[0] === '') return refused('image.launch.command.0 is empty')
  const command = [...image.command, ...(own.args ?? [])]
  const env = { ...image.env, ...own.env }
  const port = own.port ?? image.port ?? null
  if (
    port === null &&
    [...command, ...Object.values(env)].some((text) => text.includes('${PORT}'))
  ) {
    return refused('${PORT} is used, but image.launch.port does not say which or auto')
  }
  return ok({
    command,
    env,
    cwd: image.cwd ?? null,
    port,
    stopSignal: image.stopSignal ?? 'SIGTERM',
    probe: (image.probe as JsonObject | undefined) ?? null, // JSON by its origin: a row of the store
    drain: (image.drain as JsonObject | undefined) ?? null, // JSON by its origin: a row of the store
  })
}

function callFault(launch: JsonObject, name: 'probe' | 'drain'): string | undefined {
  const call = launch[name]
  if (call === undefined) return undefined
  const fault = faultOf(
    Type.Object({ kind: Type.Enum(Object.keys(callKinds)) }),
    call,
    `image.launch.${name}`,
  )
  if (fault !== undefined) return fault
  const { kind } = call as { kind: keyof typeof callKinds } // checked on the line above
  return faultOf(callKinds[kind], call, `image.launch.${name}`)
}

/** What stands for what in a command, an environment or a URL. */
export interface Filling {
  readonly instanceId: string
  readonly port: number | null
  readonly address: string
}

/** `${PORT}` and `${RUNSTATE_INSTANCE_ID}` are filled in; any other text is left as it is. */
export const fill = (text: string, { instanceId, port }: Filling): string =>
  text.replaceAll('${RUNSTATE_INSTANCE_ID}', instanceId).replaceAll('${PORT}', String(port))

/** The server's own environment holds its secrets, so a thing gets only what is named here. */
const passed = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
]

export function environmentOf(
  launch: Launch,
  filling: Filling,
  server: { readonly environment: NodeJS.ProcessEnv; readonly pass: readonly string[] },
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of [...passed, ...server.pass]) {
    const value = server.environment[name]
    if (value !== undefined) environment[name] = value
  }
  for (const [name, value] of Object.entries(launch.env)) environment[name] = fill(value, filling)
  if (filling.port !== null) environment['PORT'] = String(filling.port)
  return environment
}

/** A probe or drain with everything filled in; null when the image has none. */
export function callOf(call: JsonObject | null, filling: Filling, patience: Timing): Call | null {
  if (call === null) return null
  const known = call as Static<(typeof callKinds)['tcp' | 'http' | 'exec']> // readLaunch has checked it
  const timing = {
    intervalMs: known.intervalMs ?? patience.intervalMs,
    timeoutMs: known.timeoutMs ?? patience.timeoutMs,
  }
  if ('command' in known) {
    return { ...timing, kind: 'exec', command: known.command.map((part) => fill(part, filling)) }
  }
  const port = ('port' in known ? known.port : undefined) ?? filling.port ?? 80
  if (known.kind === 'tcp') return { ...timing, kind: 'tcp', port }
  const { path = '/', url, method = 'GET' } = known as Static<(typeof callKinds)['http']> // the one kind left
  const whole = url ?? `http://${hostOf(filling.address)}:${port}${path}`
  return { ...timing, kind: 'http', url: fill(whole, filling), method }
}

const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address)
