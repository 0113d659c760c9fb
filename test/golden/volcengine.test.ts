import { golden } from '#test/harness/golden.ts'

golden('volcengine', {
  noSuccess: { MethodNotAllowed: 'it only ever refuses' },
})
