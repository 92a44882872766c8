import { connect } from 'node:net'
import t from 'tap'
import { RawClient, SocketClient, startEdge } from '../../test/support/edge.ts'
import { echo, item, pausing, problemOf } from '../../test/support/edge-routes.ts'
import { until } from '../../test/support/until.ts'

t.test('a client that goes away aborts the signal, and the late answer hurts nobody', async (t) => {
  const { context, route } = pausing('/slow')
  const { port, url, logged } = await startEdge(t, { routes: [route, item] })
  const client = new RawClient(t, port).send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  const { ctx, finish } = await context
  t.equal(ctx.address, '127.0.0.1')
  const aborted = new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()))
  client.socket.destroy()
  await aborted
  finish()
  t.equal((await fetch(`${url}/items/a`)).status, 200)
  t.same(logged, [])
})

t.test('an answer that takes too long is 503, and what comes later is dropped', async (t) => {
  const { context, route } = pausing('/slow')
  const { url, clock } = await startEdge(t, { routes: [route] })
  const response = fetch(`${url}/slow`)
  const { ctx, finish } = await context
  await clock.advance(29_000)
  t.equal(ctx.signal.aborted, false)
  await clock.advance(2_000)
  t.match(await problemOf(await response), { status: 503, code: 'timed_out' })
  t.equal((await response).headers.get('retry-after'), '1')
  t.equal(ctx.signal.aborted, true)
  finish()
  t.equal((await fetch(`${url}/healthz`)).status, 200)
})

t.test('more requests at once than allowed are 503, except those that watch the process', async (t) => {
  const { context, route } = pausing('/slow')
  const { url } = await startEdge(t, { routes: [route], options: { port: 0, inFlightMax: 1 } })
  const first = fetch(`${url}/slow`)
  const { finish } = await context
  t.match(await problemOf(await fetch(`${url}/slow`)), { status: 503, code: 'overloaded' })
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  finish()
  t.equal((await first).status, 204)
  t.equal((await fetch(`${url}/docs`)).status, 200)
})

t.test('beyond the number of connections requests are 503 and their connections closed', async (t) => {
  const { url, port } = await startEdge(t, { routes: [item], options: { port: 0, connectionsMax: 1 } })
  const holder = connect(port, '127.0.0.1')
  t.teardown(() => holder.destroy())
  await new Promise((resolve) => holder.once('connect', resolve))
  const client = new RawClient(t, port).send('GET /items/a HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(await client.closed(), /503 Service Unavailable[^]*Connection: close[^]*overloaded/)
  holder.destroy()
  await new Promise((resolve) => holder.once('close', resolve))
  t.equal((await fetch(`${url}/healthz`)).status, 200)
})

t.test('a WebSocket that is gone makes room for another, whoever ended it', async (t) => {
  const { port, url, server } = await startEdge(t, { options: { port: 0, connectionsMax: 2 } })
  const alone = async (): Promise<boolean> =>
    (await (await fetch(`${url}/metrics`)).text()).includes('openrun_connections 1\n')
  const ends: readonly ((client: SocketClient) => unknown)[] = [
    ({ socket }) => socket.close(),
    ({ socket }) => socket.terminate(),
    () => server.closeAccount('usr_1'),
  ]
  for (const end of [...ends, ...ends]) {
    const client = await SocketClient.open(t, port, { token: 'account-1' })
    end(client)
    await client.closed
    await until('only who asks is counted', alone)
  }
})

t.test('who sends a request drop by drop is cut off after some ten seconds', async (t) => {
  const { port, url } = await startEdge(t, { routes: [echo] })
  const head = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  const texts = [`${head}X-Long: `, `${head}Content-Length: 1000\r\n\r\n{`]
  const clients = texts.map((text) => new RawClient(t, port).send(text))
  const drops = setInterval(() => clients.forEach((client) => client.send(' ')), 500)
  t.teardown(() => clearInterval(drops))
  t.same(await Promise.all(clients.map((client) => client.closed())), ['', ''])
  t.equal((await fetch(`${url}/healthz`)).status, 200)
})
