// Every route of this door. The OpenAPI document is made of this table and nothing else.

import type { House, Route } from '../shared/http.ts'
import { actOnInstance } from './actions.ts'
import * as hears from './bodies.ts'
import { catalogueEndpoints } from './catalogue-routes.ts'
import { base, type Endpoint, endpoint, mounted } from './endpoint.ts'
import { listEvents, listEventsOf } from './events.ts'
import {
  createInstance,
  getInstance,
  getInstanceLogs,
  holdInstance,
  listHolds,
  listInstances,
  patchInstance,
  getHold,
  releaseHold,
  removeInstance,
} from './instances.ts'
import { actOnGuard, listGuards } from './guards.ts'
import { documentOf } from './openapi.ts'
import { getOperation, listOperations, listOperationsOf } from './operations.ts'
import {
  actOnService,
  deployService,
  getService,
  listServices,
  patchService,
  removeService,
} from './services.ts'
import type { Settings } from './settings.ts'
import { streamEvents } from './stream.ts'
import { getUsage, listUsage } from './usage.ts'
import { whyInstance } from './why.ts'
import * as says from './wire.ts'

const { receipt } = says
const accepted = { 200: receipt, 202: receipt } as const
const changed = { 200: receipt } as const
const made = { 200: receipt, 201: receipt, 202: receipt } as const

const instances: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/instances',
    operation: 'listInstances',
    summary: 'Instances of every kind that are not gone.',
    tag: 'instances',
    role: 'reader',
    query: hears.listInstances,
    answers: { 200: says.pageOf(says.instance) },
    handle: listInstances,
  }),
  endpoint({
    method: 'POST',
    path: '/instances',
    operation: 'createInstance',
    summary: 'Create a server or a notebook.',
    tag: 'instances',
    role: 'member',
    body: hears.createInstance,
    answers: made,
    handle: createInstance,
  }),
  endpoint({
    method: 'GET',
    path: '/instances/:id',
    operation: 'getInstance',
    summary: 'One instance, by its id or by any id that another door gave it.',
    tag: 'instances',
    role: 'reader',
    answers: { 200: says.instance },
    handle: getInstance,
  }),
  endpoint({
    method: 'PATCH',
    path: '/instances/:id',
    operation: 'patchInstance',
    summary: 'Change what is said of an instance; its state stays.',
    tag: 'instances',
    role: 'member',
    body: hears.patchInstance,
    generation: true,
    answers: changed,
    handle: patchInstance,
  }),
  endpoint({
    method: 'DELETE',
    path: '/instances/:id',
    operation: 'deleteInstance',
    summary: 'Remove an instance; unregister one that registered itself.',
    tag: 'instances',
    role: 'member',
    generation: true,
    answers: accepted,
    handle: removeInstance,
  }),
  endpoint({
    method: 'POST',
    path: '/instances/:id/actions',
    operation: 'actOnInstance',
    summary: 'Ask an instance for an action.',
    tag: 'instances',
    role: 'member',
    body: { by: 'action', schemas: hears.actions },
    generation: true,
    answers: accepted,
    handle: actOnInstance,
  }),
  endpoint({
    method: 'GET',
    path: '/instances/:id/why',
    operation: 'whyInstance',
    summary: 'Why it is as it is: who asked, what it waits for and until when.',
    tag: 'instances',
    role: 'reader',
    answers: { 200: says.account },
    handle: whyInstance,
  }),
  endpoint({
    method: 'GET',
    path: '/instances/:id/logs',
    operation: 'getInstanceLogs',
    summary: 'The last lines that it wrote, oldest first; none where its driver keeps none.',
    tag: 'instances',
    role: 'reader',
    query: hears.instanceLogs,
    answers: { 200: says.output },
    handle: getInstanceLogs,
  }),
  endpoint({
    method: 'GET',
    path: '/instances/:id/operations',
    operation: 'listInstanceOperations',
    summary: 'The operations of one instance, newest first, also after it is gone.',
    tag: 'operations',
    role: 'reader',
    query: hears.instanceOperations,
    answers: { 200: says.pageOf(says.operation) },
    handle: listOperationsOf,
  }),
  endpoint({
    method: 'GET',
    path: '/instances/:id/events',
    operation: 'listInstanceEvents',
    summary: 'The events of one instance.',
    tag: 'events',
    role: 'reader',
    query: hears.instanceEvents,
    answers: { 200: says.eventPage },
    handle: listEventsOf,
  }),
  endpoint({
    method: 'GET',
    path: '/instances/:id/usage',
    operation: 'getUsage',
    summary: 'How long one instance was charged for within a period, also after it is gone.',
    tag: 'usage',
    role: 'reader',
    query: hears.instanceUsage,
    answers: { 200: says.usage },
    handle: getUsage,
  }),
  endpoint({
    method: 'GET',
    path: '/instances/:id/holds',
    operation: 'listHolds',
    summary: 'Why an instance must not be changed, if somebody said so.',
    tag: 'holds',
    role: 'reader',
    answers: { 200: says.pageOf(says.hold) },
    handle: listHolds,
  }),
  endpoint({
    method: 'POST',
    path: '/instances/:id/holds',
    operation: 'holdInstance',
    summary: 'Hold an instance as it is until somebody releases it or the time is over.',
    tag: 'holds',
    role: 'member',
    body: hears.holdInstance,
    generation: true,
    answers: { 200: receipt, 201: receipt },
    handle: holdInstance,
  }),
  endpoint({
    method: 'GET',
    path: '/instances/:id/holds/:hold',
    operation: 'getHold',
    summary: 'One hold.',
    tag: 'holds',
    role: 'reader',
    answers: { 200: says.hold },
    handle: getHold,
  }),
  endpoint({
    method: 'DELETE',
    path: '/instances/:id/holds/:hold',
    operation: 'releaseHold',
    summary: 'Release one hold.',
    tag: 'holds',
    role: 'member',
    generation: true,
    answers: changed,
    handle: releaseHold,
  }),
]

const guards: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/guards',
    operation: 'listGuards',
    summary: 'Where a mass loss of leases keeps registered instances from expiring.',
    tag: 'guards',
    role: 'reader',
    query: hears.listGuards,
    answers: { 200: says.pageOf(says.guard) },
    handle: listGuards,
  }),
  endpoint({
    method: 'POST',
    path: '/guards/:guard/actions',
    operation: 'actOnGuard',
    summary: 'Release a guard: what it holds expires at once.',
    tag: 'guards',
    role: 'admin',
    body: hears.guardAction,
    answers: changed,
    handle: actOnGuard,
  }),
]

const history: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/usage',
    operation: 'listUsage',
    summary: 'The same of every instance that lived within the period, oldest first.',
    tag: 'usage',
    role: 'reader',
    query: hears.listUsage,
    answers: { 200: says.usagePage },
    handle: listUsage,
  }),
  endpoint({
    method: 'GET',
    path: '/operations',
    operation: 'listOperations',
    summary: 'Operations, newest first.',
    tag: 'operations',
    role: 'reader',
    query: hears.listOperations,
    answers: { 200: says.pageOf(says.operation) },
    handle: listOperations,
  }),
  endpoint({
    method: 'GET',
    path: '/operations/:id',
    operation: 'getOperation',
    summary: 'One operation with the log of its steps; `Prefer: wait` waits for its end.',
    tag: 'operations',
    role: 'reader',
    answers: { 200: says.operation },
    handle: getOperation,
  }),
  endpoint({
    method: 'GET',
    path: '/events',
    operation: 'listEvents',
    summary: 'Events by number.',
    tag: 'events',
    role: 'reader',
    query: hears.listEvents,
    answers: { 200: says.eventPage },
    handle: listEvents,
  }),
  endpoint({
    method: 'GET',
    path: '/events/stream',
    operation: 'streamEvents',
    summary: 'Events as they happen (server-sent events); `Last-Event-ID` or `after` resumes.',
    tag: 'events',
    role: 'reader',
    query: hears.streamEvents,
    answers: { 200: null },
    handle: streamEvents,
  }),
]

const services: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/services',
    operation: 'listServices',
    summary: 'Inference services and microservices.',
    tag: 'services',
    role: 'reader',
    query: hears.listServices,
    answers: { 200: says.pageOf(says.service) },
    handle: listServices,
  }),
  endpoint({
    method: 'POST',
    path: '/services',
    operation: 'deployService',
    summary: 'Deploy an inference service: one instance on each node.',
    tag: 'services',
    role: 'member',
    body: hears.deployService,
    answers: made,
    handle: deployService,
  }),
  endpoint({
    method: 'GET',
    path: '/services/:id',
    operation: 'getService',
    summary: 'One service; its instances are those with `service=` its id.',
    tag: 'services',
    role: 'reader',
    answers: { 200: says.service },
    handle: getService,
  }),
  endpoint({
    method: 'PATCH',
    path: '/services/:id',
    operation: 'patchService',
    summary: 'Change what is said of an inference service, and what stands against changing it.',
    tag: 'services',
    role: 'member',
    body: hears.patchService,
    answers: changed,
    handle: patchService,
  }),
  endpoint({
    method: 'POST',
    path: '/services/:id/actions',
    operation: 'actOnService',
    summary: 'Start or stop every instance of an inference service.',
    tag: 'services',
    role: 'member',
    body: hears.serviceAction,
    answers: accepted,
    handle: actOnService,
  }),
  endpoint({
    method: 'DELETE',
    path: '/services/:id',
    operation: 'deleteService',
    summary: 'Remove a service and its instances; a microservice only when it has none.',
    tag: 'services',
    role: 'member',
    answers: accepted,
    handle: removeService,
  }),
]

export const endpoints: readonly Endpoint[] = [
  ...instances,
  ...services,
  ...guards,
  ...catalogueEndpoints,
  ...history,
]

export const routesIn = (house: House<Settings>, closing: AbortSignal): readonly Route[] => [
  ...endpoints.map((row) => mounted(row, house, closing)),
  {
    method: 'GET',
    path: `${base}/openapi.json`,
    operation: 'getDocument',
    source: 'https://spec.openapis.org/oas/v3.1.1',
    handle: (exchange) =>
      Promise.resolve({
        status: 200,
        headers: { 'content-type': 'application/json', 'x-request-id': exchange.requestId },
        body: documentText(),
      }),
  },
]

let text: string | undefined
/** Made once, when first asked for: the table does not change while we run. */
const documentText = (): string => (text ??= JSON.stringify(documentOf(endpoints)))
