import { law } from './law.ts'
import { glossary, noCloud, noLeftOvers, noMachine, noSilencedTests } from './rules/words.ts'

law('one word per idea', glossary, {
  planted: [
    { 'src/kernel/a.ts': 'export const job = 1' },
    { 'src/kernel/a.ts': 'export type ResourceLocked = 1' },
    { 'src/engine/a.ts': 'const retryTasks = []' },
    { 'src/engine/a.ts': 'const a = `${task.id}`' },
  ],
  innocent: [
    { 'src/kernel/a.ts': "// a job, to others\nexport const a = 'job' // task" },
    { 'src/engine/a.ts': 'const microtask = queueMicrotask; const jobless = /task/' },
    { 'src/doors/nova/wire.ts': 'export const job_id = 1' },
  ],
})

law('no cloud is named where none belongs', noCloud, {
  planted: [
    { 'src/kernel/a.ts': 'export const novaStatus = 1' },
    { 'src/engine/a.ts': 'function forHuawei() {}' },
    { 'src/doors/shared/a.ts': "const header = 'X-OpenStack-Id'" },
  ],
  innocent: [
    { 'src/kernel/a.ts': '// Source: Nova API reference\nexport const a = 1' },
    { 'src/doors/nova/a.ts': 'export const novaStatus = 1' },
  ],
})

law('what is still to do has an issue', noLeftOvers, {
  planted: [
    { 'src/kernel/a.ts': '// TODO: later' },
    { 'src/stores/schema/1.sql': '-- FIXME' },
    { 'tools/a.ts': '/* TODO(me) */' },
  ],
  innocent: [{ 'src/kernel/a.ts': "// TODO(#12): when pools nest\nconst a = 'TODO'" }],
})

law('no test is silenced', noSilencedTests, {
  planted: [
    { 'test/model/a.test.ts': "test.only('a', () => {})" },
    { 'src/kernel/a.test.ts': "describe.skip('a', () => {})" },
    { 'src/kernel/a.test.ts': "test('a', { skip: true }, () => {})" },
    { 'src/kernel/a.test.ts': "test('a', (t) => t.todo ('later'))" },
  ],
  innocent: [
    { 'test/clients/a.test.ts': "test('a', { skip: missing('openstack') }, () => {})" },
    { 'src/kernel/a.test.ts': "// test.only('a')\nconst a = 'test.skip('" },
  ],
})

const machine = ['', 'work', 'main'].join('/')
const mirror = ['registry', 'npmjs', 'org'].join('.')

law('nothing is true on one machine only', noMachine, {
  planted: [
    { 'README.md': `Go to ${machine}.` },
    { 'src/app/a.ts': `const path = '${machine}'` },
    { 'package-lock.json': `"resolved": "https://${mirror}/a"` },
  ],
  innocent: [{ 'src/app/a.ts': "const a = '/home/ma-user/work/' + 'src/work/a' + '/tmp/a'" }],
})
