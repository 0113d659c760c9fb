// What each door is in the service catalogue: the type by which clients look for it, the name of the service that
// it stands for, and where it is mounted. A door that is not open is in no catalogue.

import type { Offer } from '#doors/shared/http.ts'

type Words = Omit<Offer, 'port'>

/** Source: contracts/identity.md section 5.1; the types that it does not name are our own. */
export const offers: Readonly<Record<string, readonly Words[]>> = {
  keystone: [
    { type: 'identity', name: 'keystone', path: '/identity/v3' },
    { type: 'iam', name: 'iam', path: '' },
  ],
  nova: [
    { type: 'compute', name: 'nova', path: '/compute/v2.1' },
    { type: 'image', name: 'glance', path: '/image' },
  ],
  huawei: [
    { type: 'ecs', name: 'ecs', path: '' },
    { type: 'bms', name: 'bms', path: '' },
  ],
  'modelarts-service': [{ type: 'modelarts', name: 'modelarts', path: '' }],
  'modelarts-notebook': [{ type: 'modelarts-devenviron', name: 'devenviron', path: '' }],
  servicecomb: [{ type: 'cse', name: 'service-center', path: '' }],
  volcengine: [{ type: 'volcengine-ecs', name: 'volcengine', path: '/' }],
  native: [{ type: 'runstate', name: 'runstate', path: '/api/v1' }],
}
