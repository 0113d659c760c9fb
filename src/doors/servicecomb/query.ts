// The query as the registry reads it: the first value of a repeated name wins, names are case-sensitive, and a
// pair that holds `;` or a broken escape is as if it had not been sent.
// Source: contracts/cse-registry.md section 1.2.

const brokenEscape = /%(?![0-9A-Fa-f]{2})/

export function readQuery(rawQuery: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const pair of rawQuery.split('&')) {
    if (pair.includes(';') || brokenEscape.test(pair)) continue
    for (const [name, value] of new URLSearchParams(pair))
      if (!values.has(name)) values.set(name, value)
  }
  return values
}
