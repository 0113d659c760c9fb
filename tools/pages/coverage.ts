// What each door answers, from its own table of routes.

import { type Door } from '#doors/shared/http.ts'
import { generatedFrom, table } from './markdown.ts'

export function coveragePage(doors: readonly Door[]): string {
  const routes = doors.flatMap((door) => door.routes)
  const count = routes.reduce((sum, route) => sum + (route.operations?.length ?? 1), 0)
  return `${generatedFrom("each door's routes.ts")}
# Coverage

${count} operations behind ${doors.length} doors. What a cloud documents and is not listed here is not there yet.

${doors.map(section).join('\n\n')}
`
}

function section(door: Door): string {
  const rows = door.routes.flatMap((route) =>
    (route.operations ?? [route]).map(({ operation, source }) => [
      [route.method].flat().join(' '),
      `\`${route.path}\``,
      operation,
      source,
    ]),
  )
  const served = `## ${door.name}\n\n${table(['method', 'path', 'operation', 'source'], rows)}`
  const missing = (door.notServed ?? []).map(({ operation, source }) => [operation, source])
  if (missing.length === 0) return served
  return `${served}\n\nNamed by its contract and not served:\n\n${table(['operation', 'source'], missing)}`
}
