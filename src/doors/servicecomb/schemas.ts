// The contracts that services publish for each other. Each is kept under a key of its own in the service's row, so
// uploads of several at once never undo each other. A summary is the client's own hash and is kept as it came.
// Source: contracts/cse-registry.md section 3.3.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Service } from '#kernel/service.ts'
import { type Answered, type Asked, change } from './call.ts'
import { decodeSchema } from './decode.ts'
import { type Fault, fault, faultOf, invalid } from './faults.ts'
import { readService } from './reading.ts'
import { firstFault, rules } from './rules.ts'
import {
  collection,
  empty,
  encodeSchema,
  json,
  keptKeys,
  rowPart,
  type Schema,
  schemasOf,
} from './wire.ts'

const idsIn = ({ exchange: { params } }: Asked) => ({
  serviceId: params['serviceId'] ?? '',
  schemaId: params['schemaId'] ?? '',
})

async function serviceOf(asked: Asked, serviceId: string): Promise<Result<Service, Fault>> {
  const service = await readService(asked, serviceId)
  return service ? ok(service) : err(fault('400012', 'Service does not exist.'))
}

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
