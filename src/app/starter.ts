// The starter fleet: one instance behind each door, made at the first start through the same requests as any
// other. The server, the notebook and both edge instances are real processes.

import type { Caller } from '#kernel/caller.ts'
import type { Result } from '#kernel/errors.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import type { UrlOf } from './credentials.ts'

/** Long, because nobody beats for it: the one registered instance that has no process of its own. */
const yearMs = 365 * 86_400_000

export interface Starter {
  readonly server: string
  readonly ecs: string
  readonly metal: string
  readonly notebook: string
  readonly service: string
  readonly node: string
  readonly microservice: string
  readonly registered: string
}

/** All of it is asked for at once, so that it is one commit: a crash leaves the whole fleet or nothing of it. */
export async function makeStarter(plane: Plane, caller: Caller): Promise<Starter> {
  const submit = async (request: CallerRequest): Promise<Receipt> => {
    const requestId = `starter-${request.verb}`
    const submission = { caller, door: 'starter', requestId, why: 'starter fleet' }
    const result: Result<Receipt> = await plane.submit(request, submission)
    if (!result.ok) throw new Error(`the starter fleet was refused: ${result.error.code}`)
    return result.value
  }
  const server = { verb: 'create', kind: 'server' } as const
  const [web, ecs, notebook, edge, metal] = await Promise.all([
    submit({ ...server, name: 'web-1', flavorId: 'proc.small', imageId: 'echo-http' }),
    submit({ ...server, name: 'ecs-1', flavorId: 'ecs.g3i.large', imageId: 'sim' }),
    submit({ ...notebookOf, name: 'notebook-1' }),
    submit(service),
    submit({ ...server, name: 'metal-1', flavorId: 'physical.s4.medium', imageId: 'sim' }),
    submit(microservice),
    submit(registered),
  ])
  const alias = async (receipt: Receipt, scheme: string): Promise<string> =>
    (await plane.read.get('instances', receipt.instanceIds[0] ?? ''))?.aliases[scheme] ?? ''
  return {
    server: web.instanceIds[0] ?? '',
    ecs: await alias(ecs, 'ecs'),
    metal: metal.instanceIds[0] ?? '',
    notebook: await alias(notebook, 'devenv'),
    service: edge.serviceId ?? '',
    node: service.nodes[0],
    microservice: microservice.freshId,
    registered: registered.instance,
  }
}

const notebookOf = {
  verb: 'create',
  kind: 'notebook',
  flavorId: 'modelarts.vm.cpu.2u',
  imageId: 'Multi-Engine 2.0 (python3)',
} as const

const service = {
  verb: 'deploy',
  name: 'defect-detect',
  nodes: ['edge-1', 'edge-2'],
  onNodes: true,
  flavorId: 'modelarts.vm.cpu.2u',
  imageId: '6c0f2d5e-0d63-4c6b-9a53-2b1e54f1a7d0',
} as const

const microservice = {
  verb: 'register-service',
  freshId: '5c0ffee05c0ffee05c0ffee05c0ffee05c0ffee0',
  key: '/shop/provider/1.0.0',
  name: 'provider',
  attributes: {
    servicecomb: {
      appId: 'shop',
      serviceName: 'provider',
      version: '1.0.0',
      environment: '',
      level: 'BACK',
      status: 'UP',
    },
  },
} as const

const registered = {
  verb: 'register',
  service: microservice.freshId,
  instance: 'provider-1',
  hostName: 'localhost',
  endpoints: ['rest://127.0.0.1:8080'],
  healthCheck: { mode: 'push', interval: yearMs / 4_000, times: 3 },
  dataCenter: null,
  version: '1.0.0',
  ttlMs: yearMs,
  properties: {},
} as const

/** Ready to paste once credentials.env is sourced. */
export function sampleLines(
  urlOf: UrlOf,
  project: string,
  starter: Starter,
): readonly (readonly [string, string])[] {
  // Without a type curl says that it sends a form, which Nova refuses.
  const json = `-H "X-Auth-Token: $RUNSTATE_TOKEN" -H 'Content-Type: application/json' -d`
  const put = (door: string): string => `curl -i -X PUT ${urlOf(door)}`
  const post = (door: string): string => `curl -i -X POST ${urlOf(door)}`
  const { server, service, node, notebook, microservice: shop, registered: provider } = starter
  const { ecs, metal } = starter
  const instance = `/v4/default/registry/microservices/${shop}/instances/${provider}`
  return [
    ['nova', `${post('nova')}/v2.1/${project}/servers/${server}/action ${json} '{"os-stop":{}}'`],
    [
      'huawei',
      `${post('huawei')}/v1/${project}/baremetalservers/action ${json} '{"os-stop":{"type":"HARD","servers":[{"id":"${metal}"}]}}'`,
    ],
    [
      'modelarts-service',
      `${put('modelarts-service')}/v1/${project}/services/${service}/nodes/${node}/status ${json} '{"status":"stopped"}'`,
    ],
    [
      'modelarts-notebook',
      `${post('modelarts-notebook')}/v1/${project}/demanager/instances/${notebook}/action ${json} '{"action":"stop"}'`,
    ],
    [
      'servicecomb',
      `curl -i -X PUT '${urlOf('servicecomb')}${instance}/status?value=OUTOFSERVICE'`,
    ],
    ['volcengine', `VOLCENGINE_DISABLE_SSL=true ve ecs StopInstance --InstanceId ${ecs}`],
    ['native', `npx runstate stop web-1`],
    ['keystone', 'openstack token issue'],
  ]
}
