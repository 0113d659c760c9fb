// What we depend on: exact, explained, and locked for every platform.

import type { Rule } from '../law.ts'
import type { SourceFile } from '../tree.ts'

type Names = Readonly<Record<string, string>>
type Manifest = {
  readonly dependencies?: Names
  readonly devDependencies?: Names
  readonly optionalDependencies?: Names
  readonly scripts?: Names
}
type Lock = { readonly packages: Readonly<Record<string, Manifest>> }

const record = 'docs/decisions/0003-dependencies.md'

export const dependencies: Rule = {
  applies: (path) => path === 'package.json',
  faults: (files, all) =>
    files.flatMap(({ path, text }) => {
      const manifest = JSON.parse(text) as Manifest // our own file
      const versions = {
        ...manifest.dependencies,
        ...manifest.devDependencies,
        ...manifest.optionalDependencies,
      }
      const explained = explainedIn(all)
      return [
        ...Object.entries(versions)
          .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
          .map(([name, version]) => `${path}: ${name} ${version} is not an exact version`),
        ...Object.keys(versions)
          .filter((name) => !explained.includes(name))
          .map((name) => `${path}: ${name} is not explained in ${record}`),
        ...explained
          .filter((name) => !Object.hasOwn(versions, name))
          .map((name) => `${record}: ${name} is not a dependency`),
      ]
    }),
}

/** The names in backticks in the first column of the record's tables. */
function explainedIn(all: readonly SourceFile[]): readonly string[] {
  const text = all.find(({ path }) => path === record)?.text ?? ''
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  return rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
}

const served = 'src/cli/commands/serve.ts'

/** One server, however it is started: `npm start` and `runstate serve` give Node the same flags. */
export const starts: Rule = {
  applies: (path) => path === 'package.json',
  faults: (files, all) =>
    files.flatMap(({ path, text }) => {
      const { scripts = {} } = JSON.parse(text) as Manifest // our own file
      const flags = (scripts['start'] ?? '').split(' ').filter((word) => word.startsWith('--'))
      const list = `serverFlags = [${flags.map((flag) => `'${flag}'`).join(', ')}]`
      const other = all.find((file) => file.path === served)?.text ?? ''
      return other.includes(list) ? [] : [`${path}: ${served} has other flags than ${list}`]
    }),
}

/**
 * npm forgets the packages of other platforms when the registry it asks does not carry them, and then
 * `npm ci` refuses the lockfile everywhere.
 */
export const lockfile: Rule = {
  applies: (path) => path === 'package-lock.json',
  faults: (files) =>
    files.flatMap(({ path, text }) => {
      const { packages } = JSON.parse(text) as Lock // npm's own format, version 3
      const locked = new Set(
        Object.keys(packages).map((key) => key.replace(/^.*node_modules\//, '')),
      )
      return Object.entries(packages).flatMap(([by, { optionalDependencies }]) =>
        Object.keys(optionalDependencies ?? {})
          .filter((name) => !locked.has(name))
          .map((name) => `${path}: ${name}, wanted by ${by || 'us'}, is not locked`),
      )
    }),
}
