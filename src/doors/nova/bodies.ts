// The bodies that this door reads, with Nova's own names and limits. All of them are closed.
// Source: contract, sections 5 and 6; openstack/nova nova/api/openstack/compute/schemas/.

import type { Static, TSchema } from 'typebox'
import { Type } from '#schema/type.ts'
import type { Microversion } from './microversion.ts'
import { checks } from './schema.ts'
import { propertiesIn, type Span, startsOf, versioned } from './versioned.ts'

const closed = { additionalProperties: false } as const

// A pattern is tried on text of any length, also on what is too long. So in none of them may two parts that follow
// each other take the same characters: the time would grow with the square of the length, or worse.

/** No control characters, no blank at either end. */
const name = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^(?!\\s)[^\\u0000-\\u001f\\u007f-\\u009f]*(?<!\\s)$',
})

const trueWords = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes'] as const
const falseWords = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no'] as const
export const flag = Type.Union([Type.Boolean(), Type.Enum([...trueWords, ...falseWords])])

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
export const metadataKey = '^[a-zA-Z0-9-_:. ]{1,255}$'
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

/** Free text of a line or several; null takes it away. */
const description = Type.Union([
  Type.String({ maxLength: 255, pattern: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]*$' }),
  Type.Null(),
])
const hostname = Type.String({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]$',
})
const base64 = Type.String({ maxLength: 65_535, pattern: '^[A-Za-z0-9+/\\s]*(=\\s*){0,2}$' })
const userData = Type.Union([base64, Type.Null()])
const keyName = Type.String({ minLength: 1, maxLength: 255 })
/** How many there may be is a quota, refused as one. */
export const filesMax = 16
const personality = Type.Array(
  Type.Object({ path: Type.String({ maxLength: 255 }), contents: base64 }, closed),
)
const certificates = Type.Union([
  Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
    minItems: 1,
    maxItems: 50,
    uniqueItems: true,
  }),
  Type.Null(),
])

export const tagsMax = 50
const tagIn = (lengthMax: number, pattern: string) =>
  Type.String({ minLength: 1, maxLength: lengthMax, pattern })
const tag = tagIn(60, '^[^,/]*$')

const serverProperties = {
  name,
  flavorRef: Type.Union([Type.String({ minLength: 1, maxLength: 512 }), Type.Integer()]),
  imageRef: Type.Optional(Type.String({ maxLength: 512 })),
  metadata: Type.Optional(metadata),
  networks: Type.Optional(
    Type.Union([Type.Array(network, { maxItems: 64 }), Type.Enum(['none', 'auto'])]),
  ),
  min_count: Type.Optional(count),
  max_count: Type.Optional(count),
  return_reservation_id: Type.Optional(flag),
  availability_zone: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  key_name: Type.Optional(keyName),
  adminPass: Type.Optional(Type.String({ maxLength: 255 })),
  user_data: Type.Optional(userData),
  config_drive: Type.Optional(Type.Union([flag, Type.Null()])),
  security_groups: Type.Optional(
    Type.Array(Type.Object({ name: Type.String({ minLength: 1, maxLength: 255 }) }, closed), {
      maxItems: 64,
    }),
  ),
  personality: Type.Optional(personality),
  accessIPv4: Type.Optional(accessIPv4),
  accessIPv6: Type.Optional(accessIPv6),
  'OS-DCF:diskConfig': Type.Optional(diskConfig),
  block_device_mapping: Type.Optional(Type.Array(Type.Object({}), { maxItems: 64 })),
  block_device_mapping_v2: Type.Optional(Type.Array(Type.Object({}), { maxItems: 64 })),
  description: Type.Optional(description),
  tags: Type.Optional(Type.Array(tag, { maxItems: tagsMax })),
  trusted_image_certificates: Type.Optional(certificates),
  host: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  hypervisor_hostname: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  hostname: Type.Optional(hostname),
}

const serverSpans = {
  personality: { until: 56 },
  description: { since: 19 },
  tags: { since: 52 },
  trusted_image_certificates: { since: 63 },
  host: { since: 74 },
  hypervisor_hostname: { since: 74 },
  hostname: { since: 90 },
} as const satisfies Partial<Record<keyof typeof serverProperties, Span>>

/** From here on the caller says which networks there shall be, or that there shall be none. */
export const networksSince = 37

const networksIn = (version: Microversion) =>
  version >= networksSince
    ? Type.Union([Type.Array(network, { maxItems: 64 }), Type.Enum(['none', 'auto'])])
    : Type.Array(network, { maxItems: 64 })

export type WantedServer = Static<ReturnType<typeof serverIn>>

function serverIn(version: Microversion) {
  const all = propertiesIn(serverProperties, serverSpans, version)
  const networks = networksIn(version)
  const chosen = {
    ...all,
    networks: version >= networksSince ? networks : Type.Optional(networks),
  } as typeof serverProperties // the same, but for what is required
  return Type.Object(chosen, closed)
}

const hints = Type.Optional(Type.Object({}))
export const createBody = versioned([networksSince, ...startsOf(serverSpans)], (version) =>
  Type.Object(
    { server: serverIn(version), 'os:scheduler_hints': hints, 'OS-SCH-HNT:scheduler_hints': hints },
    closed,
  ),
)

const changeable = {
  name: Type.Optional(name),
  accessIPv4: Type.Optional(accessIPv4),
  accessIPv6: Type.Optional(accessIPv6),
  'OS-DCF:diskConfig': Type.Optional(diskConfig),
  description: Type.Optional(description),
  hostname: Type.Optional(hostname),
}
const changeableSpans = { description: { since: 19 }, hostname: { since: 90 } } as const

export const updateBody = versioned(startsOf(changeableSpans), (version) =>
  Type.Object(
    { server: Type.Object(propertiesIn(changeable, changeableSpans, version), closed) },
    closed,
  ),
)

const rebuildable = {
  ...changeable,
  imageRef: Type.String({ format: 'uuid' }),
  adminPass: Type.Optional(Type.String({ maxLength: 255 })),
  metadata: Type.Optional(metadata),
  preserve_ephemeral: Type.Optional(flag),
  personality: Type.Optional(personality),
  key_name: Type.Optional(Type.Union([keyName, Type.Null()])),
  user_data: Type.Optional(userData),
  trusted_image_certificates: Type.Optional(certificates),
}
const rebuildableSpans = {
  ...changeableSpans,
  personality: { until: 56 },
  key_name: { since: 54 },
  user_data: { since: 57 },
  trusted_image_certificates: { since: 63 },
} as const satisfies Partial<Record<keyof typeof rebuildable, Span>>

export const rebuildBody = versioned(startsOf(rebuildableSpans), (version) =>
  Type.Object(
    { rebuild: Type.Object(propertiesIn(rebuildable, rebuildableSpans, version), closed) },
    closed,
  ),
)

export const createImageBody = checks(
  Type.Object(
    { createImage: Type.Object({ name, metadata: Type.Optional(metadata) }, closed) },
    closed,
  ),
)

/** Before it nobody looked at what was said with a lock. */
export const lockReasonSince = 73
export const lockBody = checks(
  Type.Object(
    {
      lock: Type.Union([
        Type.Null(),
        Type.Object(
          { locked_reason: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) },
          closed,
        ),
      ]),
    },
    closed,
  ),
)

/** The other dialect's tags are longer, and none begins with a dot. */
const tagOf = {
  nova: tag,
  huawei: tagIn(80, '^[^.,/][^,/]*$'),
} as const
export const tagCheck = { nova: checks(tagOf.nova), huawei: checks(tagOf.huawei) } as const
const tagListOf = (one: TSchema) =>
  checks(
    Type.Object(
      { tags: Type.Array(one as typeof tag, { maxItems: tagsMax, uniqueItems: false }) },
      closed,
    ),
  ) // both are texts
export const tagListCheck = { nova: tagListOf(tag), huawei: tagListOf(tagOf.huawei) } as const

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
