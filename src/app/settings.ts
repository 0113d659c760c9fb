// Settings: flag > environment > runstate.yaml > default. Unknown or wrong ones stop the start with one line that
// says which, and what was expected.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Static } from 'typebox'
import type * as Yaml from 'yaml'
import { roles } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { Type } from '#schema/type.ts'
import { type Complaint, validatorOf } from '#schema/validator.ts'
import { catalogueSchema } from './catalogue.ts'

const require = createRequire(import.meta.url)
const closed = { additionalProperties: false }
const role = Type.Enum([...roles])
const name = Type.String({ minLength: 1, maxLength: 64 })

/** The whole of runstate.yaml. Each door and driver checks its own part again, with its own schema. */
export const fileSchema = Type.Object(
  {
    host: Type.Optional(
      Type.String({ minLength: 1, description: 'Address to listen on. Default 127.0.0.1.' }),
    ),
    port: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'Port to listen on; 0: any free one. Default 7070.',
      }),
    ),
    data: Type.Optional(
      Type.String({ minLength: 1, description: 'Folder of all data. Default ./.runstate.' }),
    ),
    starter: Type.Optional(
      Type.Boolean({ description: 'Make a small starter fleet at the first start. Default true.' }),
    ),
    region: Type.Optional(
      Type.String({ minLength: 1, description: 'Region name in catalogues. Default RegionOne.' }),
    ),
    allowOpenDoors: Type.Optional(
      Type.Boolean({
        description:
          'Listen beyond loopback although a door asks for no credentials. Default false.',
      }),
    ),
    identity: Type.Optional(
      Type.Object(
        {
          projects: Type.Optional(Type.Array(Type.Object({ name }, closed))),
          lockKeysAfter: Type.Optional(
            Type.Integer({
              minimum: 1,
              description:
                'Refuse an access key for 5 minutes after so many bad signatures in a row.',
            }),
          ),
          users: Type.Optional(
            Type.Array(
              Type.Object(
                {
                  name,
                  password: Type.String({ minLength: 1, maxLength: 128 }),
                  roles: Type.Optional(Type.Record(Type.String(), role)),
                },
                closed,
              ),
            ),
          ),
        },
        closed,
      ),
    ),
    registry: Type.Optional(
      Type.Object(
        {
          guard: Type.Optional(
            Type.Object(
              {
                enabled: Type.Optional(
                  Type.Boolean({ description: 'Hold expiries in a mass loss. Default true.' }),
                ),
                moreThan: Type.Optional(
                  Type.Integer({
                    minimum: 0,
                    description: 'Only where there are more leases than this. Default 5.',
                  }),
                ),
                share: Type.Optional(
                  Type.Number({
                    exclusiveMinimum: 0,
                    maximum: 1,
                    description: 'The part of them that must be silent. Default 0.8.',
                  }),
                ),
              },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
    catalogue: Type.Optional(catalogueSchema),
    doors: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()))),
    drivers: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()))),
  },
  closed,
)
export type FileSettings = Static<typeof fileSchema>

export interface Settings {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly starter: boolean
  readonly region: string
  /** End every real thing that still runs, then exit. */
  readonly stopAll: boolean
  readonly file: FileSettings
}

const flags = {
  host: { type: 'string' },
  port: { type: 'string' },
  data: { type: 'string' },
  config: { type: 'string' },
  'no-starter': { type: 'boolean' },
  'stop-all': { type: 'boolean' },
  help: { type: 'boolean' },
} as const

const known = [
  'RUNSTATE_HOST',
  'RUNSTATE_PORT',
  'RUNSTATE_DATA',
  'RUNSTATE_CONFIG',
  'RUNSTATE_STARTER',
  'RUNSTATE_LOG',
  'RUNSTATE_ALLOW_OPEN_DOORS',
] as const
/** For the command line's own use or for tests; not settings of the server. */
const ignored = /^RUNSTATE_(URL|TOKEN|REQUIRE_|TEST_|OUTPUT|INSTANCE_ID)/

export const usage = `usage: npm start -- [--host ADDRESS] [--port PORT] [--data FOLDER] [--config FILE] [--no-starter] [--stop-all]
Environment: ${known.join(', ')}. Settings file: runstate.yaml.`

export function readSettings(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Result<Settings | 'help', string> {
  const given = readFlags(argv)
  if (!given.ok) return given
  if (given.value.help) return ok('help')
  const stray = Object.keys(env).find(
    (key) =>
      key.startsWith('RUNSTATE_') &&
      !(known as readonly string[]).includes(key) &&
      !ignored.test(key),
  ) // widened: includes() wants the tuple's own union
  if (stray !== undefined) return err(`unknown setting ${stray}; known are ${known.join(', ')}`)
  const path = given.value.config ?? env['RUNSTATE_CONFIG']
  const file = readFile(path ?? 'runstate.yaml', path !== undefined)
  if (!file.ok) return file
  return merge(given.value, env, file.value)
}

type Flags = {
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly data?: string | undefined
  readonly config?: string | undefined
  readonly 'no-starter'?: boolean | undefined
  readonly 'stop-all'?: boolean | undefined
  readonly help?: boolean | undefined
}

function readFlags(argv: readonly string[]): Result<Flags, string> {
  try {
    return ok(parseArgs({ args: [...argv], options: flags }).values)
  } catch (thrown) {
    // parseArgs throws for nothing but flags it does not know; what it advises besides is on further lines.
    return err(thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown))
  }
}

function readFile(path: string, asked: boolean): Result<FileSettings, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (thrown) {
    const missing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'
    return missing && !asked
      ? ok({})
      : err(
          `cannot read settings file ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        )
  }
  const { parse } = require('yaml') as typeof Yaml // whoever has no file need not load it
  let value: unknown
  try {
    value = parse(text) ?? {}
  } catch (thrown) {
    // The YAML parser throws with the place of the mistake, on one line once the excerpt is cut off.
    return err(
      `settings file ${path} is not YAML: ${thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown)}`,
    )
  }
  return checkFile(value, path)
}

export function checkFile(value: unknown, path: string): Result<FileSettings, string> {
  const validator = validatorOf(fileSchema)
  if (validator.fits(value)) return ok(value)
  const [first] = validator.complaints(value)
  const where = first?.instancePath.replace(/^\//, '').replaceAll('/', '.') || 'the file'
  return err(`settings file ${path}: ${where} ${first?.message ?? 'is wrong'}${unknownKeys(first)}`)
}

const unknownKeys = (first: Complaint | undefined): string =>
  first?.keyword === 'additionalProperties'
    ? `: ${first.params.additionalProperties.join(', ')}`
    : ''

function merge(given: Flags, env: NodeJS.ProcessEnv, file: FileSettings): Result<Settings, string> {
  const port = given.port ?? env['RUNSTATE_PORT'] ?? String(file.port ?? 7070)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    return err(`port must be a number from 0 to 65535, not ${JSON.stringify(port)}`)
  const starter = env['RUNSTATE_STARTER']
  if (starter !== undefined && starter !== '0' && starter !== '1')
    return err(`RUNSTATE_STARTER must be 0 or 1, not ${JSON.stringify(starter)}`)
  const open = env['RUNSTATE_ALLOW_OPEN_DOORS']
  if (open !== undefined && open !== '0' && open !== '1')
    return err(`RUNSTATE_ALLOW_OPEN_DOORS must be 0 or 1, not ${JSON.stringify(open)}`)
  return ok({
    host: given.host ?? env['RUNSTATE_HOST'] ?? file.host ?? '127.0.0.1',
    port: Number(port),
    dataDir: resolve(given.data ?? env['RUNSTATE_DATA'] ?? file.data ?? '.runstate'),
    starter: given['no-starter']
      ? false
      : starter === undefined
        ? (file.starter ?? true)
        : starter === '1',
    region: file.region ?? 'RegionOne',
    stopAll: given['stop-all'] ?? false,
    file: { ...file, ...(open === undefined ? {} : { allowOpenDoors: open === '1' }) },
  })
}
