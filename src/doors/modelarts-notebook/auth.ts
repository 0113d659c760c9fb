// Who is asking: a token or a signature, for the project of the path. The numbers are the whole cloud's; for a token
// that was ended early the second family has one of its own.
// Source: notebook contract, section 1.0 "Authentication", sections 3.2 and 3.3.

import { numberedGate } from '../shared/numbered-gate.ts'
import { illegalToken, suspended } from './codes.ts'
import { devenvFault, labFault, unrouted } from './faults.ts'

const common = { prefix: 'ModelArts', busy: unrouted.overloaded, suspended }

export const devenvGate = numberedGate({
  ...common,
  badHeader: (error) => devenvFault(error, { verb: 'read' }),
})
export const labGate = numberedGate({
  ...common,
  revoked: illegalToken,
  badHeader: (error) => labFault(error, { verb: 'read' }),
})
