import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t, { type Test } from 'tap'
import { keepAliveFetch } from './keep-alive-fetch.ts'

async function setting(t: Test, handle: http.RequestListener, options: { sendsAgain?: boolean } = {}) {
  const server = http.createServer(handle)
  // Kept until the test closes it, however long the next call is in coming.
  server.keepAliveTimeout = 0
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { fetch, close } = keepAliveFetch({ connectionsMax: 2, ...options })
  t.teardown(async () => {
    close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return { url, fetch, sockets }
}

t.test('calls share few connections', async (t) => {
  const { url, fetch, sockets } = await setting(t, (_, response) => response.end('hello'))
  const texts = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const response = await fetch(url, { method: 'GET', headers: {} })
      return await response.text()
    }),
  )
  t.same(new Set(texts), new Set(['hello']))
  t.equal(sockets.size, 2)
})

t.test('method, headers and body arrive, status and headers come back', async (t) => {
  const { url, fetch } = await setting(t, (request, response) => {
    const head = {
      'x-seen': `${request.method} ${String(request.headers['x-a'])} ${request.headers['content-length']}`,
    }
    response.writeHead(409, head)
    request.pipe(response)
  })
  const response = await fetch(url, { method: 'POST', headers: { 'x-a': 'b' }, body: 'é' })
  t.equal(response.status, 409)
  t.equal(response.headers.get('X-Seen'), 'POST b 2')
  t.equal(response.headers.get('x-other'), null)
  t.equal(await response.text(), 'é')
})

t.test('streams have connections of their own, and end with the signal', async (t) => {
  const { url, fetch, sockets } = await setting(t, (_, response) => void response.write('a'))
  const headers = { accept: 'text/event-stream' }
  const left = new AbortController()
  const open = Array.from({ length: 4 }, () => fetch(url, { method: 'GET', headers, signal: left.signal }))
  const [first] = await Promise.all(open)
  t.equal(sockets.size, 4)
  const reading = first?.text()
  left.abort()
  await t.rejects(Promise.resolve(reading), { message: /abort/ })
})

t.test('a kept connection that the server has closed costs a second attempt and no error', async (t) => {
  let served = 0
  const { url, fetch } = await setting(t, (request, response) => {
    served++
    if (served === 2) return void request.socket.resetAndDestroy()
    response.end('fine')
  })
  const call = async () => await (await fetch(url, { method: 'GET', headers: {} })).text()
  t.equal(await call(), 'fine')
  t.equal(await call(), 'fine')
  t.equal(served, 3)
})

t.test('whoever writes down each call hears of the connection that was closed', async (t) => {
  let served = 0
  const closing: http.RequestListener = (request, response) => {
    served++
    if (served === 2) return void request.socket.resetAndDestroy()
    response.end('fine')
  }
  const { url, fetch } = await setting(t, closing, { sendsAgain: false })
  const call = async () => await (await fetch(url, { method: 'GET', headers: {} })).text()
  t.equal(await call(), 'fine')
  await t.rejects(call(), { message: /ECONNRESET|hang up/ })
  t.equal(await call(), 'fine')
  t.equal(served, 3)
})

t.test('an address where nobody listens is an error', async (t) => {
  const { fetch, close } = keepAliveFetch({ connectionsMax: 1 })
  t.teardown(close)
  await t.rejects(fetch('http://127.0.0.1:1/', { method: 'GET', headers: {} }), { code: 'ECONNREFUSED' })
})
