import { golden } from '#test/harness/golden.ts'

golden('nova', { isIncomplete: true })
