// Who may ask for what. Doors call `may` where their protocol checks it; `decide` checks it again for all.

import { type Caller, hasRole, type Role } from './caller.ts'
import { type Flavor, isFlavorOf } from './catalogue.ts'
import type { CallerRequest } from './request.ts'

type Need = { readonly [V in CallerRequest['verb']]: Role }

export const needs = {
  create: 'member',
  start: 'member',
  stop: 'member',
  restart: 'member',
  capture: 'member',
  pause: 'member',
  unpause: 'member',
  suspend: 'member',
  resume: 'member',
  rebuild: 'member',
  delete: 'member',
  queue: 'member',
  dequeue: 'member',
  reset: 'admin',
  update: 'member',
  hold: 'member',
  release: 'member',
  bind: 'member',
  unbind: 'member',
  batch: 'member',
  deploy: 'member',
  redeploy: 'member',
  'start-service': 'member',
  'stop-service': 'member',
  'update-service': 'member',
  'remove-services': 'member',
  'register-service': 'member',
  'unregister-service': 'member',
  depend: 'member',
  register: 'member',
  'set-status': 'member',
  'clear-status': 'member',
  unregister: 'member',
  'release-guard': 'admin',
  put: 'admin',
  'edit-flavor': 'admin',
  'remove-from-catalogue': 'member',
  'add-key-pair': 'member',
  'remove-key-pair': 'member',
} as const satisfies Need

export const may = (caller: Caller, verb: CallerRequest['verb']): boolean =>
  hasRole(caller, needs[verb])

/** A tenant cannot see another's things; an admin sees every project's. */
export const sees = (caller: Caller, project: string): boolean =>
  caller.projectId === project || caller.role === 'admin'

/** A flavor of other projects is as good as none, but an admin knows all. */
export const seesFlavor = (
  { role, projectId }: Pick<Caller, 'role' | 'projectId'>,
  flavor: Pick<Flavor, 'projects'>,
): boolean => role === 'admin' || isFlavorOf(flavor, projectId)
