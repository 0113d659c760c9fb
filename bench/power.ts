// Accepted stops and starts, in turn, of simulated servers that take longer to stop than a round lasts: what is
// measured is the acceptance, and the engine's acts that follow it. Each round begins when all are at rest.

import type { ServerProcess } from '#test/harness/server.ts'
import type { Row } from './rows.ts'

const instances = 3_000
const moveMs = 3_000

/** For runstate.yaml. */
export const powerFlavor = `{ id: bench, driver: simulated, attributes: { createMs: 0, startMs: ${moveMs}, stopMs: ${moveMs} }, graceMs: 3000000 }`

interface Account {
  readonly project: string
  readonly headers: Record<string, string>
}

export async function powerRows(
  server: ServerProcess,
  { project, headers }: Account,
): Promise<readonly Row[]> {
  const ids = await fleet(server)
  const at = (n: number): string => ids[n % ids.length] ?? ''
  const json = { ...headers, 'content-type': 'application/json' }
  return [
    {
      what: 'GET one server',
      owe: 0.45,
      count: 20_000,
      request: (n) => ({ method: 'GET', path: `/v2.1/${project}/servers/${at(n)}`, headers }),
    },
    {
      what: 'os-stop/os-start accepted, durable',
      owe: 0.35,
      count: instances,
      request: (n, round) => ({
        method: 'POST',
        path: `/v2.1/${project}/servers/${at(n)}/action`,
        body: round % 2 === 0 ? '{"os-stop":{}}' : '{"os-start":{}}',
        headers: json,
      }),
      rest: () => rest(server),
    },
  ]
}

async function fleet(server: ServerProcess): Promise<readonly string[]> {
  const ids: string[] = []
  while (ids.length < instances) {
    const made = await server.call('POST', '/api/v1/instances', {
      kind: 'server',
      name: `bench-${ids.length}`,
      flavor: 'bench',
      image: 'sim',
      count: 100,
    })
    ids.push(...(made.body['instances'] as string[]))
  }
  await rest(server)
  return ids
}

async function rest(server: ServerProcess): Promise<void> {
  for (;;) {
    const { body } = await server.call('GET', '/api/v1/operations?state=running&limit=1')
    if ((body['items'] as unknown[]).length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
