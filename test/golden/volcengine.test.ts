import { golden } from '#test/harness/golden.ts'

golden('volcengine', { isIncomplete: true })
