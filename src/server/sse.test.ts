import { connect } from 'node:net'
import t from 'tap'
import { z } from 'zod'
import { RawClient, startEdge } from '../../test/support/edge.ts'
import { until } from '../../test/support/until.ts'
import { generalErrors, Problem } from '../errors.ts'
import { defineStream, type RequestContext, type Stream } from './route.ts'
import type { EventStream, StreamEnd } from './sse.ts'

interface Opened {
  readonly stream: EventStream
  readonly context: RequestContext
  readonly ended: Promise<StreamEnd>
}

/** A stream that hands itself to the test as soon as it is opened. */
function caught(): { readonly route: Stream; readonly next: () => Promise<Opened> } {
  const opened: Opened[] = []
  const route = defineStream({
    path: '/stream',
    summary: 'Test',
    tag: 'Test',
    auth: 'public',
    events: { position: { description: 'Where one stands' } },
    open: (context, stream) => {
      const ended = new Promise<StreamEnd>((resolve) => stream.onClose(resolve))
      opened.push({ stream, context, ended })
    },
  })
  const next = async (): Promise<Opened> => {
    await until('a stream is opened', () => opened.length > 0)
    return opened.shift() as Opened
  }
  return { route, next }
}

const get = 'GET /stream HTTP/1.1\r\nHost: x\r\n'

t.test('events arrive in order, each with its name, position and data on one line', async (t) => {
  const { route, next } = caught()
  const { port } = await startEdge(t, { streams: [route], random: () => 0.5 })
  const client = new RawClient(t, port).send(get, 'Last-Event-ID: 1:41\r\n\r\n')
  const { stream } = await next()
  t.equal(stream.lastEventId, '1:41')
  stream.send({ event: 'position', data: { text: 'a\nb' }, id: '1:42' })
  stream.send({ event: 'position', data: 2 })
  stream.comment('still here')
  stream.close()
  const text = await client.closed()
  t.match(text, /200 OK\r\n/)
  t.match(text, /Content-Type: text\/event-stream/)
  t.match(text, /Cache-Control: no-store/)
  t.match(text, /x-accel-buffering: no/i)
  t.equal(
    bodyOf(text),
    [
      'retry: 2000\n\n',
      'event: position\nid: 1:42\ndata: {"text":"a\\nb"}\n\n',
      'event: position\ndata: 2\n\n',
      ': still here\n\n',
    ].join(''),
  )
})

t.test('a stream is sent its head at once, also when nothing is to be told yet', async (t) => {
  const { route } = caught()
  const { port } = await startEdge(t, { streams: [route] })
  await new RawClient(t, port).send(get, '\r\n').until('retry: ')
})

t.test('what is wrong with the request is an ordinary error', async (t) => {
  const stream = defineStream({
    path: '/streams/{kind}',
    summary: 'Test',
    tag: 'Test',
    auth: 'account',
    params: z.object({ kind: z.enum(['good', 'bad', 'broken']) }),
    events: {},
    open: async ({ params }, stream) => {
      stream.onClose(() => closed.push(params.kind))
      await Promise.resolve()
      if (params.kind === 'bad') throw new Problem(generalErrors.forbidden)
      if (params.kind === 'broken') throw new Error('secret')
    },
  })
  const closed: string[] = []
  const { url } = await startEdge(t, { streams: [stream] })
  const headers = { authorization: 'Bearer account-1' }
  t.equal((await fetch(`${url}/streams/good`)).status, 401)
  t.equal((await fetch(`${url}/streams/ugly`, { headers })).status, 422)
  t.equal((await fetch(`${url}/streams/bad`, { headers })).status, 403)
  t.equal((await fetch(`${url}/streams/broken`, { headers })).status, 500)
  t.equal((await fetch(`${url}/streams/good`, { method: 'POST', headers })).status, 405)
  t.same(closed, ['bad', 'broken'], 'what was begun is cleared up')
})

t.test('a stream that fails after its first event is ended and cleared up', async (t) => {
  const ends: StreamEnd[] = []
  const failing = defineStream({
    path: '/stream',
    summary: '',
    tag: '',
    auth: 'public',
    events: {},
    open: (_, stream) => {
      stream.onClose(() => {
        throw new Error('clearing up fails too')
      })
      stream.onClose((end) => ends.push(end))
      stream.send({ event: 'a', data: 1 })
      throw new Error('secret')
    },
  })
  const { port, logged } = await startEdge(t, { streams: [failing] })
  const text = await new RawClient(t, port).send(get, '\r\n').closed()
  t.match(text, /event: a/)
  t.notMatch(text, /secret/)
  t.same(ends, ['ended'])
  t.same(
    logged.map(({ msg }) => msg),
    ['a stream failed', 'clearing up after a stream failed'],
  )
})

t.test('a client that leaves ends the stream, and sending on does nothing', async (t) => {
  const { route, next } = caught()
  const { url, port } = await startEdge(t, { streams: [route] })
  const client = new RawClient(t, port).send(get, '\r\n')
  const { stream, context, ended } = await next()
  await client.until('retry: ')
  client.socket.destroy()
  t.equal(await ended, 'client-left')
  t.equal(stream.isClosed, true)
  t.equal(context.signal.aborted, true)
  t.equal(context.address, '127.0.0.1')
  stream.send({ event: 'a', data: 1 })
  stream.comment('')
  stream.close()
  const late = new Promise<StreamEnd>((resolve) => stream.onClose(resolve))
  t.equal(await late, 'client-left')
  t.equal((await fetch(`${url}/healthz`)).status, 200)
})

t.test('each stream hears a comment within 15 seconds, whoever else is there', async (t) => {
  const { route, next } = caught()
  const { port, clock } = await startEdge(t, { streams: [route] })
  const clients: RawClient[] = []
  for (let number = 0; number < 3; number++) {
    clients.push(new RawClient(t, port).send(get, '\r\n'))
    await next()
    await clients[number]?.until('retry: ')
  }
  await clock.advance(15_000)
  await Promise.all(clients.map((client) => client.until(': \n\n')))
  await clock.advance(30_000)
  for (const client of clients) await until('two more', () => client.received.split(': \n\n').length === 4)
  t.pass()
})

t.test('a reader that is slow for a while gets everything in order', async (t) => {
  const { route, next } = caught()
  const { port } = await startEdge(t, { streams: [route], options: { port: 0, unreadBytesMax: 64_000_000 } })
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const received: Buffer[] = []
  const isOver = new Promise<void>((resolve) => {
    socket.on('data', (bytes) => received.push(bytes) && bytes.includes('event: last') && resolve())
  })
  socket.pause()
  socket.write(`${get}\r\n`)
  const { stream } = await next()
  const events = 2_000
  for (let number = 0; number < events; number++) {
    stream.send({ event: 'n', data: { number, padding: 'x'.repeat(8_000) } })
    if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  socket.resume()
  stream.send({ event: 'last', data: 0 })
  await isOver
  const text = bodyOf(Buffer.concat(received).toString('latin1'))
  const numbers = [...text.matchAll(/"number":(\d+)/g)].map((match) => Number(match[1]))
  t.same(numbers, [...Array(events).keys()])
})

t.test('an event that fills the socket arrives whole, also when nothing follows it', async (t) => {
  const { route, next } = caught()
  const { port } = await startEdge(t, { streams: [route] })
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = 0
  const padding = 'x'.repeat(30_000_000)
  const isWhole = new Promise<void>((resolve) => {
    socket.on('data', (bytes) => (received += bytes.byteLength) > padding.length && resolve())
  })
  socket.pause()
  socket.write(`${get}\r\n`)
  const { stream } = await next()
  stream.send({ event: 'large', data: padding })
  socket.resume()
  await isWhole
  t.equal(stream.isClosed, false)
})

t.test('a client that never reads is cut off at its budget', async (t) => {
  const { route, next } = caught()
  const { port } = await startEdge(t, { streams: [route], options: { port: 0, unreadBytesMax: 100_000 } })
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.pause()
  socket.write(`${get}\r\n`)
  const { stream, ended } = await next()
  const event = { event: 'n', data: 'x'.repeat(10_000) }
  let sent = 0
  // The kernel's buffers take some megabytes before anything has to wait here.
  while (!stream.isClosed && sent < 10_000) {
    stream.send(event)
    if (++sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(await ended, 'too-slow')
})

t.test('a caller that is logged out loses its streams, others keep theirs', async (t) => {
  const { route, next } = caught()
  const { port, server } = await startEdge(t, { streams: [route] })
  const one = new RawClient(t, port).send(get, 'Authorization: Bearer account-1\r\n\r\n')
  const { ended } = await next()
  const other = new RawClient(t, port).send(get, 'Authorization: Bearer account-2\r\n\r\n')
  const { stream } = await next()
  await Promise.all([one.until('retry: '), other.until('retry: ')])
  t.equal(server.closeAccount('usr_1'), 1)
  t.equal(await ended, 'logged-out')
  await one.closed()
  t.equal(stream.isClosed, false)
  t.equal(server.closeAccount('usr_1'), 0)
})

/** The text of a chunked body. */
function bodyOf(answer: string): string {
  let rest = answer.slice(answer.indexOf('\r\n\r\n') + 2)
  const body: string[] = []
  for (;;) {
    const [head = ''] = /^\r\n[0-9a-f]+\r\n/i.exec(rest) ?? []
    const length = Number.parseInt(head, 16)
    if (head === '' || length === 0) return body.join('')
    body.push(rest.slice(head.length, head.length + length))
    rest = rest.slice(head.length + length)
  }
}
