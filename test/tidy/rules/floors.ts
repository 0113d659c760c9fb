// The building's floors: who may import whom. One table, read by the floor law and by the sibling law.

import { posix } from 'node:path'

import type { Rule } from '../law.ts'
import type { SourceFile } from '../tree.ts'
import { importsOf } from './scan.ts'

const floor0 = ['kernel', 'schema'] as const
const floor1 = ['engine', 'stores', 'drivers', 'doors', 'identity'] as const

/** A room's row names the rooms that it may import from; `[]` is nobody. */
const mayKnow: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(floor0.map((room) => [room, []])),
  ...Object.fromEntries(floor1.map((room) => [room, floor0])),
  app: [...floor0, ...floor1],
  cli: [],
  console: [],
}

/** Single files that a room may know although it may not know the room. */
const mayKnowFile: Readonly<Record<string, readonly string[]>> = {
  cli: ['src/doors/native/wire.ts'],
  console: ['src/doors/native/wire.ts'],
}

/** Rooms whose folders stand side by side, and the folders in them that all may use. */
const sharedFolders: Readonly<Record<string, readonly string[]>> = {
  doors: ['shared'],
  drivers: ['shared'],
  stores: ['schema', 'shared'],
}

/** What a kernel test needs besides the kernel. */
const kernelTestTools = ['node:test', 'node:assert/strict', 'fast-check']

const isTest = (path: string) => path.endsWith('.test.ts')
const isSource = (path: string) => path.startsWith('src/') && path.endsWith('.ts')
const roomOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1]
const folderOf = (path: string) => /^src\/[^/]+\/([^/]+)\//.exec(path)?.[1]

/** The file an import names, relative to the root; nothing for packages and node's own modules. */
export function targetOf(path: string, from: string): string | undefined {
  if (from.startsWith('#test/')) return from.slice(1)
  if (from.startsWith('#')) return `src/${from.slice(1)}`
  if (from.startsWith('.')) return posix.join(posix.dirname(path), from)
  return undefined
}

function eachImport(
  files: readonly SourceFile[],
  judge: (path: string, from: string, target: string | undefined) => string | undefined,
): readonly string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap(({ from, line }) => {
      const fault = judge(path, from, targetOf(path, from))
      return fault === undefined ? [] : [`${path}:${line} ${fault}`]
    }),
  )
}

export const floors: Rule = {
  since: 'src/',
  applies: isSource,
  faults: (files) => [
    ...files
      .filter(({ path }) => mayKnow[roomOf(path) ?? ''] === undefined)
      .map(
        ({ path }) => `${path} stands in no room of the floor table (test/tidy/rules/floors.ts)`,
      ),
    ...eachImport(files, floorFault),
  ],
}

function floorFault(path: string, from: string, target: string | undefined): string | undefined {
  const room = roomOf(path)
  const allowed = room === undefined ? undefined : mayKnow[room]
  if (room === undefined || allowed === undefined) return undefined
  if (target === undefined) {
    if (room !== 'kernel' || (isTest(path) && kernelTestTools.includes(from))) return undefined
    return `imports ${from}: the kernel imports nobody`
  }
  if (target.startsWith('test/')) {
    return isTest(path) ? undefined : `imports ${from}: only tests use what test/ holds`
  }
  const other = roomOf(target)
  if (other === room) {
    const isNear = folderOf(path) === folderOf(target)
    return isNear && from.startsWith('#')
      ? `imports ${from}: inside a room import ./x.ts`
      : undefined
  }
  if (!from.startsWith('#')) return `imports ${from}: across rooms import #room/file.ts`
  if (other !== undefined && allowed.includes(other)) return undefined
  if (mayKnowFile[room]?.includes(target) === true) return undefined
  return `imports ${from}: ${room} may know ${allowed.join(', ') || 'nobody'}`
}

export const siblings: Rule = {
  since: 'src/',
  applies: isSource,
  faults: (files) =>
    eachImport(files, (path, from, target) => {
      const room = roomOf(path)
      const shared = room === undefined ? undefined : sharedFolders[room]
      if (shared === undefined || target === undefined || roomOf(target) !== room) return undefined
      const other = folderOf(target)
      if (other === undefined || other === folderOf(path) || shared.includes(other))
        return undefined
      return `imports ${from}: one of ${room} never knows another; share through ${shared.join(' or ')}`
    }),
}

export const cycles: Rule = {
  since: 'src/',
  applies: (path) => /^(src|test|tools|bench)\/.*\.ts$/.test(path),
  faults: (files) => cyclesIn(new Map(files.map((file) => [file.path, targetsOf(file)]))),
}

const targetsOf = ({ path, text }: SourceFile) =>
  importsOf(text).flatMap(({ from }) => targetOf(path, from) ?? [])

/** One line per import that closes a ring, found by walking depth first. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path)
    if (seenAt !== -1) found.push([...trail.slice(seenAt), path].join(' -> '))
    if (seenAt !== -1 || done.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return found
}
