// This door's words for servers, for the door that shows the same servers in another dialect.

import type { Flavor } from '#kernel/catalogue.ts'
import type { ServerWords } from '../shared/server-words.ts'
import { keptOf } from './kept.ts'
import { versionMin } from './microversion.ts'
import { situationsFor, stateOf } from './states.ts'
import { serverDetail } from './wire.ts'
import { zonesOf } from './settings.ts'

/** What only later versions tell. */
const untold = {
  flavors: new Map<string, Flavor>(),
  downHosts: new Set<string>(),
  metal: new Set<string>(),
}

export const serverWords: ServerWords = {
  accepts: situationsFor,
  show: (instance, { caller, baseUrl, project }) => {
    const bookmark = `${baseUrl}/${project}`
    const links = { self: `${baseUrl}/v2.1/${project}`, bookmark }
    const view = { links, caller, zone: zonesOf({})[0], isHostShown: true, version: versionMin }
    return { ...serverDetail(instance, { ...view, ...untold }) }
  },
  statusOf: (instance) => stateOf(instance).status,
  saidOf: keptOf,
}
