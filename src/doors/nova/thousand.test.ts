// The law of pages among changes: a thousand servers are listed with details, page by page, while others are made
// and deleted. Nothing is listed twice, and nothing is missing that was there throughout.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { as, type OpenStackCaller, twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

const servers = '/compute/v2.1/servers'
const fleet = 1000

let w: World
let mary: OpenStackCaller

const create = async (name: string, count: number): Promise<void> => {
  const server = { name, flavorRef: 'quick', imageRef: 'sim', max_count: count, min_count: count }
  const heard = await mary.call('POST', servers, { body: { server } })
  assert.equal(heard.status, 202, heard.text)
}

before(async () => {
  const attributes = { startMs: 0, hardStopMs: 0, removeMs: 0 }
  const catalogue = { flavors: [{ id: 'quick', driver: 'simulated', attributes }] }
  w = await world({ config: { identity: twoProjects, catalogue } })
  mary = await as(w, 'mary')
  for (let made = 0; made < fleet; made += 100) await create(`s${made}`, 100)
})
after(() => w.close())

async function listed(query: string, between: (page: number) => Promise<void>) {
  const ids: string[] = []
  let path: string | undefined = `${servers}/detail?${query}`
  for (let page = 0; path !== undefined; page++) {
    const heard = await mary.call('GET', path)
    assert.equal(heard.status, 200, heard.text)
    ids.push(...(heard.each('servers', 'id') as string[])) // ids are texts
    const next = heard.at('servers_links.0.href')
    path = typeof next === 'string' ? next.slice(w.url.length) : undefined
    await between(page)
  }
  return ids
}

const orders = ['', '&sort_key=display_name&sort_dir=asc']

for (const order of orders) {
  test(`a thousand servers are listed once each, whatever comes and goes (limit=100${order})`, async () => {
    const all = await listed('limit=1000', async () => undefined)
    const doomed = all.filter((_, at) => at % 50 === 7)
    const stay = new Set(all.filter((id) => !doomed.includes(id)))
    let gone = 0
    const ids = await listed(`limit=100${order}`, async (page) => {
      const last = doomed.slice(gone, gone + 2)
      gone += last.length
      // The last row of a page may be among those that go: it is the next page's marker.
      await Promise.all([
        create(`new-${page}`, 3),
        ...last.map((id) => mary.call('DELETE', `${servers}/${id}`)),
      ])
    })
    assert.equal(new Set(ids).size, ids.length, 'nothing twice')
    const seen = new Set(ids)
    assert.deepEqual(
      [...stay].filter((id) => !seen.has(id)),
      [],
      'nothing missing',
    )
  })
}
