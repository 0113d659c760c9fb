// What the engine says to the log: the part of pino that it uses.

type Say = (fields: Record<string, unknown>, text: string) => void

export interface Log {
  readonly error: Say
  readonly warn: Say
  readonly info: Say
  readonly debug: Say
}
