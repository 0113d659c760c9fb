// The contracts that services publish for each other. Each is kept under a key of its own in the service's row, so
// uploads of several at once never undo each other. A summary is the client's own hash and is kept as it came.
// Source: contracts/cse-registry.md section 3.3.

import type { JsonObject } from '#kernel/json.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { textsIn } from '../shared/json-facts.ts'
import { type Answered, type Asked, change } from './call.ts'
import { decodeSchema, decodeSchemas } from './decode.ts'
import { type Fault, fault, faultOf, invalid } from './faults.ts'
import { serviceOf } from './reading.ts'
import { firstFault, rules } from './rules.ts'
import {
  collection,
  empty,
  encodeSchema,
  json,
  kept,
  keptKeys,
  rowPart,
  type Schema,
  schemasOf,
} from './wire.ts'

const idsIn = ({ exchange: { params } }: Asked) => ({
  serviceId: params['serviceId'] ?? '',
  schemaId: params['schemaId'] ?? '',
})

/** S8. */
export async function putSchema(asked: Asked): Answered {
  const { serviceId, schemaId } = idsIn(asked)
  const bad = firstFault('ModifySchemaRequest', [
    ['ServiceId', serviceId, rules.serviceId],
    ['SchemaId', schemaId, rules.schemaId],
  ])
  if (bad) return err(bad)
  const wanted = decodeSchema(asked.exchange.body)
  if (!wanted.ok) return wanted
  const service = await serviceOf(asked, serviceId)
  if (!service.ok) return service
  const known = schemasOf(service.value)
  const isNew = known.every((schema) => schema.schemaId !== schemaId)
  if (isNew && known.length >= rules.schemaCount.max)
    return err(faultOf({ code: 'QuotaExceeded', what: 'service', limit: rules.schemaCount.max }))
  return change(
    asked,
    {
      verb: 'update-service',
      kind: 'microservice',
      service: rowPart(serviceId),
      attributes: { door: keptKeys.schema(schemaId), value: { ...wanted.value } },
    },
    { show: () => empty },
  )
}

/** The schema of a service, or what the registry says when either is not there. */
export async function schemaOf(
  asked: Asked,
  { serviceId, schemaId }: { readonly serviceId: string; readonly schemaId: string },
): Promise<Result<Schema, Fault>> {
  const bad = firstFault('GetSchemaRequest', [
    ['ServiceId', serviceId, rules.serviceId],
    ['SchemaId', schemaId, rules.schemaId],
  ])
  if (bad) return err(bad)
  const service = await serviceOf(asked, serviceId)
  if (!service.ok) return service
  const schema = schemasOf(service.value).find((one) => one.schemaId === schemaId)
  return schema === undefined || schema.isMissing
    ? err(fault('400016', 'schema ref not found.'))
    : ok(schema)
}

export const summaryHeader = (schema: Schema) => ({ 'x-schema-summary': schema.summary })

/** S9. */
export async function getSchema(asked: Asked): Answered {
  const schema = await schemaOf(asked, idsIn(asked))
  if (!schema.ok) return schema
  return ok(json({ schema: schema.value.schema }, summaryHeader(schema.value)))
}

/** S10. */
export async function listSchemas(asked: Asked): Answered {
  const { serviceId } = idsIn(asked)
  const withSchema = asked.query.get('withSchema') || '0'
  const bad = firstFault('GetAllSchemaRequest', [['ServiceId', serviceId, rules.serviceId]])
  if (bad) return err(bad)
  if (withSchema !== '0' && withSchema !== '1')
    return err(invalid('parameter withSchema must be 1 or 0'))
  const service = await serviceOf(asked, serviceId)
  if (!service.ok) return service
  const rows = schemasOf(service.value).map((one) => encodeSchema(one, withSchema === '1'))
  return ok(collection('schemas', rows))
}

/** S11: the given set replaces all; what the service had declared is declared no more. */
export async function putSchemas(asked: Asked): Answered {
  const { serviceId } = idsIn(asked)
  const wanted = decodeSchemas(asked.exchange.body)
  const bad = firstFault('ModifySchemasRequest', [['ServiceId', serviceId, rules.serviceId]])
  if (bad) return err(bad)
  if (!wanted.ok) return wanted
  const service = await serviceOf(asked, serviceId)
  if (!service.ok) return service
  const changed: Record<string, JsonObject | null> = {}
  for (const { schemaId } of schemasOf(service.value)) changed[keptKeys.schema(schemaId)] = null
  for (const { schemaId, ...schema } of wanted.value) changed[keptKeys.schema(schemaId)] = schema
  const declared = wanted.value.map(({ schemaId }) => schemaId)
  changed[keptKeys.identity] = { ...kept(service.value, keptKeys.identity), schemas: declared }
  return changeSchemas(asked, serviceId, changed)
}

/** S12. */
export async function deleteSchema(asked: Asked): Answered {
  const { serviceId, schemaId } = idsIn(asked)
  const found = await schemaOf(asked, { serviceId, schemaId })
  if (!found.ok) return found
  const service = await serviceOf(asked, serviceId)
  if (!service.ok) return service
  const identity = kept(service.value, keptKeys.identity)
  const declared = textsIn(identity, 'schemas').filter((id) => id !== schemaId)
  return changeSchemas(asked, serviceId, {
    [keptKeys.schema(schemaId)]: null,
    [keptKeys.identity]: { ...identity, schemas: declared },
  })
}

const changeSchemas = (
  asked: Asked,
  serviceId: string,
  changedAttributes: Readonly<Record<string, JsonObject | null>>,
): Answered =>
  change(
    asked,
    {
      verb: 'update-service',
      kind: 'microservice',
      service: rowPart(serviceId),
      changedAttributes,
    },
    { show: () => empty },
  )
