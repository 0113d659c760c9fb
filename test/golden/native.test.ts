import { golden } from '#test/harness/golden.ts'

golden('native', { isIncomplete: true })
