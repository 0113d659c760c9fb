import { golden } from '#test/harness/golden.ts'

golden('modelarts-notebook')
