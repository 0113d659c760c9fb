// Regular expressions that callers send: they choose servers by name or address with them.
//
// - Most are plain text, and the store finds those by itself.
// - A pattern can take for ever (`(a+)+$`), so it runs where it can be stopped: in a script with a time limit.
// Rejected: looking at a pattern to tell whether it may take long. Every such look is wrong for some pattern.

import { createContext, Script } from 'node:vm'
import { err, ok, type Result } from '#kernel/errors.ts'

export interface NamePattern {
  /** What every match contains; undefined: nothing can be said. */
  readonly contains: string | undefined
  /** Everything that contains it matches. */
  readonly isPlain: boolean
  /** Which of the texts match. */
  readonly test: (texts: readonly string[]) => Result<readonly boolean[], 'costly'>
}

const patternMax = 255
const patienceMs = 50

export function namePattern(text: string): Result<NamePattern, 'invalid'> {
  if (text.length > patternMax) return err('invalid')
  try {
    new RegExp(text)
  } catch {
    // The constructor throws for nothing but a malformed pattern.
    return err('invalid')
  }
  const isPlain = /^[\p{L}\p{N}_ :@,-]*$/u.test(text)
  const test = (texts: readonly string[]) => matching(text, texts)
  return ok({ contains: isPlain ? text : longestRun(text), isPlain, test })
}

/**
 * The longest text that every match must contain. Only in patterns without groups, classes, escapes and
 * alternatives; a character that may be left out (`a?`, `a*`, `a{0}`) ends a run and is not of it.
 */
function longestRun(pattern: string): string | undefined {
  if (/[()[\]\\|]/.test(pattern)) return undefined
  const required = pattern.replace(/.[*?{](?:[^}]*\})?/gsu, '.')
  const runs = required.split(/[.^$+*?{}]+/)
  const longest = runs.toSorted((a, b) => b.length - a.length)[0] ?? ''
  return longest === '' ? undefined : longest
}

const sandbox: { pattern: string; texts: readonly string[] } = { pattern: '', texts: [] }
const context = createContext(sandbox)
const script = new Script(
  '(() => { const matcher = new RegExp(pattern); return texts.map((text) => matcher.test(text)) })()',
)

/** Tried again once, with more time: on a busy machine the first try may hardly have run at all. */
function matching(pattern: string, texts: readonly string[]): Result<readonly boolean[], 'costly'> {
  sandbox.pattern = pattern
  sandbox.texts = texts
  for (const timeout of [patienceMs, 3 * patienceMs]) {
    try {
      return ok(script.runInContext(context, { timeout }) as readonly boolean[]) // what the script returns
    } catch (error) {
      if (!isTimeout(error)) throw error
    }
  }
  return err('costly')
}

/** No `instanceof`: the error comes out of the script's own realm. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
