// Microservices: one row for each version of a service in an environment. Creating what exists answers the id that
// it has, so every start of a client may create.
// Source: contracts/cse-registry.md section 3.2.

import { createHash } from 'node:crypto'
import { err, ok, type KernelError, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Receipt } from '#kernel/request.ts'
import type { Book, Version } from './book.ts'
import { freshRequestId } from '../shared/http.ts'
import { planOf } from '../shared/lent-headers.ts'
import { type Answered, type Asked, change, submit } from './call.ts'
import { decodeProperties, decodeService, decodeServiceIds, type NewService } from './decode.ts'
import { type Fault, fault, faultOf, invalid, messages } from './faults.ts'
import { register } from './instances.ts'
import { isVisible } from './permissions.ts'
import { listServices, readService } from './reading.ts'
import { firstFault, rules } from './rules.ts'
import { schemaOf, summaryHeader } from './schemas.ts'
import {
  collection,
  empty,
  encodeService,
  identityOf,
  json,
  keptKeys,
  publicId,
  rowPart,
  struct,
  tagAttributes,
} from './wire.ts'

const serviceIdIn = (asked: Asked): string => asked.exchange.params['serviceId'] ?? ''

/** S1. */
export async function existence(asked: Asked): Answered {
  const type = asked.query.get('type')
  if (type === 'microservice') return serviceExistence(asked)
  if (type === 'schema') return schemaExistence(asked)
  return err(invalid('Only micro-service and schema can be used as type.'))
}

async function serviceExistence(asked: Asked): Answered {
  const { query } = asked
  const name = {
    environment: query.get('env') ?? '',
    appId: query.get('appId') ?? '',
    serviceName: query.get('serviceName') ?? '',
  }
  const version = query.get('version') ?? ''
  const bad = firstFault('GetExistenceRequest', [
    ['Environment', name.environment, rules.environment],
    ['AppId', name.appId, rules.appId],
    ['ServiceName', name.serviceName, rules.nameOrAlias],
    ['Version', version, rules.version],
  ])
  if (bad) return err(bad)
  const book = await asked.desk.mirror.book(asked.project)
  const versions = book.named(name)
  const match = versions.find((one) => one.version === version)
  if (match) return ok(json({ serviceId: match.publicId }))
  const { environment, appId, serviceName } = name
  const detail = `${environment}/${appId}/${serviceName}/${version} does not exist.`
  return err(fault(versions.length === 0 ? '400012' : '400026', detail))
}

async function schemaExistence(asked: Asked): Answered {
  const ids = {
    serviceId: asked.query.get('serviceId') ?? '',
    schemaId: asked.query.get('schemaId') ?? '',
  }
  const schema = await schemaOf(asked, ids)
  return schema.ok ? ok(json(ids, summaryHeader(schema.value))) : schema
}

/** S2. */
export async function createService(asked: Asked): Answered {
  const wanted = decodeService(asked.exchange.body)
  if (!wanted.ok) return wanted
  const namesake = await namesakeOf(asked, wanted.value)
  if (namesake) {
    const { serviceId, serviceName: name } = wanted.value
    return serviceId === '' || serviceId === namesake.publicId
      ? ok(json({ serviceId: namesake.publicId }))
      : err(faultOf({ code: 'AlreadyExists', what: 'service', name, id: serviceId }))
  }
  const made = await registerService(asked, wanted.value)
  if (!made.ok) return err(faultOf(made.error))
  if (asked.lent.dryRun) return ok(json(planOf(made.value)))
  const { serviceId } = made.value
  const service = serviceId && (await asked.plane.read.get('services', serviceId))
  if (!service) return err(fault('400012', 'Service does not exist.'))
  const id = publicId(service)
  for (const [index, instance] of wanted.value.instances.entries()) {
    const registered = await register(asked, id, instance, `instance-${index}`)
    if (!registered.ok) return err(faultOf(registered.error))
  }
  return ok(json({ serviceId: id }))
}

/** A new service whose alias is taken by the same version of another one is that other one. */
async function namesakeOf(asked: Asked, wanted: NewService): Promise<Version | undefined> {
  const { version, alias } = wanted
  if (alias === '') return undefined
  const book = await asked.desk.mirror.book(asked.project)
  if (isKnownIn(book, wanted)) return undefined
  return book.aliased({ ...wanted, serviceName: alias }).find((one) => one.version === version)
}

const isKnownIn = (book: Book, wanted: NewService): boolean =>
  book
    .named(wanted)
    .some((one) => one.version === wanted.version && one.serviceName === wanted.serviceName)

async function registerService(
  asked: Asked,
  wanted: NewService,
): Promise<Result<Receipt, KernelError>> {
  const { environment, appId, serviceName, version } = wanted
  const key = [environment, appId, serviceName, version].join('/')
  const freshId = createHash('sha1').update(`${asked.project}/${key}`).digest('hex')
  const submitted = () =>
    submit(asked, {
      verb: 'register-service',
      ...(wanted.serviceId === '' ? {} : { id: rowPart(wanted.serviceId) }),
      freshId,
      key,
      name: serviceName,
      description: wanted.description,
      labels: wanted.properties,
      attributes: attributesOf(wanted),
    })
  const book = await asked.desk.mirror.book(asked.project)
  return isKnownIn(book, wanted) ? submitted() : asked.desk.quotas.services.within(submitted)
}

const attributesOf = ({ identity, framework, tags }: NewService): Record<string, JsonObject> => ({
  [keptKeys.identity]: identity,
  [keptKeys.epoch]: { id: freshRequestId() },
  ...(framework === undefined ? {} : { [keptKeys.framework]: framework }),
  ...tagAttributes(tags),
})

/** S3. */
export async function getService(asked: Asked): Answered {
  const id = serviceIdIn(asked)
  const bad = firstFault('GetServiceRequest', [['ServiceId', id, rules.serviceId]])
  if (bad) return err(bad)
  const service = await readService(asked, id)
  return service
    ? ok(json({ service: encodeService(service) }))
    : err(fault('400012', 'Service does not exist.'))
}

/** S4. `withShared` adds nothing: no service is shared between tenants here. */
export async function getServices(asked: Asked): Answered {
  const rows = (await listServices(asked)).filter((row) => isVisible(asked, identityOf(row)))
  return ok(collection('services', rows.map(encodeService)))
}

/** S5. */
export async function updateServiceProperties(asked: Asked): Answered {
  const id = serviceIdIn(asked)
  const bad = firstFault('UpdateServicePropsRequest', [['ServiceId', id, rules.serviceId]])
  if (bad) return err(bad)
  const wanted = decodeProperties(asked.exchange.body)
  if (!wanted.ok) return wanted
  const { properties, framework } = wanted.value
  return change(
    asked,
    {
      verb: 'update-service',
      kind: 'microservice',
      service: rowPart(id),
      labels: properties,
      ...(framework === undefined
        ? {}
        : { attributes: { door: keptKeys.framework, value: framework } }),
    },
    { show: () => empty },
  )
}

const forces: Readonly<Record<string, boolean>> = {
  '': false,
  0: false,
  false: false,
  1: true,
  true: true,
}

/** S6. */
export async function deleteService(asked: Asked): Answered {
  const service = serviceIdIn(asked)
  const word = asked.query.get('force') ?? ''
  const force = Object.hasOwn(forces, word) ? forces[word] : undefined
  if (force === undefined) return err(invalid('parameter force must be false or true'))
  const bad = firstFault('DeleteServiceRequest', [['ServiceId', service, rules.serviceId]])
  if (bad) return err(bad)
  return change(
    asked,
    { verb: 'unregister-service', service: rowPart(service), force },
    { show: () => empty },
  )
}

/** S7: each stands alone; what failed says why. */
export async function deleteServices(asked: Asked): Answered {
  const wanted = decodeServiceIds(asked.exchange.body)
  if (!wanted.ok) return wanted
  const services = []
  for (const serviceId of wanted.value.serviceIds) {
    const failure = await deleteOne(asked, serviceId, wanted.value.force)
    services.push(struct({ serviceId, errMessage: failure ? sentence(failure) : '' }))
  }
  return ok(json({ services }))
}

async function deleteOne(
  asked: Asked,
  serviceId: string,
  force: boolean,
): Promise<Fault | undefined> {
  const bad = firstFault('DeleteServiceRequest', [['ServiceId', serviceId, rules.serviceId]])
  if (bad) return bad
  const request = { verb: 'unregister-service', service: rowPart(serviceId), force } as const
  const done = await submit(asked, request, serviceId)
  return done.ok ? undefined : faultOf(done.error)
}

const sentence = ({ code, detail }: Fault): string =>
  detail === '' ? messages[code] : `${messages[code]}(${detail})`
