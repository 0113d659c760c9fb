// Says in one line what is wrong with a value, so that whoever wrote it finds the place.

import type { TSchema } from 'typebox'
import { validatorOf } from '#schema/validator.ts'

/** `at` names the value in the message: "image.launch". Undefined when nothing is wrong. */
export function faultOf(schema: TSchema, value: unknown, at: string): string | undefined {
  const validator = validatorOf(schema)
  if (validator.fits(value)) return undefined
  for (const error of validator.complaints(value)) {
    // TypeBox reports an unknown key twice; the second report names the key.
    if (error.keyword === 'boolean') continue
    const place = `${at}${error.instancePath.replaceAll('/', '.')}`
    if (error.keyword === 'additionalProperties') {
      return `${place} does not know ${error.params.additionalProperties.join(', ')}`
    }
    if (error.keyword === 'required') {
      return `${place} lacks ${error.params.requiredProperties.join(', ')}`
    }
    return `${place} ${error.message}`
  }
  return `${at} is not as it should be`
}
