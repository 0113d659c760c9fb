// Documented calls of upstream's API that are not answered here, and why. The generated coverage page lists them.
// Source: contract, section 2.3; https://docs.openstack.org/api-ref/compute/.

import type { AbsentCall } from '../shared/http.ts'

const noGuest = 'nothing of a guest is reached here'
const noMoving = 'a server stays on its driver'
const noSize = 'a flavor is for good: make another server of the image'
const noNetworks = 'networks are kept as they were said, and nothing acts on them'
const noVolumes = 'there are no volumes'
const gone = 'removed or deprecated upstream'

const action = (name: string, why: string): AbsentCall => ({
  call: `POST /servers/{id}/action ${name}`,
  why,
})

export const absent: readonly AbsentCall[] = [
  ...['changePassword', 'os-getConsoleOutput', 'os-getVNCConsole', 'trigger_crash_dump'].map(
    (name) => action(name, noGuest),
  ),
  ...['rescue', 'unrescue', 'createBackup'].map((name) => action(name, noGuest)),
  ...['resize', 'confirmResize', 'revertResize'].map((name) => action(name, noSize)),
  ...['shelve', 'shelveOffload', 'unshelve', 'migrate', 'os-migrateLive', 'evacuate'].map((name) =>
    action(name, noMoving),
  ),
  ...['addSecurityGroup', 'removeSecurityGroup'].map((name) => action(name, noNetworks)),
  ...['addFixedIp', 'removeFixedIp', 'addFloatingIp', 'removeFloatingIp'].map((name) =>
    action(name, gone),
  ),
  action('restore', 'nothing is deleted softly'),
  action('injectNetworkInfo, resetNetwork', noNetworks),
  { call: 'POST /servers/{id}/remote-consoles', why: noGuest },
  { call: 'GET, DELETE /servers/{id}/os-server-password', why: noGuest },
  { call: 'GET /servers/{id}/diagnostics', why: noGuest },
  { call: 'POST, DELETE /servers/{id}/os-interface', why: noNetworks },
  { call: 'POST, PUT, DELETE /servers/{id}/os-volume_attachments', why: noVolumes },
  { call: 'GET /servers/{id}/os-security-groups', why: noNetworks },
  { call: 'GET /servers/{id}/topology', why: noGuest },
  { call: 'GET /servers/{id}/migrations, /os-migrations', why: noMoving },
  { call: 'GET, POST, DELETE /os-server-groups', why: 'nothing places servers by groups' },
  { call: 'GET /os-hypervisors', why: 'drivers are shown as services' },
  { call: 'GET, POST, PUT, DELETE /os-aggregates', why: 'zones are configuration' },
  { call: 'PUT, DELETE /os-services/{id}', why: 'drivers are put out of service by our own door' },
  { call: 'GET /os-simple-tenant-usage', why: 'our own door tells usage' },
  { call: 'PUT, DELETE /os-quota-sets/{id}, /os-quota-class-sets', why: 'nothing is limited' },
  { call: 'DELETE /images/{id}, /images/{id}/metadata', why: 'the image service does that' },
  { call: 'POST /os-server-external-events', why: noNetworks },
  { call: 'GET /os-instance_usage_audit_log', why: 'the event log of our own door is one' },
  { call: '/os-networks, /os-security-groups, /os-floating-ips, /os-volumes', why: gone },
]
