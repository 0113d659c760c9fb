// What is attached to a server: no port and no volume, since nothing here has any.
// Source: contract, section 2.3.

import { ok, type Result } from '#kernel/errors.ts'
import type { Call, Reply } from './call.ts'
import type { NovaFault } from './faults.ts'
import { serverIn } from './servers.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const nothingUnder =
  (key: string) =>
  async (call: Call): Answered => {
    const instance = await serverIn(call)
    return instance.ok ? ok({ status: 200, body: { [key]: [] } }) : instance
  }

export const listInterfaces = nothingUnder('interfaceAttachments')
export const listVolumeAttachments = nothingUnder('volumeAttachments')
