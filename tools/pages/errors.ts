// Every refusal of the kernel, and the status with which the uniform API answers it.

import { errorMeanings } from '#kernel/errors.ts'
import { generatedFrom, table } from './markdown.ts'

export function errorsPage(): string {
  return `${generatedFrom('src/kernel/errors.ts')}
# Errors

The kernel refuses with one of these codes. Each door says every one of them in its cloud's own words: see \`faults.ts\` of the door.

${table(['code', 'meaning'], Object.entries(errorMeanings))}
`
}
