import { golden } from '#test/harness/golden.ts'

golden('keystone', { isIncomplete: true })
