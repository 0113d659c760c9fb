/**
 * Splits TypeScript into code, comments, strings and regular expressions, well enough to judge it.
 *
 * Not a parser: it never reports a syntax error. TypeScript 7 has no API to ask, and a parser as a
 * dependency would be one more thing that can lag behind the language.
 */
export type PieceKind = 'code' | 'comment' | 'string' | 'regex'
export type Piece = { readonly kind: PieceKind; readonly start: number; readonly end: number }

// After these, a slash begins a regular expression; after anything else it divides.
const beforeRegex =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|throw|await|yield))\s*$/

export function pieces(text: string): readonly Piece[] {
  const found: Piece[] = []
  // One entry per open template substitution: how many braces are open inside it.
  const substitutions: number[] = []
  let codeStart = 0
  let at = 0

  const close = (kind: PieceKind, start: number, end: number) => {
    if (start > codeStart) found.push({ kind: 'code', start: codeStart, end: start })
    found.push({ kind, start, end })
    codeStart = end
    at = end
  }

  while (at < text.length) {
    const char = text[at]
    const two = text.slice(at, at + 2)
    const depth = substitutions.at(-1)
    if (two === '//') close('comment', at, endOr(text, text.indexOf('\n', at)))
    else if (two === '/*') close('comment', at, endOr(text, text.indexOf('*/', at + 2), 2))
    else if (char === "'" || char === '"') close('string', at, endOfQuoted(text, at, char))
    else if (char === '`' || (char === '}' && depth === 0)) {
      if (char === '}') substitutions.pop()
      const end = endOfQuoted(text, at, '`')
      if (text.slice(end - 2, end) === '${') substitutions.push(0)
      close('string', at, end)
    } else if (char === '/' && beforeRegex.test(text.slice(Math.max(0, at - 20), at))) {
      close('regex', at, endOfRegex(text, at))
    } else {
      if (depth !== undefined && char === '{') substitutions[substitutions.length - 1] = depth + 1
      if (depth !== undefined && char === '}') substitutions[substitutions.length - 1] = depth - 1
      at += 1
    }
  }
  if (codeStart < text.length) found.push({ kind: 'code', start: codeStart, end: text.length })
  return found
}

/** The text with everything but the wanted kinds turned into spaces: offsets and lines stay. */
export function only(text: string, ...kinds: readonly PieceKind[]): string {
  return pieces(text)
    .map(({ kind, start, end }) => {
      const piece = text.slice(start, end)
      return kinds.includes(kind) ? piece : piece.replace(/[^\n]/g, ' ')
    })
    .join('')
}

/** What a file imports or re-exports from, type-only and dynamic imports included. */
export function importsOf(
  text: string,
): readonly { readonly from: string; readonly line: number }[] {
  const code = only(text, 'code')
  return pieces(text)
    .filter(({ kind, start }) => {
      const before = code.slice(Math.max(0, start - 40), start)
      return kind === 'string' && /(?:\bfrom|\bimport\s*\(?)\s*$/.test(before)
    })
    .map(({ start, end }) => ({ from: text.slice(start + 1, end - 1), line: lineAt(text, start) }))
}

/** The words inside a file's identifiers: `retryDelayMs` is retry, delay, ms. */
export function identifierWords(
  code: string,
): readonly { readonly word: string; readonly line: number }[] {
  const found: { word: string; line: number }[] = []
  for (const identifier of code.matchAll(/[\p{L}_$][\p{L}\p{N}_$]*/gu)) {
    const words = identifier[0].match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []
    const line = lineAt(code, identifier.index)
    for (const word of words) found.push({ word: word.toLowerCase(), line })
  }
  return found
}

export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1))
    line += 1
  return line
}

function endOr(text: string, found: number, plus = 0): number {
  return found === -1 ? text.length : found + plus
}

/** A template ends at its backtick or at the next `${`; other strings end at their quote or line. */
function endOfQuoted(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at]
    if (char === '\\') at += 1
    else if (char === quote) return at + 1
    else if (quote === '`' && char === '$' && text[at + 1] === '{') return at + 2
    else if (quote !== '`' && char === '\n') return at
  }
  return text.length
}

function endOfRegex(text: string, start: number): number {
  let isInClass = false
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at]
    if (char === '\\') at += 1
    else if (char === '\n') return at
    else if (char === '[') isInClass = true
    else if (char === ']') isInClass = false
    else if (char === '/' && !isInClass) {
      while (/[a-z]/.test(text[at + 1] ?? '')) at += 1
      return at + 1
    }
  }
  return text.length
}
