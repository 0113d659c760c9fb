// Writes a JSON value as Python prints it: Nova puts the offending value into its refusals so, and people
// search the web for these texts.
//
// - Values that may be secret are never repeated, not even to the one who sent them: refusals get logged.
// - The text is bounded: a refusal is no way to get a megabyte echoed.

const textMax = 512
const secrets = new Set(['adminPass', 'user_data', 'personality', 'contents'])

/** @returns for example `{'type': 'HARD', 'x': 1}` or `None`. */
export function pythonText(value: unknown): string {
  const text = printed(value, 0)
  return text.length > textMax ? `${text.slice(0, textMax)}...` : text
}

/** The value of one named field, for refusals that print the field and its value. */
export const pythonTextOf = (name: string, value: unknown): string =>
  secrets.has(name) ? "'***'" : pythonText(value)

/** Each level is a character at least, so what lies deeper than the text is long cannot be seen in it. */
function printed(value: unknown, depth: number): string {
  if (depth > textMax) return '...'
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return `[${value.map((inner) => printed(inner, depth + 1)).join(', ')}]`
  const pairs = Object.entries(value).map(
    ([key, inner]) => `${quoted(key)}: ${secrets.has(key) ? "'***'" : printed(inner, depth + 1)}`,
  )
  return `{${pairs.join(', ')}}`
}

/** Single quotes, unless the text has one and no double quote. */
export function quoted(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
  if (!escaped.includes("'")) return `'${escaped}'`
  return escaped.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`
}
