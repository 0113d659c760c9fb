// One page per lifecycle: its diagram, its states and its moves.

import type { Lifecycle } from '#kernel/lifecycle.ts'
import { generatedFrom, table } from './markdown.ts'

export function lifecyclePage(lifecycle: Lifecycle, source: string): string {
  const states = Object.entries(lifecycle.states)
  return `${generatedFrom(source)}
# Lifecycle: ${lifecycle.kind}

Begins in ${lifecycle.starts.join(', ')}. Solid arrows: a caller may ask. Dashed: only the kernel, by what was seen or timed.

\`\`\`mermaid
${diagram(lifecycle)}
\`\`\`

## States

${table(
  ['state', 'is', 'toward', 'meaning'],
  states.map(([name, state]) => [name, state.is, state.toward ?? '', state.doc]),
)}

## Moves

${table(
  ['move', 'from', 'to', 'by', 'meaning'],
  lifecycle.moves.map((move) => [move.on, move.from.join(', '), move.to, move.by, move.doc]),
)}
`
}

function diagram(lifecycle: Lifecycle): string {
  const node = (state: string): string => state.replaceAll('-', '_')
  const shape = (state: string): string => {
    const is = lifecycle.states[state]?.is
    return is === 'busy' ? `([${state}])` : is === 'failed' ? `{{${state}}}` : `[${state}]`
  }
  const nodes = Object.keys(lifecycle.states).map((state) => `  ${node(state)}${shape(state)}`)
  const arrows = lifecycle.moves.flatMap((move) =>
    move.from.map(
      (from) =>
        `  ${node(from)} ${move.by === 'caller' ? `-->|${move.on}|` : `-.->|${move.on}|`} ${node(move.to)}`,
    ),
  )
  return ['flowchart LR', ...nodes, ...arrows].join('\n')
}
