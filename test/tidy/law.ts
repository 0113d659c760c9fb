/**
 * One tidy law: a rule over files, proven able to fail before it is trusted.
 *
 * For each law three things are tested: every planted fault is found, what is innocent passes, and the
 * real tree is clean. The last also fails when the rule read no file, unless its folder does not exist yet.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readTree, type SourceFile } from './tree.ts'

export type Rule = {
  /** Which files the rule judges; it may look at all. */
  readonly applies: (path: string) => boolean
  /** One line per fault, beginning with the path. */
  readonly faults: (files: readonly SourceFile[], all: readonly SourceFile[]) => readonly string[]
  /** While no path starts so, the rule has nothing to read. Without it, the rule must read something. */
  readonly since?: string
}

type Tree = Readonly<Record<string, string>>

export function law(
  name: string,
  rule: Rule,
  proof: { readonly planted: readonly Tree[]; readonly innocent?: readonly Tree[] },
): void {
  test(`${name}: finds each planted fault`, () => {
    assert.ok(proof.planted.length > 0, 'a law without a planted fault may be unable to fail')
    for (const tree of proof.planted) {
      assert.notDeepEqual(judge(rule, filesOf(tree)).faults, [], `not found: ${show(tree)}`)
    }
  })
  test(`${name}: lets the innocent pass`, () => {
    for (const tree of proof.innocent ?? []) {
      assert.deepEqual(judge(rule, filesOf(tree)).faults, [], `wrongly found: ${show(tree)}`)
    }
  })
  test(`${name}: holds in this repository`, () => {
    const tree = readTree()
    const { read, faults } = judge(rule, tree)
    const isEarly =
      rule.since !== undefined && !tree.some((f) => f.path.startsWith(rule.since ?? ''))
    assert.ok(read > 0 || isEarly, 'the rule read no file: it proves nothing')
    if (faults.length > 0) throw new Broken([...new Set(faults)])
  })
}

/** Prints as its lines alone: where the law stands is no news, which lines break it is. */
class Broken extends Error {
  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.stack = this.message
  }
}

function judge(rule: Rule, all: readonly SourceFile[]) {
  const files = all.filter((file) => rule.applies(file.path))
  return { read: files.length, faults: rule.faults(files, all) }
}

const filesOf = (tree: Tree): readonly SourceFile[] =>
  Object.entries(tree).map(([path, text]) => ({ path, text }))

const show = (tree: Tree): string => JSON.stringify(tree).slice(0, 300)
