// The bare server that everything is measured against: the same bytes, from memory, in a process of its own.

import { spawn } from 'node:child_process'

const program = `
const body = require('node:fs').readFileSync(0)
const status = Number(process.argv[1])
const server = require('node:http').createServer((request, answer) => {
  request.resume()
  request.on('end', () => { answer.writeHead(status, { 'content-type': 'application/json' }); answer.end(body) })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

export async function startReference(
  status: number,
  body: Buffer,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const child = spawn(process.execPath, ['-e', program, String(status)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(body)
  const port = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim())),
  )
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      child.kill('SIGKILL')
      return gone
    },
  }
}
