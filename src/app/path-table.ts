// Which methods a path has, over all doors: so that a wrong method is told apart from a wrong path.

import type { Door } from '#doors/shared/http.ts'

export interface PathTable {
  methods(url: string): readonly string[]
  /** Whether a GET of it may become a websocket. */
  upgrades(url: string): boolean
}

export function pathTable(doors: readonly Door[]): PathTable {
  const rows = doors.flatMap((door) =>
    door.routes.map((route) => ({
      pattern: patternOf(route.path),
      methods: [route.method].flat(),
      isUpgraded: route.upgrade !== undefined,
    })),
  )
  return {
    methods(url) {
      const path = pathIn(url)
      return [
        ...new Set(rows.filter((row) => row.pattern.test(path)).flatMap((row) => row.methods)),
      ]
    },
    upgrades(url) {
      const path = pathIn(url)
      return rows.some((row) => row.isUpgraded && row.pattern.test(path))
    },
  }
}

const pathIn = (url: string): string => (url.split('?')[0] ?? '').replaceAll(/\/{2,}/g, '/')

/** `:name` stands for one segment, and a trailing `*` for the rest, as in the router. */
function patternOf(path: string): RegExp {
  const source = path
    .split('/')
    .map((part) =>
      part === '*'
        ? '.*'
        : part.replaceAll(/:[A-Za-z_]\w*(\([^)]*\))?|[.*+?^${}()|[\]\\]/g, (text) =>
            text.startsWith(':') ? '[^/]+' : `\\${text}`,
          ),
    )
    .join('/')
  return new RegExp(`^${source}$`)
}
