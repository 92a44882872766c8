import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer as createNetServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { RawClient, SocketClient, startEdge } from '../../test/support/edge.ts'
import { bare } from '../../test/support/edge-routes.ts'
import { until } from '../../test/support/until.ts'
import { StartError } from '../start-error.ts'
import { closeCodes } from './protocol/close-codes.ts'
import { defineRoute, defineStream, type Reply } from './route.ts'

const stream = defineStream({
  path: '/stream',
  summary: '',
  tag: '',
  auth: 'public',
  events: {},
  open: () => undefined,
})

/** A route that answers when it is told to. */
function waiting() {
  const finishers: (() => void)[] = []
  const route = defineRoute({
    ...bare,
    method: 'GET',
    path: '/slow',
    handle: () =>
      new Promise<Reply>((resolve) => finishers.push(() => resolve({ status: 200, body: 'done' }))),
  })
  return { route, finishers }
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

t.test('the native module is the one that was looked at', async (t) => {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.versions.modules !== '115') {
    t.pass('another platform has another binary')
    return
  }
  const path = createRequire(import.meta.url).resolve('uWebSockets.js/uws_linux_x64_115.node')
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
  t.equal(digest, 'f4fa5d7b697529b45ac8aa3d57385d9af51bc1d2b26aa9f5b68ca4361542e665')
})

t.test('a taken port is one clear error, unless the port is shared', async (t) => {
  const port = await freePort()
  const first = await startEdge(t, { options: { port, sharePort: true } })
  t.equal(first.port, port)
  await t.rejects(startEdge(t, { options: { port } }), StartError)
  await t.rejects(startEdge(t, { options: { port } }), { message: new RegExp(`^Port ${port} is taken`) })
  await startEdge(t, { options: { port, sharePort: true } })
})

t.test('a stopped server cuts what is left, and its port can be had again at once', async (t) => {
  const port = await freePort()
  const { server } = await startEdge(t, { streams: [stream], options: { port } })
  const client = new RawClient(t, port).send(get('/stream'))
  await client.until('retry: ')
  await server.stop()
  await client.closed()
  const again = await startEdge(t, { options: { port } })
  t.equal((await fetch(`${again.url}/healthz`)).status, 200)
})

t.test('while draining, work under way is finished and new work turned away', async (t) => {
  const { route, finishers } = waiting()
  const { server, port, url, clock } = await startEdge(t, { routes: [route] })
  const busy = new RawClient(t, port).send(get('/slow'))
  await until('the request is under way', () => finishers.length === 1)
  const kept = new RawClient(t, port).send(get('/healthz'))
  await kept.until('ok')
  const drained = server.drain()
  const refused = await kept.send(get('/slow')).closed()
  t.match(refused, /503 Service Unavailable[^]*retry-after: 1\r\n[^]*Connection: close[^]*"code":"draining"/)
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  const ready = await fetch(`${url}/readyz`)
  t.equal(ready.status, 503)
  t.match(await ready.json(), { status: 'draining' })
  finishers[0]?.()
  t.match(await busy.closed(), /200 OK[^]*Connection: close[^]*done/)
  await drained
  t.equal(clock.waiting, 1, 'only the heartbeat is left')
})

t.test('draining does not wait for ever for an answer', async (t) => {
  const { route, finishers } = waiting()
  const { server, port, clock } = await startEdge(t, {
    routes: [route],
    options: { port: 0, drainWithinMs: 2_000 },
  })
  new RawClient(t, port).send(get('/slow'))
  await until('the request is under way', () => finishers.length === 1)
  const drained = server.drain()
  await clock.advance(2_000)
  await drained
  t.equal(finishers.length, 1)
})

t.test('live connections are sent home one after the other, with word when to come back', async (t) => {
  const { server, port, clock } = await startEdge(t, { streams: [stream], random: () => 0.25 })
  const streams = await Promise.all([1, 2].map(() => opened(t, port)))
  const sockets = await Promise.all([1, 2].map(() => SocketClient.open(t, port)))
  const drained = server.drain()
  t.match(await streams[0]?.closed(), /retry: 2000\n\n/)
  const { code, reason } = closeCodes.draining
  t.same(await sockets[0]?.closed, { code, reason })
  t.equal(streams[1]?.isClosed, false)
  await clock.advance(2_000)
  await streams[1]?.closed()
  t.same(await sockets[1]?.closed, { code, reason })
  await drained
  await t.rejects(SocketClient.open(t, port), { message: '503' })
})

/** Unlike one that the server chose itself, it is bound with the options of a port that was asked for. */
async function freePort(): Promise<number> {
  const probe = createNetServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

async function opened(t: Test, port: number): Promise<RawClient> {
  const client = new RawClient(t, port).send(get('/stream'))
  await client.until('retry: ')
  return client
}

t.test(
  'a condition stands in /readyz and in the figures while it holds, and is no reason to leave',
  async (t) => {
    const { url, clock, logged, conditions } = await startEdge(t)
    const ready = async () => {
      const response = await fetch(`${url}/readyz`)
      return { code: response.status, ...((await response.json()) as object) }
    }
    const figure = async () => {
      const text = await (await fetch(`${url}/metrics`)).text()
      return /openrun_condition\{name="redis-away"\} (\d)/.exec(text)?.[1]
    }
    t.same(await ready(), { code: 200, status: 'ready', conditions: [] })
    t.equal(await figure(), '0')
    conditions.seen('redis-away')
    t.match(await ready(), {
      code: 200,
      status: 'degraded',
      conditions: [{ name: 'redis-away', advice: /Start it/ }],
    })
    t.equal(await figure(), '1')
    t.match(logged.at(-1), { condition: 'redis-away', msg: /Start it/ })
    await clock.advance(3_000)
    conditions.look()
    t.same(await ready(), { code: 200, status: 'ready', conditions: [] })
    t.equal(await figure(), '0')
  },
)

t.test('a slow answer is counted where it belongs', async (t) => {
  const { route, finishers } = waiting()
  const { url, clock } = await startEdge(t, { routes: [route] })
  const answer = fetch(`${url}/slow`)
  await until('the request is under way', () => finishers.length === 1)
  await clock.advance(300)
  finishers[0]?.()
  await answer
  const text = await (await fetch(`${url}/metrics`)).text()
  const counted = (le: string) =>
    new RegExp(`_bucket\\{le="${le}",method="GET",route="/slow",status="200"\\} (\\d+)`).exec(text)?.[1]
  t.same(
    ['0.1', '0.25', '0.5', '30', '+Inf'].map((le) => counted(le.replace('+', '\\+'))),
    ['0', '0', '1', '1', '1'],
  )
  t.match(text, /_sum\{method="GET",route="\/slow",status="200"\} 0\.3\n/)
})

t.test('the figures tell of requests by route and status, and of connections', async (t) => {
  const { route } = waiting()
  const { url, port } = await startEdge(t, { routes: [route], streams: [stream] })
  await opened(t, port)
  const socket = await SocketClient.open(t, port)
  await fetch(`${url}/nothing/${'x'.repeat(100)}`)
  await fetch(`${url}/healthz`)
  const response = await fetch(`${url}/metrics`)
  t.match(response.headers.get('content-type'), /^text\/plain/)
  const text = await response.text()
  const count = 'openrun_http_request_duration_seconds_count'
  t.ok(text.includes(`${count}{method="GET",route="/healthz",status="200"} 1\n`))
  t.ok(text.includes(`${count}{method="other",route="unmatched",status="404"} 1\n`))
  const bucket = 'openrun_http_request_duration_seconds_bucket'
  t.ok(text.includes(`${bucket}{le="0.001",method="GET",route="/healthz",status="200"} 1\n`))
  t.ok(text.includes(`${bucket}{le="+Inf",method="GET",route="/healthz",status="200"} 1\n`))
  t.match(text, /openrun_event_streams 1\n/)
  t.match(text, /openrun_websockets 1\n/)
  t.match(text, /openrun_connections [1-9]/)
  socket.socket.terminate()
})

t.test('no figure is told twice, however many addresses have one in common', async (t) => {
  const { route } = waiting()
  const { url } = await startEdge(t, { routes: [route] })
  for (const path of ['/slow', '/healthz', '/docs', '/nothing']) {
    for (const method of ['POST', 'OPTIONS']) await fetch(url + path, { method })
  }
  const text = await (await fetch(`${url}/metrics`)).text()
  const names = text.split('\n').flatMap((line) => /^(openrun_http\S+) \S+$/.exec(line)?.[1] ?? [])
  t.ok(names.some((name) => name.includes('status="405"')))
  t.same(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  )
})
