// The vendor's codes, each with its HTTP status and its text. Which of our errors they answer is in faults.ts;
// what makes a field wrong is in the two decoders. A missing notebook is 400 here, not 404.
// Source: notebook contract, section 3.

import type { Fault } from '../shared/three-keys.ts'
import type { DevenvStatus } from './states.ts'

export const fault = (status: number, number: string, message: string): Fault => ({
  status,
  code: `ModelArts.${number}`,
  message,
})

export const notAuthorized = (permission: string): Fault =>
  fault(403, '0108', `You are not authorized to perform the (${permission}) operation.`)
export const noWorkspace = (id: string): Fault => fault(400, '7005', `workspace:${id} not existed`)

/** Refusals of the first family's fields; each has a code of its own. */
export const devenvField = {
  badBody: fault(400, '0104', 'Parameter error.'),
  missing: (name: string) => fault(400, '6335', `'${name}' is a required property.`),
  type: (name: string, wanted: string) =>
    fault(
      400,
      '6332',
      `Incorrect parameter type. The '${name}' parameter must be of the '${wanted}' type.`,
    ),
  value: (name: string) => fault(400, '6336', `'${name}' property value is incorrect.`),
  sort: fault(400, '6303', 'The field does not support sorting.'),
  character: (character: string) =>
    fault(
      400,
      '6334',
      `Invalid value for name or description. The character \`${character}\` is not allowed.`,
    ),
  noStorage: fault(400, '6316', "The param 'storage' is needed for creating notebook instance."),
  noPath: fault(400, '6317', "The 'path' parameter is required when the storage type is OBS."),
  pathEnd: fault(400, '6318', "The param 'path' needs to end with /."),
  pathRoot: fault(
    400,
    '6358',
    'The path parameter is incorrect. It cannot be the root directory of an OBS bucket, but must be a specific directory in the OBS bucket.',
  ),
  location: fault(400, '6324', 'This location type is not supported. Please check it.'),
  volume: (min: number, max: number) =>
    fault(400, '6331', `The evs volume size ranges from ${min} GB to ${max} GB.`),
  noDuration: fault(400, '6348', "The 'duration' parameter is mandatory for enabling auto stop."),
  duration: (min: number, max: number) =>
    fault(
      400,
      '6349',
      `The 'duration' parameter is incorrect. The value ranges from ${min} to ${max}.`,
    ),
  frozenParameter: (status: DevenvStatus, name: string) =>
    fault(
      400,
      '6347',
      `When the instance is in the '${status}' status, the '${name}' parameter cannot be modified.`,
    ),
} as const

/** The second family has one code for every field. */
export const badPayload = (name: string): Fault =>
  fault(400, '6400', `Invalid request payload ${name}, please check.`)
export const wrongFeature = (flavor: string, feature: string): Fault =>
  fault(
    400,
    '6870',
    `Specified flavor ${flavor} does not support current instance feature ${feature}.`,
  )

export const refusals = {
  '6304': fault(400, '6304', 'Please stop the instance before deleting.'),
  '6305': fault(400, '6305', 'The instance is already running.'),
  '6306': fault(400, '6306', 'The instance is starting.'),
  '6307': fault(400, '6307', 'The instance has already been stopped.'),
  '6308': fault(400, '6308', 'The instance is stopping.'),
  '6309': fault(400, '6309', 'The instance does not exist.'),
  '6327': fault(
    400,
    '6327',
    'The instance is not in running. Please refresh the page and start it.',
  ),
  '6333': fault(
    400,
    '6333',
    'The notebook is being restored. Refresh the page and wait for several minutes. The fault may be caused by instance overload.',
  ),
  '6355': fault(400, '6355', 'The resource is initializing. Please wait one minute and try again.'),
  '6357': fault(
    400,
    '6357',
    'The operation is not allowed because another operation is being performed on the instance or the instance is in the target state.',
  ),
} as const

export const flavorRefused = fault(400, '6323', 'The flavor is not supported, please check it.')
export const frozen = fault(
  400,
  '6326',
  'The instance is frozen. Check whether your account is in arrears in Billing Center.',
)
export const misconfigured = fault(
  400,
  '6361',
  'ModelArts internal service or configuration error. Submit a service ticket to get professional technical support.',
)
export const noBackground = fault(
  400,
  '6360',
  'Failed to start the notebook due to insufficient background resources. Try again later.',
)
export const busy = fault(429, '6101', 'The system is busy now. Please try again later.')
export const internalDevenv = fault(
  500,
  '6102',
  'The server has encountered an error and fails to process the request. Please try again later or submit a service ticket.',
)
export const internalLab = fault(500, '0010', 'Internal error.')

export const flavorDenied = fault(
  400,
  '6328',
  'Sorry, you currently do not have permission for this flavor. Please apply it firstly.',
)
/** The edge family of the same cloud documents this one for unknown paths; this contract names none. */
export const noRoute = fault(404, '0015', 'The resource you requested is not exist')

export const workspaceAbnormal = (id: string, action: string): Fault =>
  fault(
    400,
    '7004',
    `the status of workspace: ${id} is abnormal, can not execute [action: ${action}]`,
  )

export const noVolume = fault(400, '6528', 'No EVS available. Please try again later.')
export const bucketFailed = (reason: string): Fault =>
  fault(400, '6320', `Access obs error. Reason is ${reason}.`)
export const bucketDenied = fault(
  400,
  '6350',
  'Failed to access OBS because of incorrect AK/SK or insufficient permissions.',
)
export const bucketUnsuited = fault(
  400,
  '6371',
  'Currently, notebooks support only OBS buckets whose Storage Class is Standard. Change the OBS bucket and try again.',
)
export const noResources = fault(
  500,
  '6200',
  'No resources available. Please try again later or submit a service ticket.',
)
export const timedOut = fault(408, '6100', 'The request timed out. Please try again.')
export const pastStop = fault(
  400,
  '6346',
  'The timestamp of auto stop must be later than the current timestamp.',
)
export const illegalToken = fault(401, '6401', 'Illegal token.')
export const suspended = fault(401, '6201', "The user's account has been suspended.")
