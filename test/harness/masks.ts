// Names for what is different at every run. One value has one name throughout a transcript, so what an answer
// gave can be asked for by that name later; a time keeps its form.

const numbered: readonly (readonly [string, RegExp])[] = [
  ['uuid', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g],
  ['request', /\b20\d{12}[0-9A-F]{16,}\b/g],
  ['hex', /\b(?:[0-9a-f]{64}|[0-9a-f]{56}|[0-9a-f]{40}|[0-9a-f]{32})\b/g],
  ['i', /\bi-[0-9a-z]{20}\b/g],
]

const iso = /\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.(\d+))?(?=Z|[+-]\d\d:?\d\d|")/g
const isoForm = (text: string): string =>
  `{{time:YYYY-MM-DDThh:mm${text.length > 16 ? ':ss' : ''}${text.replace(/^[^.]*/, '').replaceAll(/\d/g, 'f')}}}`

export class Masks {
  readonly #byName = new Map<string, string>()
  readonly #byValue = new Map<string, string>()
  readonly #volatile: readonly string[]

  /** `volatile`: names of JSON fields and headers whose values are masked whatever they look like. */
  constructor(volatile: readonly string[]) {
    this.#volatile = volatile
  }

  know(name: string, value: string): void {
    if (value === '') throw new Error(`{{${name}}} would be nothing`)
    this.#byName.set(name, value)
    if (!this.#byValue.has(value)) this.#byValue.set(value, name)
  }

  expand(text: string): string {
    return text.replaceAll(/\{\{([^{}]+)\}\}/g, (_all, name: string) => {
      const value = this.#byName.get(name)
      if (value === undefined) throw new Error(`nothing is known as {{${name}}} yet`)
      return value
    })
  }

  mask(text: string): string {
    let masked = text
    // The longest first: an address holds a port, a token may hold an id.
    const known = [...this.#byValue].toSorted(([a], [b]) => b.length - a.length)
    for (const [value, name] of known) masked = masked.replaceAll(value, `{{${name}}}`)
    for (const field of this.#volatile) masked = this.#maskField(masked, field)
    masked = masked.replaceAll(iso, isoForm)
    for (const [kind, pattern] of numbered)
      masked = masked.replaceAll(pattern, (value) => this.#name(kind, value))
    return masked
      .replaceAll(/\b1[6-9]\d{11}\b/g, '{{ms}}')
      .replaceAll(/\b1[6-9]\d{8}\b/g, '{{seconds}}')
  }

  #maskField(text: string, field: string): string {
    const json = new RegExp(`("${field}": ?)("?)((?:[^"\\\\\\n,]|\\\\.)+?)(\\2)(?=[,\\n}\\]])`, 'g')
    const header = new RegExp(`^(${field}: )(.+)$`, 'gim')
    return text
      .replaceAll(json, (_all, before: string, quote: string, value: string) => {
        return `${before}${quote}${this.#nameOf(field, value)}${quote}`
      })
      .replaceAll(
        header,
        (_all, before: string, value: string) => `${before}${this.#nameOf(field, value)}`,
      )
  }

  /** A short value would be found in others, where it means nothing: it has its field's name and no number. */
  #nameOf(field: string, value: string): string {
    if (value.startsWith('{{')) return value
    return value.length < 8 ? `{{${field}}}` : this.#name(field, value)
  }

  #name(kind: string, value: string): string {
    const known = this.#byValue.get(value)
    if (known !== undefined) return `{{${known}}}`
    let nth = 1
    while (this.#byName.has(`${kind}-${nth}`)) nth++
    this.know(`${kind}-${nth}`, value)
    return `{{${kind}-${nth}}}`
  }
}
