import { law } from './law.ts'
import { cycles, floors, siblings } from './rules/floors.ts'

law('floors', floors, {
  planted: [
    { 'src/kernel/a.ts': "import { readFileSync } from 'node:fs'" },
    { 'src/kernel/a.ts': "import { run } from '#engine/run.ts'" },
    { 'src/kernel/a.ts': "import type { Run } from '../engine/run.ts'" },
    { 'src/kernel/a.ts': "import pino from 'pino'" },
    { 'src/kernel/a.test.ts': "import { readFileSync } from 'node:fs'" },
    { 'src/kernel/a.ts': "export { b } from '#kernel/b.ts'" },
    { 'src/kernel/a.ts': "import { b } from '#schema/type.ts'" },
    { 'src/schema/a.ts': "import { b } from '#kernel/b.ts'" },
    { 'src/engine/a.ts': "import { b } from '#stores/sqlite/store.ts'" },
    { 'src/doors/nova/door.ts': "import { b } from '#identity/token.ts'" },
    { 'src/drivers/process/driver.ts': "const b = await import('#app/config.ts')" },
    { 'src/engine/a.ts': "import { fake } from '#test/fake.ts'" },
    { 'src/engine/a.ts': "import {\n  b, // from here\n} from '../kernel/b.ts'" },
    { 'src/app/a.ts': "import { b } from '#cli/print.ts'" },
    { 'src/cli/a.ts': "import { b } from '#doors/native/routes.ts'" },
    { 'src/cli/a.ts': "import { b } from '#kernel/errors.ts'" },
    { 'src/attic/a.ts': 'export const a = 1' },
  ],
  innocent: [
    { 'src/kernel/a.ts': "import { b } from './lifecycles/b.ts'" },
    {
      'src/kernel/a.ts':
        "// import { b } from 'node:fs'\nconst a = \"import { b } from 'node:fs'\"",
    },
    {
      'src/kernel/a.test.ts':
        "import assert from 'node:assert/strict'\nimport fc from 'fast-check'",
    },
    { 'src/engine/a.ts': "import { b } from '#kernel/b.ts'\nimport fs from 'node:fs'" },
    { 'src/engine/a.test.ts': "import { b } from '#test/fake.ts'" },
    { 'src/drivers/process/config.ts': "import { b } from '#schema/type.ts'" },
    { 'src/app/a.ts': "import { b } from '#doors/nova/door.ts'" },
    { 'src/doors/nova/a.ts': "import { b } from '#doors/shared/http.ts'" },
    { 'src/cli/a.ts': "import { type B } from '#doors/native/wire.ts'" },
  ],
})

law('siblings stand apart', siblings, {
  planted: [
    { 'src/doors/nova/door.ts': "import { b } from '../huawei/wire.ts'" },
    { 'src/doors/shared/http.ts': "import type { B } from '../nova/wire.ts'" },
    { 'src/drivers/process/driver.ts': "import { b } from '../simulated/driver.ts'" },
    { 'src/stores/sqlite/store.ts': "import { b } from '../memory/store.ts'" },
    { 'src/doors/all.ts': "import { b } from './nova/door.ts'" },
  ],
  innocent: [
    {
      'src/doors/nova/door.ts':
        "import { b } from '../shared/http.ts'\nimport { c } from './wire.ts'",
    },
    { 'src/stores/sqlite/store.ts': "import { b } from '../schema/list.ts'" },
    { 'src/app/compose.ts': "import { b } from '#doors/nova/door.ts'" },
  ],
})

law('no cycles, type-only ones included', cycles, {
  planted: [
    {
      'src/kernel/a.ts': "import { b } from './b.ts'",
      'src/kernel/b.ts': "import type { A } from './a.ts'",
    },
    {
      'src/engine/a.ts': "import { b } from './b.ts'",
      'src/engine/b.ts': "export { c } from './c.ts'",
      'src/engine/c.ts': "type A = import('./a.ts').A",
    },
    { 'src/app/a.ts': "import { a } from './a.ts'" },
  ],
  innocent: [
    {
      'src/kernel/a.ts': "import { b } from './b.ts'\nimport { c } from './c.ts'",
      'src/kernel/b.ts': "import { c } from './c.ts'",
      'src/kernel/c.ts': "// import { a } from './a.ts'",
    },
  ],
})
