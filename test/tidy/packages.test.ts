import { law } from './law.ts'
import { dependencies, lockfile, starts } from './rules/packages.ts'

const record = (...rows: readonly string[]) => ({
  'docs/decisions/0003-dependencies.md': ['# Dependencies', ...rows].join('\n'),
})
const manifest = (text: object) => ({ 'package.json': JSON.stringify(text) })

law('dependencies are exact and explained', dependencies, {
  planted: [
    { ...manifest({ dependencies: { a: '^1.0.0' } }), ...record('| `a` | why |') },
    { ...manifest({ dependencies: { a: '1.0.0' } }), ...record() },
    {
      ...manifest({ devDependencies: { a: '1.0.0' } }),
      ...record('| `a` | why |', '| `b` | why |'),
    },
  ],
  innocent: [
    {
      ...manifest({ dependencies: { a: '1.0.0' }, optionalDependencies: { b: '2.0.0-rc.1' } }),
      ...record('| `a`, `b` | instead of `c` |'),
    },
  ],
})

const startedBy = (start: string, flags: string) => ({
  ...manifest({ scripts: { start } }),
  'src/cli/commands/serve.ts': `const serverFlags = [${flags}]`,
})
law('the server is started with one set of flags', starts, {
  planted: [startedBy('exec node --a --b=1 x.mjs', "'--a'"), startedBy('exec node x.mjs', "'--a'")],
  innocent: [startedBy('exec node --a --b=1 x.mjs', "'--a', '--b=1'")],
})

law('the lockfile knows every platform', lockfile, {
  planted: [
    {
      'package-lock.json': JSON.stringify({
        packages: { 'node_modules/a': { optionalDependencies: { 'a-darwin': '1.0.0' } } },
      }),
    },
  ],
  innocent: [
    {
      'package-lock.json': JSON.stringify({
        packages: {
          'node_modules/a': { optionalDependencies: { 'a-darwin': '1.0.0' } },
          'node_modules/a-darwin': { version: '1.0.0' },
        },
      }),
    },
  ],
})
