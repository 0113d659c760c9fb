// Data to stdout, in the form that was asked for. Texts come from whoever named a thing, so nothing
// in them may move the cursor of a terminal.

import { styleText } from 'node:util'
import Table from 'cli-table3'
import { stringify } from 'yaml'

export const outputs = ['table', 'json', 'yaml', 'name'] as const
export type Output = (typeof outputs)[number]

/** What a column shows of a row. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => string>>

/** Where text goes; the process's own streams, or a test's. */
export interface Sink {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

export interface Shown<Row> {
  readonly rows: readonly Row[]
  readonly columns: Columns<Row>
  readonly nameOf: (row: Row) => string
  /** For machines; default: the rows. */
  readonly data?: unknown
}

export function print<Row>(
  out: Sink,
  output: Output,
  { rows, columns, nameOf, data = rows }: Shown<Row>,
): void {
  if (output === 'json') out.write(`${JSON.stringify(data, null, 2)}\n`)
  else if (output === 'yaml') out.write(stringify(data))
  else if (output === 'name') out.write(rows.map((row) => `${plain(nameOf(row))}\n`).join(''))
  else if (rows.length > 0) out.write(tableOf(out, rows, columns))
}

const borders = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
] as const
const noBorders = { ...Object.fromEntries(borders.map((name) => [name, ''])), middle: '  ' }

export const isColourful = (out: Sink): boolean =>
  out.isTTY === true && process.env['NO_COLOR'] === undefined

function tableOf<Row>(out: Sink, rows: readonly Row[], columns: Columns<Row>): string {
  // Our own bold: the table library asks the environment once more, and turns it off wherever CI is set.
  const bold = (name: string): string =>
    isColourful(out) ? styleText('bold', name, { validateStream: false }) : name
  const table = new Table({
    head: Object.keys(columns).map(bold),
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': 0, border: [], head: [] },
  })
  for (const row of rows) table.push(Object.values(columns).map((cell) => plain(cell(row))))
  return `${trimmed(table.toString())}\n`
}

/** One thing as its fields, one below the other. */
export function printFields(out: Sink, fields: Readonly<Record<string, string>>): void {
  const width = Math.max(...Object.keys(fields).map((name) => name.length))
  for (const [name, value] of Object.entries(fields))
    out.write(`${name.padEnd(width)}  ${plain(value)}\n`)
}

const trimmed = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')

/** Control characters, and those that reverse the direction of text, as their numbers. */
export const plain = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
