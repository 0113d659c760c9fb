// Where one thing is and what it is run with: its folder, its handle, and its launch with everything filled in.

import { ok, type Result } from '#kernel/errors.ts'
import type { Thing } from '#kernel/ports/driver.ts'
import type { Place } from './call.ts'
import {
  type Call,
  callOf,
  environmentOf,
  type Filling,
  type Launch,
  type ProcessSettings,
} from './config.ts'
import { type Folder, folderOf, isInstanceId } from './folder.ts'
import { type Handle, readHandle } from './handle.ts'

export interface Site {
  readonly folder: Folder
  readonly handle: Handle
}

export function siteOf(dataDir: string, thing: Thing): Result<Site, string> {
  if (!isInstanceId(thing.id))
    return { ok: false, error: `${JSON.stringify(thing.id)} is no instance id` }
  const handle = readHandle(thing.handle)
  return handle.ok ? ok({ folder: folderOf(dataDir, thing.id), handle: handle.value }) : handle
}

type About = Pick<ProcessSettings, 'address' | 'passEnvironment'>

export const fillingOf = ({ folder }: Site, port: number | null, { address }: About): Filling => ({
  instanceId: folder.id,
  port,
  address,
})

export const placeOf = (
  { folder }: Site,
  launch: Launch | null,
  filling: Filling,
  { passEnvironment }: About,
): Omit<Place, 'signal'> => ({
  address: filling.address,
  cwd: launch?.cwd ?? folder.work,
  environment: launch
    ? environmentOf(launch, filling, { environment: process.env, pass: passEnvironment })
    : {},
})

export const probeOf = (launch: Launch | null, filling: Filling): Call | null =>
  launch && callOf(launch.probe, filling, { intervalMs: 250, timeoutMs: 1000 })

export const drainOf = (launch: Launch | null, filling: Filling): Call | null =>
  launch && callOf(launch.drain, filling, { intervalMs: 1000, timeoutMs: 10_000 })
