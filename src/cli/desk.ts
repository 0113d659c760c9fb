// What every command works with: a client for the server that the options name, where to print, and
// how.

import { Client } from './client.ts'
import { connectionOf, type ConnectionOptions } from './connection.ts'
import { done, type ExitCode, exitOf, type Failure, type Outcome, sentenceOf } from './outcome.ts'
import { type Output, plain, print, type Shown, type Sink } from './print.ts'

export interface DeskOptions extends ConnectionOptions {
  readonly output: Output
}

export class Desk {
  readonly client: Client
  readonly output: Output
  readonly out: Sink = process.stdout
  readonly err: Sink = process.stderr

  constructor(client: Client, output: Output) {
    this.client = client
    this.output = output
  }

  print<Row>(shown: Shown<Row>): void {
    print(this.out, this.output, shown)
  }

  /** One line of news for a person; scripts read stdout. */
  say(text: string): void {
    this.err.write(`${plain(text)}\n`)
  }

  complain(failure: Failure, about?: string): void {
    this.say(`runstate: ${about === undefined ? '' : `${about}: `}${sentenceOf(failure)}`)
  }

  /** Says what went wrong, each on a line, and what that is as an exit code. */
  finish(outcomes: readonly Outcome<unknown>[]): ExitCode {
    for (const one of outcomes) if (!one.ok) this.complain(one.failure)
    return exitOf(outcomes)
  }
}

export function openDesk(options: DeskOptions): Outcome<Desk> {
  const connection = connectionOf(options, process.env)
  return connection.ok ? done(new Desk(new Client(connection.value), options.output)) : connection
}
