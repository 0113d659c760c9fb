// The starter fleet: one instance behind each door, made at the first start through the same requests as any
// other. The server, the notebook and both edge instances are real processes.

import { type Caller } from '#kernel/caller.ts'
import { type Result } from '#kernel/errors.ts'
import { type Plane } from '#kernel/ports/plane.ts'
import { type CallerRequest, type Receipt } from '#kernel/request.ts'

/** Long, because nobody beats for it: the one registered instance that has no process of its own. */
const yearMs = 365 * 86_400_000

export interface Starter {
  readonly server: string
  readonly ecs: string
  readonly notebook: string
  readonly service: string
  readonly node: string
  readonly microservice: string
  readonly registered: string
}

export async function makeStarter(plane: Plane, caller: Caller): Promise<Starter> {
  const submit = async (request: CallerRequest): Promise<Receipt> => {
    const result: Result<Receipt> = await plane.submit(request, {
      caller,
      door: 'starter',
      requestId: `starter-${request.verb}`,
      why: 'starter fleet',
    })
    if (!result.ok)
      throw new Error(
        `the starter fleet could not be made: ${request.verb} was refused with ${result.error.code}`,
      )
    return result.value
  }
  const server = await submit({
    verb: 'create',
    kind: 'server',
    name: 'web-1',
    flavorId: 'proc.small',
    imageId: 'echo-http',
  })
  await submit({
    verb: 'create',
    kind: 'server',
    name: 'metal-1',
    flavorId: 'physical.s4.medium',
    imageId: 'sim',
  })
  const ecs = await submit({
    verb: 'create',
    kind: 'server',
    name: 'ecs-1',
    flavorId: 'ecs.g3i.large',
    imageId: 'sim',
  })
  const notebook = await submit({
    verb: 'create',
    kind: 'notebook',
    name: 'notebook-1',
    flavorId: 'modelarts.vm.cpu.2u',
    imageId: 'Multi-Engine 2.0 (python3)',
  })
  const edge = await submit({
    verb: 'deploy',
    name: 'defect-detect',
    nodes: ['edge-1', 'edge-2'],
    onNodes: true,
    flavorId: 'modelarts.vm.cpu.2u',
    imageId: '6c0f2d5e-0d63-4c6b-9a53-2b1e54f1a7d0',
  })
  const shop = await submit(microservice)
  await submit({
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
  })
  const id = (receipt: Receipt): string => receipt.instanceIds[0] ?? ''
  return {
    server: id(server),
    ecs: (await plane.read.get('instances', id(ecs)))?.aliases['ecs'] ?? '',
    notebook: (await plane.read.get('instances', id(notebook)))?.aliases['devenv'] ?? '',
    service: edge.serviceId ?? '',
    node: 'edge-1',
    microservice: shop.serviceId === undefined ? '' : microservice.freshId,
    registered: 'provider-1',
  }
}

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

/** Ready to paste once credentials.env is sourced; OS_TOKEN is fetched by the first line. */
export function sampleLines(
  url: string,
  project: string,
  starter: Starter,
): readonly (readonly [string, string])[] {
  const token = '-H "X-Auth-Token: $(openstack token issue -f value -c id)"'
  return [
    ['nova', `openstack server stop web-1`],
    [
      'modelarts-service',
      `curl -X PUT ${url}/v1/${project}/services/${starter.service}/nodes/${starter.node}/status ${token} -d '{"status":"stopped"}'`,
    ],
    [
      'modelarts-notebook',
      `curl -X POST ${url}/v1/${project}/demanager/instances/${starter.notebook}/action ${token} -d '{"action":"stop"}'`,
    ],
    [
      'servicecomb',
      `curl -X PUT '${url}/v4/default/registry/microservices/${starter.microservice}/instances/${starter.registered}/status?value=OUTOFSERVICE'`,
    ],
    ['volcengine', `ve ecs StopInstance --InstanceId ${starter.ecs}`],
  ]
}
