// Who is asking: a token or a signature, for the project of the path. The numbers are the whole cloud's.
// Source: edge inference contract, section 1.0 "Authentication" and section 3.

import { numberedGate } from '../shared/numbered-gate.ts'
import { fieldFault, unrouted } from './faults.ts'

export const gate = numberedGate({
  prefix: 'ModelArts',
  busy: unrouted.overloaded,
  badHeader: fieldFault,
})
