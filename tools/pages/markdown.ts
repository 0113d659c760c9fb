// The little Markdown that generated pages need.

export const generatedFrom = (source: string): string =>
  `<!-- Written by \`npm run generate\` from ${source}. Do not edit. -->\n`

export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}
