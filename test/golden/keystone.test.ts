import { golden } from '#test/harness/golden.ts'

const everybody = 'what is said of versions is said to everybody'
golden('keystone', { noFault: { list_versions: everybody, get_version: everybody } })
