// What a person at a terminal sees while something goes on: one line on stderr, rewritten in place.
// Elsewhere nothing, so that a log does not fill with it.

import { plain, type Sink } from './print.ts'

const eachMs = 200
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

export interface Progress {
  /** What is under way now, in a few words. */
  show(text: string): void
  end(): void
}

export function progressOn(err: Sink & { readonly columns?: number }): Progress {
  if (err.isTTY !== true) return { show: () => undefined, end: () => undefined }
  const startedMs = Date.now()
  let text = ''
  let frame = 0
  const draw = (): void => {
    const seconds = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`
    const line = `${frames[frame++ % frames.length]} ${plain(text)}  ${seconds}`
    err.write(`\r\u001b[2K${line.slice(0, (err.columns ?? 80) - 1)}`)
  }
  const timer = setInterval(draw, eachMs)
  return {
    show(next) {
      text = next
      draw()
    },
    end() {
      clearInterval(timer)
      err.write('\r\u001b[2K')
    },
  }
}
