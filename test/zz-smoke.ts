import { world } from '#test/harness/world.ts'
const w = await world({ config: { starter: true } })
const t = w.credentials['RUNSTATE_TOKEN']
const call = async (m: string, p: string, b?: unknown, h = {}) => {
  const r = await fetch(w.url + '/api/v1' + p, { method: m, headers: { authorization: 'Bearer ' + t, ...(b === undefined ? {} : { 'content-type': 'application/json' }), ...h }, ...(b === undefined ? {} : { body: JSON.stringify(b) }) })
  const text = await r.text()
  console.log(m, p, r.status, text.slice(0, 1500))
  return text.startsWith('{') ? JSON.parse(text) : text
}
try {
const list = await call('GET', '/instances')
for (const p of ['/services','/flavors','/images','/pools','/nodes','/drivers','/projects','/operations','/events?limit=2']) await call('GET', p)
const c = await call('POST', '/instances', { kind: 'server', name: 'x1', flavor: 'sim.small', image: 'sim' }, { prefer: 'wait=5' })
const id = c.instances[0]
await call('GET', '/instances/' + id)
await call('POST', '/instances/' + id + '/actions', { action: 'stop' })
await call('GET', '/instances/' + id + '/why')
await call('POST', '/instances/' + id + '/actions', { action: 'stop' }, { prefer: 'wait=5' })
await call('POST', '/instances/' + id + '/actions', { action: 'stopp' })
await call('POST', '/instances/' + id + '/actions', { action: 'stop', x: 1 })
await call('GET', '/instances?limit=2&sort=-name')
await call('GET', '/nope')
await call('PUT', '/instances')
} finally { console.time('close'); await w.close(); console.timeEnd('close') }
