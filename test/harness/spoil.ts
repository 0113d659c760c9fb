// Ways to spoil a request: by its meaning (a value of another kind, a name too many, a limit passed) and by its bytes.

import type { Chance } from './chance.ts'

const hostile: readonly [unknown, ...unknown[]] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  "'; DROP TABLE instances; --",
  '${jndi:ldap://127.0.0.1/a}',
  '𝔘𝔫𝔦𝔠𝔬𝔡𝔢'.repeat(20),
  'a'.repeat(70_000),
  [],
  [[[[[[]]]]]],
  {},
  { a: { b: { c: {} } } },
  Array.from({ length: 300 }, (_, nth) => nth),
]

/** One thing somewhere in it is otherwise: replaced, removed, doubled, renamed, or there though nobody knows it. */
export function spoiltValue(value: unknown, dice: Chance): unknown {
  const { roll, pick } = dice
  if (typeof value !== 'object' || value === null || roll() < 0.15) return pick(hostile)
  if (Array.isArray(value)) {
    const at = dice.upTo(Math.max(0, value.length - 1))
    if (value.length === 0 || roll() < 0.2) return [...(value as readonly unknown[]), pick(hostile)]
    return (value as readonly unknown[]).map((one, nth) =>
      nth === at ? spoiltValue(one, dice) : one,
    )
  }
  const entries = Object.entries(value)
  const at = dice.upTo(Math.max(0, entries.length - 1))
  const how = roll()
  if (entries.length === 0 || how < 0.15)
    return {
      ...value,
      [pick(['__proto_', 'constructor', 'toString', 'id', 'état', ''])]: pick(hostile),
    }
  if (how < 0.3) return Object.fromEntries(entries.filter((_, nth) => nth !== at))
  return Object.fromEntries(
    entries.map(([key, one], nth) => {
      if (nth !== at) return [key, one]
      return how < 0.4 ? [key.toUpperCase(), one] : [key, spoiltValue(one, dice)]
    }),
  )
}

/** A few bytes flipped, cut out, doubled or put in. */
export function spoiltBytes(bytes: Buffer, { roll, upTo }: Chance): Buffer {
  let spoilt = bytes
  for (let times = upTo(3); times >= 0; times--) {
    const at = upTo(Math.max(0, spoilt.length - 1))
    const length = upTo(8)
    const how = roll()
    if (how < 0.4) {
      spoilt = Buffer.from(spoilt)
      spoilt.writeUInt8(upTo(255), at)
    } else if (how < 0.6)
      spoilt = Buffer.concat([spoilt.subarray(0, at), spoilt.subarray(at + length)])
    else if (how < 0.8)
      spoilt = Buffer.concat([spoilt.subarray(0, at + length), spoilt.subarray(at)])
    else
      spoilt = Buffer.concat([
        spoilt.subarray(0, at),
        Buffer.from(Array.from({ length }, () => upTo(255))),
        spoilt.subarray(at),
      ])
    if (spoilt.length === 0) return bytes
  }
  return spoilt
}

/** Headers that somebody reads, with what nobody should send. `Prefer` names no long wait. */
export const strangeHeaders: readonly [string, ...string[]][] = [
  [
    'content-type',
    'text/html',
    'application/json; charset=utf-7',
    'a/b/c',
    '; ;',
    'application/xml',
  ],
  ['if-match', '*', '"x"', '-1', 'W/"1"', '"9".'],
  ['prefer', 'wait=-1', 'wait=0', 'wait=x', 'return=minimal', 'wait=1e9x'],
  ['idempotency-key', 'k'.repeat(3_000), '', '"', '\u00ff'],
  ['x-dry-run', 'true', 'yes', '1', ''],
  ['x-openstack-nova-api-version', '9.9', '2.1', 'latest', '-', '2.999999999999999999999'],
  ['openstack-api-version', 'compute 9', 'compute', 'compute latest', ','],
  ['accept', 'text/plain', '*/*;q=x', 'image/png'],
  ['x-auth-token', 'gAAAA', '\u00ff', ' '],
  ['authorization', 'Bearer', 'Basic e30='],
  ['x-project-id', '..', 'a'.repeat(300)],
  ['x-forwarded-for', '127.0.0.1', '::1'],
  ['expect', '100-continue'],
  ['last-event-id', '-1', '999999999999999999999'],
  ['accept-encoding', 'gzip, br;q=0'],
]
