// This door's part of runstate.yaml.

import type { Static } from 'typebox'
import { Type } from '#schema/type.ts'

const fields = Type.Object(
  {
    rbac: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Ask for the registry's own accounts and tokens.",
      }),
    ),
    rootPassword: Type.Optional(
      Type.String({
        minLength: 8,
        description: 'Of the account root, which is made at the first start with rbac.',
      }),
    ),
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

/** Accounts without one that can make others would lock everybody out. */
export const settings = Type.Refine(
  fields,
  ({ rbac, rootPassword }) => rbac !== true || rootPassword !== undefined,
  () => 'needs rootPassword when rbac is true',
)

type Given = Static<typeof settings>
/** Every setting has its value once defaults are filled in. */
export type Settings = {
  readonly [Name in Exclude<keyof Given, 'rootPassword'>]-?: NonNullable<Given[Name]>
} & Pick<Given, 'rootPassword'>

export const filled = (given: Given): Settings => ({
  rbac: given.rbac ?? false,
  ...(given.rootPassword === undefined ? {} : { rootPassword: given.rootPassword }),
  errorBody: given.errorBody ?? 'both',
  statusBody: given.statusBody ?? 'success',
  strictDomain: given.strictDomain ?? false,
  cors: given.cors ?? true,
  pingSeconds: given.pingSeconds ?? 30,
  servicesMax: given.servicesMax ?? 50_000,
  instancesMax: given.instancesMax ?? 150_000,
})
