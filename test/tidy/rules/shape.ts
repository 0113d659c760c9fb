// Where things stand and what they are called: same shape, file names, file size, decisions, checklists.

import type { Rule } from '../law.ts'

const doorFiles = 'door.ts routes.ts wire.ts states.ts faults.ts auth.ts door.test.ts README.md'
const driverFiles = 'driver.ts config.ts handle.ts observe.ts driver.test.ts README.md'
const storeFiles = 'store.ts README.md'

const shapes: Readonly<
  Record<string, { readonly files: string; readonly except: readonly string[] }>
> = {
  doors: { files: doorFiles, except: ['shared'] },
  drivers: { files: driverFiles, except: ['shared'] },
  stores: { files: storeFiles, except: ['schema', 'shared'] },
}

export const sameShape: Rule = {
  since: 'src/doors/',
  applies: (path) => /^src\/(doors|drivers|stores)\/[^/]+\//.test(path),
  faults: (files) => {
    const paths = new Set(files.map(({ path }) => path))
    const folders = new Set([...paths].map((path) => path.split('/').slice(0, 3).join('/')))
    return [...folders].flatMap((folder) => {
      const [, room = '', name = ''] = folder.split('/')
      const shape = shapes[room]
      if (shape === undefined || shape.except.includes(name)) return []
      return shape.files
        .split(' ')
        .filter((file) => !paths.has(`${folder}/${file}`))
        .map((file) => `${folder} has no ${file}`)
    })
  },
}

const isScript = (path: string) => /^(src|test|tools|bench|bin)\/.*\.(ts|mjs)$/.test(path)

const emptyWords = /^(utils?|helpers?|common|misc|managers?)$/

export const fileNames: Rule = {
  applies: (path) => /^(src|test|tools|bench|bin)\//.test(path),
  faults: (files) =>
    files.flatMap(({ path }) => {
      const parts = path.split('/').slice(1)
      if (parts.some((part) => part.split(/[-._]/).some((word) => emptyWords.test(word)))) {
        return [`${path}: utils, helpers, common, misc, manager name nothing; name the main noun`]
      }
      const isKebab = parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(part))
      return isKebab || !isScript(path) ? [] : [`${path}: files are kebab-case`]
    }),
}

const linesMax = 800

export const fileSize: Rule = {
  applies: isScript,
  faults: (files) =>
    files.flatMap(({ path, text }) => {
      const lines = text.split('\n').length
      return lines > linesMax ? [`${path}: ${lines} lines, more than ${linesMax}`] : []
    }),
}

/** Two decisions with one number would be told apart by nobody. */
export const decisions: Rule = {
  applies: (path) => path.startsWith('docs/decisions/'),
  faults: (files) => {
    const seen = new Map<string, string>()
    return files.flatMap(({ path, text }) => {
      const number = /^docs\/decisions\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]
      if (number === undefined) return [`${path}: decisions are named 0001-what-it-is.md`]
      const other = seen.get(number)
      seen.set(number, path)
      if (other !== undefined) return [`${path}: ${other} has the same number`]
      return text.startsWith('# ') ? [] : [`${path}: begins with its title`]
    })
  },
}

const topRooms = /^(src\/[^/]+|test\/[^/]+|docs\/[^/]+|tools|bench|bin|\.ci)\//

/** A path in backticks must exist; `<name>` stands for any one folder or file name. */
export const checklistPaths: Rule = {
  applies: (path) => path.startsWith('docs/checklists/'),
  faults: (files, all) => {
    const paths = all.map(({ path }) => path)
    return files.flatMap(({ path, text }) =>
      [...text.matchAll(/`([^`\s]+)`/g)]
        .map(([, quoted = '']) => quoted)
        .filter((quoted) => topRooms.test(quoted))
        .filter((quoted) => {
          const room = topRooms.exec(quoted)?.[0] ?? ''
          const isRoomThere = paths.some((other) => other.startsWith(room))
          return isRoomThere && !paths.some((other) => matches(quoted, other))
        })
        .map((quoted) => `${path}: ${quoted} does not exist`),
    )
  },
}

function matches(quoted: string, path: string): boolean {
  const escaped = quoted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const pattern = escaped.replace(/<[^>]+>/g, '[^/]+')
  return new RegExp(quoted.endsWith('/') ? `^${pattern}` : `^${pattern}$`).test(path)
}
