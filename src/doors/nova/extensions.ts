// The extensions that this API once had one by one, and has whole since: a list that never changes.
// Source: contract, section 8.3; openstack/nova nova/api/openstack/compute/extension_info.py.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Call, Reply } from './call.ts'
import type { NovaFault } from './faults.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const names = {
  NMN: 'Multinic',
  'OS-DCF': 'DiskConfig',
  'OS-EXT-AZ': 'ExtendedAvailabilityZone',
  'OS-EXT-IMG-SIZE': 'ImageSize',
  'OS-EXT-IPS': 'ExtendedIps',
  'OS-EXT-IPS-MAC': 'ExtendedIpsMac',
  'OS-EXT-SRV-ATTR': 'ExtendedServerAttributes',
  'OS-EXT-STS': 'ExtendedStatus',
  'OS-FLV-DISABLED': 'FlavorDisabled',
  'OS-FLV-EXT-DATA': 'FlavorExtraData',
  'OS-SCH-HNT': 'SchedulerHints',
  'OS-SRV-USG': 'ServerUsage',
  'os-admin-actions': 'AdminActions',
  'os-availability-zone': 'AvailabilityZone',
  'os-config-drive': 'ConfigDrive',
  'os-consoles': 'Consoles',
  'os-create-backup': 'CreateBackup',
  'os-deferred-delete': 'DeferredDelete',
  'os-extended-status': 'ExtendedStatus',
  'os-extended-volumes': 'ExtendedVolumes',
  'os-flavor-access': 'FlavorAccess',
  'os-flavor-extra-specs': 'FlavorExtraSpecs',
  'os-flavor-manage': 'FlavorManage',
  'os-instance-actions': 'InstanceActions',
  'os-keypairs': 'Keypairs',
  'os-lock-server': 'LockServer',
  'os-multiple-create': 'MultipleCreate',
  'os-pause-server': 'PauseServer',
  'os-quota-sets': 'Quotas',
  'os-server-start-stop': 'ServerStartStop',
  'os-services': 'Services',
  'os-suspend-server': 'SuspendServer',
  'os-used-limits': 'UsedLimits',
  'os-user-data': 'UserData',
} as const satisfies Record<string, string>

const extension = (alias: string, name: string): object => ({
  alias,
  name,
  description: '',
  links: [],
  namespace: `http://docs.openstack.org/compute/ext/${alias.toLowerCase()}/api/fake_v2.1`,
  updated: '2014-12-03T00:00:00Z',
})

export async function listExtensions(): Answered {
  const extensions = Object.entries(names).map(([alias, name]) => extension(alias, name))
  return ok({ status: 200, body: { extensions } })
}

export async function showExtension(call: Call): Answered {
  const alias = call.exchange.params['alias'] ?? ''
  if (!Object.hasOwn(names, alias))
    return err({ status: 404, message: 'The resource could not be found.' })
  const name = names[alias as keyof typeof names] // just looked up
  return ok({ status: 200, body: { extension: extension(alias, name) } })
}
