// What each changing operation is asked for when all is well, so that a refusal of it has one reason only. Those
// that are not here take nothing but their path.

import type { Stage } from './door-stage.ts'

export interface Sample {
  readonly body?: object
  readonly params?: Readonly<Record<string, string>>
}

const of = { flavor: 'instant', image: 'sim' }

export const samples: Readonly<Record<string, Sample>> = {
  createInstance: { body: { kind: 'server', name: 'sample', ...of } },
  patchInstance: { body: { name: 'sample' } },
  actOnInstance: { body: { action: 'stop' } },
  holdInstance: { body: { kind: 'hold' } },
  deployService: { body: { name: 'sample', nodes: ['edge-1'], ...of } },
  patchService: { body: { description: 'sample' } },
  actOnService: { body: { action: 'stop' } },
  createServer: { body: { server: { name: 'sample', flavorRef: 'instant', imageRef: 'sim' } } },
  updateServer: { body: { server: { name: 'sample' } } },
  actOnServer: { body: { 'os-stop': null } },
  BatchOperateBaremetalServers: { body: { 'os-stop': { servers: [{ id: 'sample' }] } } },
  BatchOperateServers: { body: { 'os-stop': { servers: [{ id: 'sample' }] } } },
  ChangeBaremetalServerName: { body: { server: { name: 'sample' } } },
  mergeMetadata: { body: { metadata: { colour: 'red' } } },
  replaceMetadata: { body: { metadata: { colour: 'red' } } },
  writeMetadataItem: { body: { meta: { colour: 'red' } } },
  replaceTags: { body: { tags: ['night'] } },
  createFlavor: { body: { flavor: { name: 'sample', ram: 512, vcpus: 1, disk: 1 } } },
  updateFlavor: { body: { flavor: { description: 'sample' } } },
  actOnFlavor: { body: { addTenantAccess: { tenant: 'sample' } } },
  addExtraSpecs: { body: { extra_specs: { colour: 'red' } } },
  setExtraSpec: { body: { colour: 'red' } },
  createKeyPair: { body: { keypair: { name: 'sample', public_key: 'ssh-ed25519 AAAA' } } },
  UpdateEdgeNodeStatus: { body: { status: 'stopped' } },
  CreateService: {
    body: {
      service_name: 'sample',
      infer_type: 'edge',
      config: [{ model_id: 'sim', specification: 'instant', nodes: ['edge-1'] }],
    },
  },
  UpdateService: { body: { description: 'sample' } },
  ListSpecifications: { params: { infer_type: 'edge' } },
  ManageDevEnvironInstance: { body: { action: 'stop' } },
  CreateDevEnvironInstance: {
    body: {
      name: 'sample',
      profile_id: 'sim',
      flavor: 'instant',
      spec: { storage: { type: 'evs' } },
    },
  },
  UpdateDevEnvironInstance: { body: { description: 'sample' } },
  CreateNotebook: {
    body: {
      name: 'sample',
      image_id: 'sim',
      flavor: 'instant',
      volume: { category: 'EVS', ownership: 'MANAGED' },
    },
  },
  UpdateNotebook: { body: { name: 'sample' } },
  CreateNotebookTags: { body: { tags: [{ key: 'sample' }] } },
  DeleteNotebookTags: { body: { tags: [{ key: 'sample' }] } },
  create_credential: { body: { credential: { user_id: 'somebody' } } },
  update_credential: { body: { credential: { status: 'inactive' } } },
  create_application_credential: { body: { application_credential: { name: 'sample' } } },
  'S5 update service properties': { body: { properties: { colour: 'red' } } },
  'S8 put schema': { body: { summary: 'sample', schema: 'swagger: "2.0"' } },
  'I1 register instance': {
    body: { instance: { hostName: 'h', endpoints: ['rest://127.0.0.1:80'] } },
  },
  'I2 set status': { params: { value: 'OUTOFSERVICE' } },
  'I12 set many statuses': {
    body: { matches: { properties: { colour: 'red' } }, status: 'DOWN' },
  },
  'S11 put schemas': {
    body: { schemas: [{ schemaId: 'schema1', schema: 'swagger: "2.0"', summary: 'sample' }] },
  },
  'T1 put tags': { body: { tags: { colour: 'red' } } },
  'T3 put tag': { params: { value: 'red' } },
  'I9 update instance properties': { body: { properties: { colour: 'red' } } },
}

/** The parameters of every signed action that name one instance; each action reads its own. */
export const actionParams = (id: string): Readonly<Record<string, string>> => ({
  InstanceId: id,
  'InstanceIds.1': id,
  'ResourceIds.1': id,
  ResourceType: 'instance',
  'Tags.1.Key': 'colour',
  'Tags.1.Value': 'red',
  'TagKeys.1': 'colour',
  InstanceName: 'sample',
})

export const ecsIdOf = ({ server }: Pick<Stage, 'server'>): string => server.aliases['ecs'] ?? ''
