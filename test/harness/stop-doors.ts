// The ways into one instance that a driver carries out: how each door is asked for a soft stop, how it says no to
// a second one, and what it shows of the instance meanwhile and afterwards.

import type { Instance } from '#kernel/instance.ts'
import type { InstanceShown } from '#doors/native/wire.ts'
import { type Api, at, listAt } from './api.ts'
import type { Ecs } from './ecs.ts'
import type { NativeApi } from './native-api.ts'
import type { World } from './world.ts'

export const stopDoors = [
  'nova',
  'nova as Huawei documents it',
  'volcengine',
  'modelarts-service',
  'modelarts-notebook, DevEnviron',
  'modelarts-notebook, notebooks',
  'native',
] as const
export type StopDoor = (typeof stopDoors)[number]

export interface Answered {
  readonly status: number
  /** '' when it was accepted. */
  readonly code: string
  readonly text: string
}

export interface Asking {
  readonly key?: string
}

export interface StopWay {
  readonly kind: 'server' | 'notebook' | 'edge-instance'
  stop(row: Instance, asking?: Asking): Promise<Answered>
  /** Status and code of the answer to a stop that was accepted, and to one while another is under way. */
  readonly accepted: string
  readonly refused: string
  /** What it shows of an instance. */
  shows(row: Instance): Promise<string>
  readonly stopping: string
  readonly stopped: string
  /** Status and code for a key that came with another request before, and for one whose answer is still made. */
  readonly reused: string
  readonly inProcess: string
}

const keyed = ({ key }: Asking): Record<string, string> =>
  key === undefined ? {} : { 'idempotency-key': key }

interface Spoken {
  readonly status: number
  readonly text: string
  readonly body: unknown
}

const answered = (
  { status, text, body }: Spoken,
  ...code: readonly (string | number)[]
): Answered =>
  status < 300 ? { status, text, code: '' } : { status, text, code: String(at(body, ...code)) }

export const said = ({ status, code }: Answered): string => `${status} ${code}`.trim()

export interface Somebody {
  readonly api: Api
  readonly ecs: Ecs
  readonly own: NativeApi
}

/** As somebody in the instances' own project. */
export function stopWays({ api, ecs, own }: Somebody): Readonly<Record<StopDoor, StopWay>> {
  const nova = (base: string, accepted: string): StopWay => ({
    kind: 'server',
    stop: async ({ id }, asking = {}) =>
      answered(
        await api.call('POST', `${base}/servers/${id}/action`, { 'os-stop': null }, keyed(asking)),
        'conflictingRequest',
        'code',
      ),
    accepted,
    refused: '409 409',
    shows: async ({ id }) => {
      const server = at((await api.call('GET', `${base}/servers/${id}`)).body, 'server')
      const task = at(server, 'OS-EXT-STS:task_state')
      return `${String(at(server, 'status'))} ${String(task)}`
    },
    stopping: 'ACTIVE powering-off',
    stopped: 'SHUTOFF null',
    reused: '409 409',
    inProcess: '409 409',
  })
  const modelarts = { accepted: '200', inProcess: '429 ModelArts.6101' }
  const notebook = { kind: 'notebook', stopping: 'STOPPING', stopped: 'STOPPED' } as const
  const devenv = '/v1/{p}/demanager/instances'
  const edge = ({ serviceId, nodeId }: Instance) => `/v1/{p}/services/${serviceId}/nodes/${nodeId}`
  return {
    nova: nova('/compute/v2.1', '202'),
    'nova as Huawei documents it': nova('/v2.1/{p}', '204'),
    volcengine: {
      kind: 'server',
      stop: async ({ aliases }, { key } = {}) => {
        const token: Record<string, string> = key === undefined ? {} : { ClientToken: key }
        const asked = { InstanceId: aliases['ecs'] ?? '', ...token }
        const { status, code, text } = await ecs('StopInstance', asked)
        return { status, code, text }
      },
      accepted: '200',
      refused: '400 InvalidInstanceStatus',
      shows: async ({ aliases }) => {
        const { result } = await ecs('DescribeInstances', { 'InstanceIds.1': aliases['ecs'] ?? '' })
        return String(at(result, 'Instances', 0, 'Status'))
      },
      stopping: 'STOPPING',
      stopped: 'STOPPED',
      reused: '400 IdempotentParameterMismatch',
      inProcess: '412 IdempotentProcessing',
    },
    'modelarts-service': {
      kind: 'edge-instance',
      stop: async (row, asking = {}) =>
        answered(
          await api.call('PUT', `${edge(row)}/status`, { status: 'stopped' }, keyed(asking)),
          'error_code',
        ),
      accepted: '200',
      reused: '400 ModelArts.0107',
      inProcess: '429 ModelArts.4206',
      refused: '400 ModelArts.3519',
      shows: async ({ serviceId, nodeId }) => {
        const { body } = await api.call('GET', `/v1/{p}/services/${serviceId}`)
        const nodes = listAt(body, 'config', 0, 'nodes')
        return String(
          at(
            nodes.find((one) => at(one, 'id') === nodeId),
            'instance_status',
          ),
        )
      },
      stopping: 'notReady',
      stopped: 'stopped',
    },
    'modelarts-notebook, DevEnviron': {
      ...notebook,
      ...modelarts,
      stop: async ({ aliases }, asking = {}) => {
        const path = `${devenv}/${aliases['devenv']}/action`
        return answered(
          await api.call('POST', path, { action: 'stop' }, keyed(asking)),
          'error_code',
        )
      },
      refused: '400 ModelArts.6308',
      reused: '400 ModelArts.6336',
      shows: async ({ aliases }) =>
        String(at((await api.call('GET', `${devenv}/${aliases['devenv']}`)).body, 'status')),
    },
    'modelarts-notebook, notebooks': {
      ...notebook,
      ...modelarts,
      stop: async ({ id }, asking = {}) =>
        answered(
          await api.call('POST', `/v1/{p}/notebooks/${id}/stop`, undefined, keyed(asking)),
          'error_code',
        ),
      // Source: notebook contract, section 2.4: this family has one code for every wrong state.
      refused: '400 ModelArts.6357',
      reused: '400 ModelArts.6400',
      shows: async ({ id }) =>
        String(at((await api.call('GET', `/v1/{p}/notebooks/${id}`)).body, 'status')),
    },
    native: {
      kind: 'server',
      stop: async ({ id }, asking = {}) => {
        const sent = { body: { action: 'stop' }, headers: keyed(asking) }
        const { status, body } = await own.call('POST', `/instances/${id}/actions`, sent)
        return answered({ status, body, text: JSON.stringify(body) }, 'code')
      },
      accepted: '202',
      refused: '202',
      shows: async ({ id }) => (await own.get<InstanceShown>(`/instances/${id}`)).state,
      stopping: 'stopping',
      stopped: 'stopped',
      reused: '422 TokenReused',
      inProcess: '409 TokenInProcess',
    },
  }
}

/** The row itself, which no door can colour. */
export async function rowOf({ plane }: Pick<World, 'plane'>, id: string): Promise<Instance> {
  const row = await plane.read.get('instances', id)
  if (!row) throw new Error(`no instance ${id}`)
  return row
}
