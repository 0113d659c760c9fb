// What each door answers, from its own table of routes.

import { type Door } from '#doors/shared/http.ts'
import { generatedFrom, table } from './markdown.ts'

export function coveragePage(doors: readonly Door[]): string {
  const count = doors.reduce((sum, door) => sum + door.routes.length, 0)
  return `${generatedFrom("each door's routes.ts")}
# Coverage

${count} routes behind ${doors.length} doors. What a cloud documents and is not listed here is not there yet.

${doors.map(section).join('\n\n')}
`
}

function section(door: Door): string {
  const rows = door.routes.map((route) => [
    [route.method].flat().join(' '),
    `\`${route.path}\``,
    route.operation,
    route.source,
  ])
  return `## ${door.name}\n\n${table(['method', 'path', 'operation', 'source'], rows)}`
}
