// What each door answers, from its own table of routes.

import type { Door } from '#doors/shared/http.ts'
import { generatedFrom, table } from './markdown.ts'

export function coveragePage(doors: readonly Door[]): string {
  const routes = doors.flatMap((door) => door.routes)
  const count = routes.reduce((sum, route) => sum + (route.operations?.length ?? 1), 0)
  return `${generatedFrom("each door's routes.ts")}
# Coverage

${count} operations behind ${doors.length} doors. A door that knows which documented calls it does not have says so, and why; of the others, what is not listed is not there yet.

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
  const answered = table(['method', 'path', 'operation', 'source'], rows)
  return `## ${door.name}\n\n${answered}${absentOf(door)}`
}

function absentOf({ absent = [] }: Door): string {
  if (absent.length === 0) return ''
  const rows = absent.map(({ call, why }) => [`\`${call}\``, why])
  return `\n\nDocumented, and not here:\n\n${table(['call', 'why'], rows)}`
}
