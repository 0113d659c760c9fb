/**
 * Writes every file that is derived from a table: `npm run generate`; with `--check` it only compares.
 *
 * To add a page, add a row to `generators`. `make` is a pure function of the source tree, so that two
 * runs give the same bytes; it imports what it reads inside the function, so that one broken table
 * spoils its own page only.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Generator = {
  /** Relative to the repository's root, with forward slashes. */
  readonly path: string
  readonly make: () => string | Promise<string>
}

/** The lifecycle tables, named here because a page must exist before it can be stale. */
const lifecyclePages = ['server', 'notebook', 'edge-instance', 'service-instance'] as const

export const generators: readonly Generator[] = [
  ...lifecyclePages.map((kind) => ({
    path: `docs/generated/lifecycles/${kind}.md`,
    make: async () => {
      const { lifecycles } = await import('#kernel/kinds.ts')
      const { lifecyclePage } = await import('./pages/lifecycle.ts')
      return lifecyclePage(lifecycles[kind], `src/kernel/lifecycles/${kind}.ts`)
    },
  })),
  {
    path: 'docs/generated/operations.md',
    make: async () => (await import('./pages/operations.ts')).operationsPage(),
  },
  {
    path: 'docs/generated/errors.md',
    make: async () => (await import('./pages/errors.ts')).errorsPage(),
  },
  {
    path: 'docs/generated/coverage.md',
    make: async () => {
      const { everyDoor } = await import('./pages/doors.ts')
      return (await import('./pages/coverage.ts')).coveragePage(everyDoor())
    },
  },
  {
    path: 'docs/generated/runstate.schema.json',
    make: async () => {
      const { settingsSchema } = await import('#app/settings-schema.ts')
      return `${JSON.stringify(settingsSchema(), null, 2)}\n`
    },
  },
]

/** Paths whose file is missing or differs from what its generator makes now. */
export async function stalePaths(
  root: string,
  table: readonly Generator[] = generators,
): Promise<readonly string[]> {
  const stale: string[] = []
  for (const { path, make } of table) {
    const wanted = await make()
    if ((await readOrNothing(join(root, path))) !== wanted) stale.push(path)
  }
  return stale
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    // Missing and unreadable both mean: not what the generator makes.
    return undefined
  }
}

async function main(args: readonly string[]): Promise<number> {
  const root = resolve(import.meta.dirname, '..')
  const stale = await stalePaths(root)
  if (args.includes('--check')) {
    for (const path of stale) console.error(`stale: ${path} (npm run generate)`)
    return stale.length === 0 ? 0 : 1
  }
  for (const { path, make } of generators.filter((g) => stale.includes(g.path))) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), await make())
    console.log(`wrote ${path}`)
  }
  console.log(`${generators.length} generated files, ${stale.length} were stale`)
  return 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2))
}
