// The test of one door's transcripts: each is played and compared, and transcripts and operations answer for each
// other both ways. `RUNSTATE_GOLDEN=write` writes the answers instead; read the difference before committing it.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { Route } from '#doors/shared/http.ts'
import { everyDoor } from '../../tools/pages/doors.ts'
import { play } from './golden-stage.ts'
import { parse, print, type Transcript, type Turn } from './transcript.ts'

const isWriting = process.env['RUNSTATE_GOLDEN'] === 'write' && process.env['CI'] === undefined

export interface Golden {
  /** Operations that nobody can be refused, with the reason. */
  readonly noFault?: Readonly<Record<string, string>>
  /** Operations that only ever refuse, with the reason. */
  readonly noSuccess?: Readonly<Record<string, string>>
  /** A door that is not complete yet; taken away when nothing is missing, and never put back. */
  readonly isIncomplete?: true
}

interface Operation {
  readonly operation: string
  readonly route: Route
  /** The request names it, in its query or its body. */
  readonly isNamed: boolean
}

export function golden(door: string, options: Golden = {}): void {
  const folder = join(import.meta.dirname, '..', 'golden', door)
  const files = readdirSync(folder, { encoding: 'utf8' })
    .filter((name) => name.endsWith('.http'))
    .toSorted((a, b) => (a < b ? -1 : 1))
  const operations = operationsOf(door)
  const seen = new Set<string>()

  for (const name of files)
    test(`${door}/${name}`, async () => {
      const path = join(folder, name)
      const text = readFileSync(path, 'utf8')
      const transcript = parse(text)
      seen.add(`${transcript.facts['operation']} ${outcomeOf(transcript)}`)
      for (const one of shownBy(transcript)) seen.add(one)
      const answers = await play(transcript, door)
      if (isWriting) return writeFileSync(path, print(text, answers))
      for (const [index, turn] of transcript.turns.entries())
        assert.equal(
          answers[index],
          turn.answer,
          `turn ${index + 1}: ${turn.method} ${turn.target}`,
        )
      holdFacts(transcript, operations)
      holdTurns(transcript, operations)
    })

  test(`${door}: every operation has a transcript of success and one of a fault`, () => {
    assert.ok(operations.length > 0)
    const missing = lacking(operations, seen, options)
    if (options.isIncomplete) return assert.notDeepEqual(missing, [], 'it is complete: say so')
    assert.deepEqual(missing, [])
  })
}

const operationsOf = (door: string): readonly Operation[] =>
  everyDoor()
    .filter(({ name }) => name === door)
    .flatMap(({ routes }) => routes)
    .flatMap((route) =>
      (route.operations ?? [route]).map(({ operation }) => ({
        operation,
        route,
        isNamed: route.operations !== undefined,
      })),
    )

export function lacking(
  operations: readonly Pick<Operation, 'operation'>[],
  seen: ReadonlySet<string>,
  { noFault = {}, noSuccess = {} }: Golden,
): readonly string[] {
  const names = [...new Set(operations.map(({ operation }) => operation))]
  const excused = { success: noSuccess, fault: noFault }
  const stale = [noFault, noSuccess].flatMap((some) =>
    Object.keys(some).filter((name) => !names.includes(name)),
  )
  const missing = names.flatMap((name) =>
    (['success', 'fault'] as const)
      .filter((outcome) => !Object.hasOwn(excused[outcome], name))
      .map((outcome) => `${name} ${outcome}`)
      .filter((one) => !seen.has(one)),
  )
  return [...missing, ...stale.map((name) => `${name} is excused and there is no such operation`)]
}

const outcomeOf = ({ facts, turns }: Transcript): string => {
  const last = turns.at(-1)
  const status = last ? statusOf(last) : 0
  return facts['shows'] ?? (status < 400 ? 'success' : 'fault')
}

/** The last turn really is what the transcript says it shows. */
export function holdFacts(
  { title, facts, turns }: Transcript,
  operations: readonly Operation[],
): void {
  assert.match(title, /\.$/, 'a transcript begins with a sentence that it shows')
  assert.match(facts['source'] ?? '', /\S/, 'a transcript names its source')
  const last = turns.at(-1)
  assert.ok(last, 'a transcript has a turn')
  const rows = operations.filter(({ operation }) => operation === facts['operation'])
  assert.ok(rows.length > 0, `no route answers the operation ${facts['operation']}`)
  holdTurn(last, facts['operation'] ?? '', rows)
}

/** A turn of a longer story that says so counts for its own operation too. */
export function holdTurns({ turns }: Transcript, operations: readonly Operation[]): void {
  for (const turn of turns) {
    const name = operationIn(turn)
    if (name === undefined) continue
    const rows = operations.filter(({ operation }) => operation === name)
    assert.ok(rows.length > 0, `no route answers the operation ${name}`)
    holdTurn(turn, name, rows)
  }
}

function holdTurn(turn: Turn, name: string, rows: readonly Operation[]): void {
  const isOfIt = rows.some(
    ({ operation, route, isNamed }) =>
      [route.method].flat().some((method) => method === turn.method) &&
      patternOf(route.path).test(turn.target.split('?')[0] ?? '') &&
      (!isNamed || `${turn.target} ${turn.body}`.includes(operation)),
  )
  assert.ok(isOfIt, `${turn.method} ${turn.target} is not the operation ${name}`)
}

const operationIn = ({ directives }: Turn): string | undefined =>
  directives.find(({ name }) => name === 'operation')?.rest

const shownBy = ({ turns }: Transcript): readonly string[] =>
  turns.flatMap((turn) => {
    const operation = operationIn(turn)
    return operation === undefined
      ? []
      : [`${operation} ${statusOf(turn) < 400 ? 'success' : 'fault'}`]
  })

const statusOf = ({ answer }: Turn): number =>
  Number(answer.slice('HTTP/1.1 '.length).split(' ', 1)[0])

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]*')}/?$`)
