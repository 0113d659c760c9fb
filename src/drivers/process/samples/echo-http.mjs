// A real, tiny HTTP server for the starter catalogue. Plain JavaScript, so that any Node from 18 on runs it.
//
// It listens on PORT, answers every request with who it is, writes one line per request but `/healthz`, and ends with 0 on
// SIGTERM once what it is answering is answered.

import { createServer } from 'node:http'

const host = process.env['HOST'] ?? '127.0.0.1'
const port = Number(process.env['PORT'] ?? 0)
const instance = process.env['RUNSTATE_INSTANCE_ID'] ?? null

/** @param {string} line */
const say = (line) => process.stdout.write(`${new Date().toISOString()} ${line}\n`)

const server = createServer((request, response) => {
  const path = request.url ?? '/'
  // Who looks whether it is ready comes every few seconds, and says nothing new.
  if (path !== '/healthz') say(`${request.method} ${path}`)
  const uptimeMs = Math.round(process.uptime() * 1000)
  const body = JSON.stringify({ instance, pid: process.pid, path, uptimeMs })
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
})

server.on('error', (error) => {
  say(error.message)
  process.exitCode = 1
})

server.listen(port, host, () => {
  const address = server.address()
  say(`listening on ${host}:${typeof address === 'object' && address ? address.port : port}`)
})

process.on('SIGTERM', () => {
  say('told to end')
  server.close(() => process.exit(0))
  server.closeIdleConnections()
  // Whoever keeps a connection open holds nobody up for long.
  setTimeout(() => server.closeAllConnections(), 1000).unref()
})
