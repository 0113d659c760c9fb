// What happened in a walk, line by line, for whoever has to find out why a seed failed.

export interface Story {
  say(line: string): void
  /** The last so many lines; when something is named, the last of those that name it, and then of all. */
  tell(about: string): string
}

const linesShown = 60
const widthMax = 220

export function story(nowMs: () => number): Story {
  const startMs = nowMs()
  const lines: string[] = []
  return {
    say(line) {
      const seconds = ((nowMs() - startMs) / 1000).toFixed(3).padStart(9)
      lines.push(`${seconds}  ${line}`.slice(0, widthMax))
    },
    tell(about) {
      const [id] = /[0-9a-f]{8}-0000-4000-8000-[0-9a-f]{12}/.exec(about) ?? []
      const own = id === undefined ? [] : lines.filter((line) => line.includes(id))
      return [
        ...(own.length > 0 ? [`of ${id}:`, ...own.slice(-linesShown)] : []),
        'at the end:',
        ...lines.slice(-linesShown),
      ].join('\n')
    },
  }
}
