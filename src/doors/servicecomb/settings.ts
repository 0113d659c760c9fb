// This door's part of runstate.yaml.

import { type Static, Type } from 'typebox'

/** Stands until accounts, roles and tokens are there: a switch that promises a guard must not be a lie. */
const off = Type.Refine(
  Type.Boolean({
    default: false,
    description: "Ask for the registry's own accounts and tokens. Not available yet.",
  }),
  (value) => value === false,
  () => 'must be false: accounts of the registry are not available in this version',
)

export const settings = Type.Object(
  {
    rbac: Type.Optional(off),
    errorBody: Type.Optional(
      Type.Union([Type.Literal('both'), Type.Literal('canonical')], {
        default: 'both',
        description: 'Whether errors carry errCode and errMsg beside errorCode and errorMessage.',
      }),
    ),
    statusBody: Type.Optional(
      Type.Union([Type.Literal('success'), Type.Literal('empty')], {
        default: 'success',
        description: 'What a successful status call answers.',
      }),
    ),
    strictDomain: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Refuse requests without the header x-domain-name.',
      }),
    ),
    cors: Type.Optional(
      Type.Boolean({ default: true, description: 'Let web pages of any origin call this door.' }),
    ),
    pingSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 3_600,
        default: 30,
        description: 'Between two pings on a websocket; four that stay unanswered end it.',
      }),
    ),
    servicesMax: Type.Optional(
      Type.Integer({ minimum: 0, default: 50_000, description: 'Microservices, all tenants.' }),
    ),
    instancesMax: Type.Optional(
      Type.Integer({ minimum: 0, default: 150_000, description: 'Instances, all tenants.' }),
    ),
  },
  { additionalProperties: false },
)

type Given = Static<typeof settings>
/** Every setting has its value once defaults are filled in. */
export type Settings = { readonly [Name in keyof Given]-?: NonNullable<Given[Name]> }

export const filled = (given: Given): Settings => ({
  rbac: given.rbac ?? false,
  errorBody: given.errorBody ?? 'both',
  statusBody: given.statusBody ?? 'success',
  strictDomain: given.strictDomain ?? false,
  cors: given.cors ?? true,
  pingSeconds: given.pingSeconds ?? 30,
  servicesMax: given.servicesMax ?? 50_000,
  instancesMax: given.instancesMax ?? 150_000,
})
