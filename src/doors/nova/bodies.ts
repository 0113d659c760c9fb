// The bodies that this door reads, with Nova's own names and limits. All of them are closed.
// Source: contract, sections 5 and 6; openstack/nova nova/api/openstack/compute/schemas/.

import { Type } from 'typebox'
import { checks } from './schema.ts'

const closed = { additionalProperties: false } as const

/** No control characters, no blank at either end. */
const name = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^(?!\\s)[^\\u0000-\\u001f\\u007f-\\u009f]*(?<!\\s)$',
})

const trueWords = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes'] as const
const falseWords = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no'] as const
const flag = Type.Union([Type.Boolean(), Type.Enum([...trueWords, ...falseWords])])

export const isWordForFlag = (text: string): boolean =>
  (trueWords as readonly string[]).includes(text) ||
  (falseWords as readonly string[]).includes(text) // widened: includes() wants the table's own union

/** Booleans come as JSON's own or as one of Nova's words for them. */
export const isTrue = (value: string | boolean | null | undefined): boolean =>
  value === true || (trueWords as readonly unknown[]).includes(value) // widened: includes() wants the table's own union

const diskConfig = Type.Enum(['AUTO', 'MANUAL'])
const accessIPv4 = Type.Union([Type.String({ format: 'ipv4' }), Type.Enum(['']), Type.Null()])
const accessIPv6 = Type.Union([Type.String({ format: 'ipv6' }), Type.Enum(['']), Type.Null()])

export const metadataItemsMax = 128
const metadataKey = '^[a-zA-Z0-9-_:. ]{1,255}$'
const metadata = Type.Record(
  Type.String({ pattern: metadataKey }),
  Type.String({ maxLength: 255 }),
  closed,
)

const count = Type.Union([
  Type.Integer({ minimum: 1 }),
  Type.String({ minLength: 1, maxLength: 9, pattern: '^0*[1-9][0-9]*$' }),
])

const uuid = Type.String({ format: 'uuid' })
const network = Type.Object(
  {
    uuid: Type.Optional(uuid),
    port: Type.Optional(Type.Union([uuid, Type.Null()])),
    fixed_ip: Type.Optional(
      Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })]),
    ),
  },
  closed,
)

export const server = Type.Object(
  {
    name,
    flavorRef: Type.Union([Type.String({ minLength: 1, maxLength: 512 }), Type.Integer()]),
    imageRef: Type.Optional(Type.String({ maxLength: 512 })),
    metadata: Type.Optional(metadata),
    networks: Type.Optional(Type.Array(network, { maxItems: 64 })),
    min_count: Type.Optional(count),
    max_count: Type.Optional(count),
    return_reservation_id: Type.Optional(flag),
    availability_zone: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    key_name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    adminPass: Type.Optional(Type.String({ maxLength: 255 })),
    user_data: Type.Optional(
      Type.Union([
        Type.String({ maxLength: 65_535, pattern: '^[A-Za-z0-9+/\\s]*={0,2}\\s*$' }),
        Type.Null(),
      ]),
    ),
    config_drive: Type.Optional(Type.Union([flag, Type.Null()])),
    security_groups: Type.Optional(
      Type.Array(Type.Object({ name: Type.String({ minLength: 1, maxLength: 255 }) }, closed), {
        maxItems: 64,
      }),
    ),
    personality: Type.Optional(
      Type.Array(
        Type.Object(
          { path: Type.String({ maxLength: 255 }), contents: Type.String({ maxLength: 65_535 }) },
          closed,
        ),
        { maxItems: 16 },
      ),
    ),
    accessIPv4: Type.Optional(accessIPv4),
    accessIPv6: Type.Optional(accessIPv6),
    'OS-DCF:diskConfig': Type.Optional(diskConfig),
    block_device_mapping: Type.Optional(Type.Array(Type.Object({}), { maxItems: 64 })),
    block_device_mapping_v2: Type.Optional(Type.Array(Type.Object({}), { maxItems: 64 })),
  },
  closed,
)

const hints = Type.Optional(Type.Object({}))
export const createBody = checks(
  Type.Object({ server, 'os:scheduler_hints': hints, 'OS-SCH-HNT:scheduler_hints': hints }, closed),
)

export const updateBody = checks(
  Type.Object(
    {
      server: Type.Object(
        {
          name: Type.Optional(name),
          accessIPv4: Type.Optional(accessIPv4),
          accessIPv6: Type.Optional(accessIPv6),
          'OS-DCF:diskConfig': Type.Optional(diskConfig),
        },
        closed,
      ),
    },
    closed,
  ),
)

export const metadataBody = checks(Type.Object({ metadata }, closed))
export const metaBody = checks(
  Type.Object(
    {
      meta: Type.Record(Type.String({ pattern: metadataKey }), Type.String({ maxLength: 255 }), {
        ...closed,
        minProperties: 1,
        maxProperties: 1,
      }),
    },
    closed,
  ),
)

export const rebootTypes = ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft'] as const
export const rebootBody = checks(
  Type.Object({ reboot: Type.Object({ type: Type.Enum([...rebootTypes]) }, closed) }, closed),
)

export const resetStateBody = checks(
  Type.Object(
    { 'os-resetState': Type.Object({ state: Type.Enum(['active', 'error']) }, closed) },
    closed,
  ),
)
