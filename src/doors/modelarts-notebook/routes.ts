// Every route of this door. Fixed words come before parameters whatever the order, so `/notebooks/flavors` is
// never a notebook's id.
// TODO(#5): A7, B3, B4, B7, B9, B12, B13 and B14.
// Source: notebook contract, section 1.1.

import { type ProjectRoute } from '../shared/project-route.ts'
import { act, create, list, remove, show, update } from './devenv.ts'
import * as lab from './lab.ts'

const source = (section: string) => `modelarts-devenviron.md §${section}`
const instances = '/v1/:project_id/demanager/instances'
const notebooks = '/v1/:project_id/notebooks'

const devenvRoutes: readonly ProjectRoute[] = [
  {
    method: 'POST',
    path: `${instances}/:instance_id/action`,
    operation: 'ManageDevEnvironInstance',
    source: source('1.2'),
    permission: 'modelarts:notebook:action',
    role: 'member',
    answer: act,
  },
  {
    method: 'POST',
    path: instances,
    operation: 'CreateDevEnvironInstance',
    source: source('1.3'),
    permission: 'modelarts:notebook:create',
    role: 'member',
    answer: create,
  },
  {
    method: 'GET',
    path: instances,
    operation: 'ListDevEnvironInstances',
    source: source('1.4'),
    permission: 'modelarts:notebook:list',
    role: 'reader',
    answer: list,
  },
  {
    method: 'GET',
    path: `${instances}/:instance_id`,
    operation: 'ShowDevEnvironInstance',
    source: source('1.5'),
    permission: 'modelarts:notebook:get',
    role: 'reader',
    answer: show,
  },
  {
    method: 'PUT',
    path: `${instances}/:instance_id`,
    operation: 'UpdateDevEnvironInstance',
    source: source('1.6'),
    permission: 'modelarts:notebook:update',
    role: 'member',
    answer: update,
  },
  {
    method: 'DELETE',
    path: `${instances}/:instance_id`,
    operation: 'DeleteDevEnvironInstance',
    source: source('1.7'),
    permission: 'modelarts:notebook:delete',
    role: 'member',
    answer: remove,
  },
]

const labRoutes: readonly ProjectRoute[] = [
  {
    method: 'POST',
    path: `${notebooks}/:id/start`,
    operation: 'StartNotebook',
    source: source('1.11'),
    permission: 'modelarts:notebook:start',
    role: 'member',
    answer: lab.start,
  },
  {
    method: 'POST',
    path: `${notebooks}/:id/stop`,
    operation: 'StopNotebook',
    source: source('1.11'),
    permission: 'modelarts:notebook:stop',
    role: 'member',
    answer: lab.stop,
  },
  {
    method: 'POST',
    path: notebooks,
    operation: 'CreateNotebook',
    source: source('1.13'),
    permission: 'modelarts:notebook:create',
    role: 'member',
    answer: lab.create,
  },
  {
    method: 'GET',
    path: notebooks,
    operation: 'ListNotebooks',
    source: source('1.14'),
    permission: 'modelarts:notebook:list',
    role: 'reader',
    answer: lab.list,
  },
  {
    method: 'GET',
    path: `${notebooks}/flavors`,
    operation: 'ListFlavors',
    source: source('1.16'),
    permission: 'modelarts:notebook:list',
    role: 'reader',
    answer: lab.listFlavors,
  },
  {
    method: 'GET',
    path: `${notebooks}/:id`,
    operation: 'ShowNotebook',
    source: source('1.10'),
    permission: 'modelarts:notebook:get',
    role: 'reader',
    answer: lab.show,
  },
  {
    method: 'DELETE',
    path: `${notebooks}/:id`,
    operation: 'DeleteNotebook',
    source: source('1.15'),
    permission: 'modelarts:notebook:delete',
    role: 'member',
    answer: lab.remove,
  },
  {
    method: 'GET',
    path: '/v1/:project_id/images',
    operation: 'ListImage',
    source: source('1.17'),
    permission: 'modelarts:image:list',
    role: 'reader',
    answer: lab.listImages,
  },
]

export const routes: readonly ProjectRoute[] = [...devenvRoutes, ...labRoutes]
