// Every kind of instance and its lifecycle. A new kind starts here.

import type { Lifecycle, StateOf } from './lifecycle.ts'
import { edgeInstance } from './lifecycles/edge-instance.ts'
import { notebook } from './lifecycles/notebook.ts'
import { server } from './lifecycles/server.ts'
import { serviceInstance } from './lifecycles/service-instance.ts'

export const lifecycles = {
  server,
  notebook,
  'edge-instance': edgeInstance,
  'service-instance': serviceInstance,
} as const satisfies Record<string, Lifecycle>

export type Kind = keyof typeof lifecycles
export type StateOfKind<K extends Kind> = StateOf<(typeof lifecycles)[K]>
export type State = { [K in Kind]: StateOfKind<K> }[Kind]

export const kindNames = Object.keys(lifecycles) as readonly Kind[] // keys of a const table

/** What an operation carries out. */
export type Verb = 'create' | 'start' | 'stop' | 'restart' | 'capture' | 'delete' | MachineVerb

/** What only whole machines can be asked for. */
type MachineVerb = 'pause' | 'unpause' | 'suspend' | 'resume' | 'rebuild'

/** What can fail: an operation, or `run` when a running thing was lost. */
export const failedVerbs = [
  'create',
  'start',
  'stop',
  'restart',
  'capture',
  'delete',
  'pause',
  'unpause',
  'suspend',
  'resume',
  'rebuild',
  'run',
] as const satisfies readonly (Verb | 'run')[]
export type FailedVerb = (typeof failedVerbs)[number]

/**
 * A state, told apart by what failed. Doors state preconditions and map words over situations, so
 * "create failed" and "start failed" are different without being different states.
 */
export type SituationOf<K extends Kind> =
  | Exclude<StateOfKind<K>, 'failed'>
  | ('failed' extends StateOfKind<K> ? `failed/${FailedVerbOf<K>}` : never)
type FailedVerbOf<K extends Kind> = K extends 'server'
  ? FailedVerb
  : Exclude<FailedVerb, MachineVerb>
export type Situation = { [K in Kind]: SituationOf<K> }[Kind]
