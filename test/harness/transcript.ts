// A wire transcript as a file: what was asked and what was answered, in turn, for people to read and for
// machines to hold the server against. The form is told in test/golden/README.md.

export interface Directive {
  readonly name: string
  readonly rest: string
}

export interface Turn {
  readonly directives: readonly Directive[]
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | undefined
  /** As it stands in the file, '' where none was written yet. */
  readonly answer: string
}

export interface Transcript {
  readonly title: string
  readonly facts: Readonly<Record<string, string>>
  readonly turns: readonly Turn[]
}

const factNames = ['operation', 'source', 'shows', 'volatile', 'config'] as const
const separator = /^###.*\n/m
const requestLine = /^([A-Z]+) (\S+)$/

export function parse(text: string): Transcript {
  const [head = '', ...turns] = text.split(separator)
  const [title = '', ...facts] = head
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^# ?/, ''))
  const named = facts.map((line): readonly [string, string] => {
    const at = line.indexOf(': ')
    const name = line.slice(0, at)
    if (!factNames.some((one) => one === name)) throw new Error(`no such fact: ${line}`)
    return [name, line.slice(at + 2)]
  })
  return { title, facts: Object.fromEntries(named), turns: turns.map(turnOf) }
}

function turnOf(text: string): Turn {
  const at = text.search(/^HTTP\/1\.1 /m)
  const [asked, answer] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at).trim()]
  const lines = asked.trim().split('\n')
  const first = lines.findIndex((line) => !line.startsWith('@'))
  const directives = lines.slice(0, first < 0 ? lines.length : first).map((line) => ({
    name: line.slice(1).split(' ', 1)[0] ?? '',
    rest: line.replace(/^\S+ ?/, ''),
  }))
  const [line = '', ...more] = first < 0 ? [] : lines.slice(first)
  const [, method, target] = requestLine.exec(line) ?? []
  if (method === undefined || target === undefined)
    throw new Error(
      `not a request line: "${line}" (a turn begins with @directives, then METHOD target)`,
    )
  const blank = more.indexOf('')
  const headers = (blank < 0 ? more : more.slice(0, blank)).map(
    (header): readonly [string, string] => {
      const colon = header.indexOf(':')
      return [header.slice(0, colon), header.slice(colon + 1).trim()]
    },
  )
  const body = blank < 0 ? undefined : more.slice(blank + 1).join('\n')
  return { directives, method, target, headers, body, answer }
}

/** The file again, with these answers. */
export function print(text: string, answers: readonly string[]): string {
  const marks = text.match(new RegExp(separator, 'gm')) ?? []
  const [head = '', ...turns] = text.split(separator)
  const written = turns.map((turn, index) => {
    const at = turn.search(/^HTTP\/1\.1 /m)
    const asked = (at < 0 ? turn : turn.slice(0, at)).trim()
    return `${marks[index] ?? '###\n'}${asked}\n\n${answers[index] ?? ''}\n`
  })
  return `${head.trim()}\n\n${written.join('\n')}`
}
