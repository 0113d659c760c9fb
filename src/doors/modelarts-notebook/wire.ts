// What both families' wires have in common: what this door keeps of a notebook, where it is reached, and the
// words for hardware. Their own names live in devenv-wire.ts and lab-wire.ts.

import { type Flavor, storages } from '#kernel/catalogue.ts'
import { compact } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import { objectIn, textIn } from '../shared/json-facts.ts'
import type { Asked } from '../shared/project-route.ts'
import { seenUrl } from '../shared/seen-url.ts'

/** This door's name; it is also the name under which it keeps what it was told. */
export const doorName = 'modelarts-notebook'

/** What a notebook was created with, kept to be shown again. Another door's notebook has none of it. */
export type Kept = {
  // The first family's.
  readonly storage?: JsonObject
  readonly extendStorage?: readonly JsonObject[]
  readonly annotations?: JsonObject | null
  readonly aiProject?: string
  /** Whether the vendor's console warns before an auto stop. */
  readonly prompt?: boolean
  // The second family's.
  readonly volume?: JsonObject
  readonly endpoints?: readonly JsonObject[]
  readonly lease?: { readonly type: string }
  /** What this door only shows again: hooks, data volumes, … */
  readonly extras?: JsonObject
  // Both.
  readonly token?: string
  readonly pool?: JsonObject
}

export const keptOf = (instance: Instance): JsonObject => instance.attributes[doorName] ?? {}

/** What is reached at its address may ask for it; where nothing was told, nothing asks, and any text will do. */
export const tokenOf = (instance: Instance): string =>
  textIn(keptOf(instance), 'token') ?? instance.id

/**
 * A new notebook's token, and how its process learns of it.
 *
 * @param fresh  a random UUID.
 */
export const withToken = (fresh: string) => ({
  kept: { token: fresh },
  launch: { env: { NOTEBOOK_TOKEN: compact(fresh) } },
})

export const isInPool = (instance: Instance, id: string): boolean =>
  textIn(objectIn(keptOf(instance), 'pool') ?? {}, 'id') === id

export const aiProjectOf = (instance: Instance): string =>
  textIn(keptOf(instance), 'aiProject') ?? 'default-ai-project'

/** The default workspace, which has no row. */
export const defaultWorkspace = '0'
export const workspaceOf = (instance: Instance): string => instance.workspaceId ?? defaultWorkspace
export const inWorkspace = (id: string | undefined): { readonly workspace?: string } =>
  id === undefined || id === defaultWorkspace ? {} : { workspace: id }

/** Whether a list narrowed to this workspace may leave anything out. */
export async function narrows(asked: Asked, workspace: string): Promise<boolean> {
  if (workspace !== defaultWorkspace) return true
  const project = await asked.plane.read.get('projects', asked.project)
  return (project?.workspaces?.length ?? 0) > 0
}

export const isStorage = (text: string | undefined): text is (typeof storages)[number] =>
  storages.some((one) => one === text)

/** Where its driver says that it answers; '' while it does not run, or where nothing listens. */
export const urlOf = (instance: Instance): string =>
  (instance.state === 'running' ? seenUrl(instance.observation.evidence) : undefined) ?? ''

/** The auto stop that takes effect: a flavor's own goes before the instance's. */
export function runTimeOf(
  instance: Instance,
  flavor: Flavor | undefined,
): { readonly enabled: boolean; readonly afterMs: number | null } {
  const imposedMs = flavor?.autoStopMs ?? null
  if (imposedMs !== null) return { enabled: true, afterMs: imposedMs }
  return {
    enabled: instance.autoStop?.enabled ?? false,
    afterMs: instance.autoStop?.afterMs ?? null,
  }
}

export const isFree = (flavor: Flavor | undefined): boolean => flavor?.charge === 'free'

/** Whole seconds, rounded up: a time that is told must not be over before it is. */
export const secondsOf = (ms: number): number => Math.max(0, Math.ceil(ms / 1000))
