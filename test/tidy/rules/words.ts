// What may be written: one word per idea, no cloud's name where none belongs, nothing left over.

import type { Rule } from '../law.ts'
import type { SourceFile } from '../tree.ts'
import { identifierWords, lineAt, only, type PieceKind } from './scan.ts'

const isTs = (path: string) => path.endsWith('.ts')
const inRoom =
  (...rooms: readonly string[]) =>
  (path: string) =>
    isTs(path) && rooms.some((room) => path.startsWith(`src/${room}/`))

/** The right word for each banned one. */
const synonyms: Readonly<Record<string, string>> = {
  job: 'operation',
  jobs: 'operations',
  task: 'operation or step',
  tasks: 'operations or steps',
  resource: 'instance',
  resources: 'instances',
}

export const glossary: Rule = {
  since: 'src/kernel/',
  applies: inRoom('kernel', 'engine'),
  faults: (files) =>
    files.flatMap(({ path, text }) =>
      identifierWords(only(text, 'code')).flatMap(({ word, line }) =>
        Object.hasOwn(synonyms, word) ? [`${path}:${line} ${word}: say ${synonyms[word]}`] : [],
      ),
    ),
}

const clouds = /nova|openstack|huawei|modelarts|volcengine|volcstack|servicecomb/i

export const noCloud: Rule = {
  since: 'src/kernel/',
  applies: inRoom('kernel', 'engine', 'doors/shared'),
  faults: (files) =>
    files
      .filter(({ path }) => !path.endsWith('.test.ts'))
      .flatMap(({ path, text }) => {
        // A comment may name its source. A string in the kernel may name a door, in shared/ it may not.
        const kinds: readonly PieceKind[] = path.includes('/shared/')
          ? ['code', 'string']
          : ['code']
        return linesMatching(only(text, ...kinds), clouds).map(
          ({ line, match }) => `${path}:${line} ${match}: no cloud's name belongs here`,
        )
      }),
}

const leftOver = /\b(TODO(?!\(#\d+\))|FIXME|XXX)\b/

/** A thing still to do carries the number of the issue that says what and why. */
export const noLeftOvers: Rule = {
  applies: (path) => /\.(ts|mjs|sql|sh)$/.test(path) || path === '.ci/run',
  faults: (files) =>
    files.flatMap(({ path, text }) =>
      linesMatching(isTs(path) ? only(text, 'comment') : text, leftOver).map(
        ({ line, match }) => `${path}:${line} ${match} without an issue number`,
      ),
    ),
}

const silenced = /\.(only|skip|todo)\s*\(|\b(only|skip|todo):\s*true\b/

/** A test is skipped for a reason that it computes and names, or it is not skipped. */
export const noSilencedTests: Rule = {
  applies: (path) => isTs(path) && (path.startsWith('test/') || path.endsWith('.test.ts')),
  faults: (files) =>
    files.flatMap(({ path, text }) =>
      linesMatching(only(text, 'code'), silenced).map(
        ({ line, match }) => `${path}:${line} ${match} silences a test`,
      ),
    ),
}

const machineOnly =
  /(?:^|[^A-Za-z0-9_.])\/(?:work|Users)\/[A-Za-z.]|\b[A-Z]:\\Users\\|registry\.(?:npmjs|npmmirror|yarnpkg)\.|\bdeb\.debian\.org/

/** What is true on one machine only: its folders, its mirrors. */
export const noMachine: Rule = {
  applies: () => true,
  faults: (files) =>
    files.flatMap(({ path, text }) =>
      linesMatching(text, machineOnly).map(
        ({ line, match }) => `${path}:${line} ${match} names one machine or its mirror`,
      ),
    ),
}

function linesMatching(
  text: SourceFile['text'],
  pattern: RegExp,
): readonly { readonly line: number; readonly match: string }[] {
  return [...text.matchAll(new RegExp(pattern, `gm${pattern.flags}`))].map((match) => ({
    line: lineAt(text, match.index),
    match: match[0].trim(),
  }))
}
