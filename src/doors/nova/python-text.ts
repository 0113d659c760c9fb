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

/** Each level, and each member, is a character at least: what lies deeper, or further on, than the text is long cannot be seen. */
function printed(value: unknown, depth: number): string {
  if (depth > textMax) return '...'
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) {
    const members = value.slice(0, textMax).map((inner) => printed(inner, depth + 1))
    return `[${members.join(', ')}]`
  }
  const facts = value as Readonly<Record<string, unknown>> // an object of JSON by now
  const pairs = Object.keys(facts)
    .slice(0, textMax)
    .map((key) => {
      const text = secrets.has(key) ? "'***'" : printed(facts[key], depth + 1)
      return `${quoted(key)}: ${text}`
    })
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
