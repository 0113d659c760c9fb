import { law } from './law.ts'
import { checklistPaths, decisions, fileNames, fileSize, sameShape } from './rules/shape.ts'

const folder = (path: string, files: string): Record<string, string> =>
  Object.fromEntries(files.split(' ').map((file) => [`${path}/${file}`, '']))

law('doors, drivers and stores have the same shape inside', sameShape, {
  planted: [
    folder('src/doors/nova', 'door.ts routes.ts wire.ts states.ts faults.ts auth.ts door.test.ts'),
    folder('src/doors/nova', 'door.ts routes.ts wire.ts faults.ts auth.ts door.test.ts README.md'),
    folder('src/drivers/process', 'driver.ts config.ts handle.ts driver.test.ts README.md'),
    folder('src/stores/sqlite', 'store.ts sql.ts'),
  ],
  innocent: [
    {
      ...folder('src/doors/shared', 'http.ts'),
      ...folder('src/stores/schema', '0001_first.sql'),
      ...folder('src/drivers/process', 'driver.ts config.ts handle.ts observe.ts'),
      ...folder('src/drivers/process', 'driver.test.ts README.md probe.ts'),
    },
  ],
})

law('files are named for what they hold', fileNames, {
  planted: [
    { 'src/engine/utils.ts': '' },
    { 'src/engine/lease-manager.ts': '' },
    { 'test/helpers/a.ts': '' },
    { 'src/doors/common/http.ts': '' },
    { 'src/engine/runLoop.ts': '' },
  ],
  innocent: [{ 'src/engine/run-loop.test.ts': '', 'src/doors/nova/README.md': '' }],
})

law('no file is a mountain', fileSize, {
  planted: [{ 'src/engine/run.ts': 'a\n'.repeat(801) }],
  innocent: [{ 'src/engine/run.ts': 'a\n'.repeat(799), 'docs/a.md': 'a\n'.repeat(2000) }],
})

law('decisions are numbered', decisions, {
  planted: [
    { 'docs/decisions/toolchain.md': '# Toolchain' },
    { 'docs/decisions/0001-a.md': '# A', 'docs/decisions/0001-b.md': '# B' },
    { 'docs/decisions/0001-a.md': 'no title' },
  ],
  innocent: [{ 'docs/decisions/0001-a.md': '# A', 'docs/decisions/0002-b.md': '# B' }],
})

law('paths named in checklists exist', checklistPaths, {
  planted: [
    { 'docs/checklists/a.md': 'Edit `src/app/compose.ts`.', 'src/app/main.ts': '' },
    { 'docs/checklists/a.md': 'Add `src/doors/<name>/door.ts`.', 'src/doors/nova/wire.ts': '' },
    { 'docs/checklists/a.md': 'See `tools/gone.ts`.', 'tools/generate.ts': '' },
  ],
  innocent: [
    { 'docs/checklists/a.md': 'Add `src/doors/<name>/door.ts`.', 'src/doors/nova/door.ts': '' },
    { 'docs/checklists/a.md': 'Fill `test/golden/<name>/`.', 'test/golden/nova/a.http': '' },
    { 'docs/checklists/a.md': 'Run `npm run check`; edit `src/app/compose.ts` one day.' },
  ],
})
