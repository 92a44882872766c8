import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { token, watched } from '../../test/support/edge-channels.ts'
import { RawClient, SocketClient, startEdge } from '../../test/support/edge.ts'
import { until } from '../../test/support/until.ts'
import { closeCodes } from './protocol/close-codes.ts'
import { defineStream } from './route.ts'
import type { EventStream, StreamEnd } from './sse.ts'
import { eventText, Topics } from './topics.ts'

/** A server with a channel and a stream, both in the hands of the test. */
async function started(t: Test, unreadBytesMax = 100_000) {
  const topics = new Topics()
  const queue = watched()
  const streams: EventStream[] = []
  const ends: StreamEnd[] = []
  const stream = defineStream({
    path: '/stream',
    summary: '',
    tag: '',
    auth: 'public',
    events: {},
    open: (_, opened) => {
      streams.push(opened)
      opened.onClose((end) => ends.push(end))
      opened.join('all')
    },
  })
  const parts = { channels: [queue.channel], streams: [stream], topics }
  const edge = await startEdge(t, { ...parts, options: { port: 0, unreadBytesMax } })
  const subscriber = async (name: string) => {
    const client = await SocketClient.open(t, edge.port, { token })
    await client.send({ op: 'subscribe', ch: `queue:${name}`, ref: 1 }).next()
    const context = queue.contexts.at(-1)
    if (!context) throw new Error('nobody has subscribed')
    return { client, context }
  }
  return { ...edge, ...queue, topics, streams, ends, subscriber }
}

const get = 'GET /stream HTTP/1.1\r\nHost: x\r\n\r\n'
const event = (number: number) => ({ ch: 'queue:a', type: 'n', id: `1:${number}`, data: number })

t.test('what is published reaches whoever has joined, over either transport, and nobody else', async (t) => {
  const { topics, subscriber, port, streams } = await started(t)
  const [one, two, other] = [await subscriber('a'), await subscriber('a'), await subscriber('a')]
  one.context.join('all')
  two.context.join('all')
  other.context.join('another')
  const raw = new RawClient(t, port).send(get)
  await raw.until('retry: ')
  t.equal(streams.length, 1)
  t.equal(topics.size('all'), 3)
  topics.publish('all', event(7))
  topics.publish('another', event(8))
  topics.publish('nobody', event(9))
  t.same(await one.client.next(), event(7))
  t.same(await two.client.next(), event(7))
  t.same(await other.client.next(), event(8))
  t.match(await raw.until('data: 7'), eventText(event(7)))
  t.notMatch(raw.received, 'data: 8')
})

t.test('an event is encoded once for each transport, however many listen', async (t) => {
  const { topics, subscriber, port } = await started(t)
  const all = [await subscriber('a'), await subscriber('a'), await subscriber('a')]
  for (const { context } of all) context.join('all')
  const raws = [1, 2].map(() => new RawClient(t, port).send(get))
  await Promise.all(raws.map((raw) => raw.until('retry: ')))
  let encoded = 0
  topics.publish('all', { ch: 'queue:a', type: 'n', data: { toJSON: () => ++encoded } })
  await Promise.all([...all.map(({ client }) => client.next()), ...raws.map((raw) => raw.until('data: '))])
  t.equal(encoded, 2)
})

t.test('the order between what one alone and what all are told is kept', async (t) => {
  const { topics, subscriber, port, streams } = await started(t)
  const { client, context } = await subscriber('a')
  const raw = new RawClient(t, port).send(get)
  await raw.until('retry: ')
  topics.publish('all', event(0))
  context.send('n', 1)
  context.join('all')
  for (let number = 2; number < 40; number += 2) {
    topics.publish('all', event(number))
    context.send('n', number + 1)
    streams[0]?.send({ event: 'n', data: number + 1 })
  }
  const numbers: unknown[] = []
  while (numbers.length < 39) numbers.push((await client.next())['data'])
  t.same(
    numbers,
    Array.from({ length: 39 }, (_, index) => index + 1),
  )
  const text = await raw.until('data: 39')
  const streamed = [...text.matchAll(/^data: (\d+)$/gm)].map((match) => Number(match[1]))
  t.same(streamed, [0, ...numbers.slice(1)])
})

t.test('unsubscribing, closing and failing to subscribe leave the topic', async (t) => {
  const { topics, subscriber, port, undone, contexts } = await started(t)
  const { client, context } = await subscriber('a')
  context.join('all')
  context.join('more')
  await client.send({ op: 'unsubscribe', ch: 'queue:a', ref: 2 }).next()
  t.same([topics.size('all'), topics.size('more')], [0, 0])
  context.join('all')
  t.equal(topics.size('all'), 0, 'who has left does not join')
  const second = await subscriber('b')
  second.context.join('all')
  second.client.socket.terminate()
  await until('the socket is gone', () => undone.length === 2)
  t.equal(topics.size('all'), 0)
  const raw = new RawClient(t, port).send(get)
  await until('the stream has joined', () => topics.size('all') === 1)
  raw.socket.destroy()
  await until('the stream has left', () => topics.size('all') === 0)
  const third = await SocketClient.open(t, port, { token })
  third.send({ op: 'subscribe', ch: 'queue:forbidden', ref: 1 })
  await third.next()
  contexts.at(-1)?.join('all')
  t.equal(topics.size('all'), 0)
})

t.test('who does not read what all are told is closed with the code for it, and slows nobody', async (t) => {
  const { topics, subscriber, undone } = await started(t)
  const slow = await subscriber('slow')
  const quick = await subscriber('quick')
  slow.context.join('all')
  quick.context.join('all')
  slow.client.socket.pause()
  const padding = 'x'.repeat(10_000)
  let sent = 0
  while (undone.length === 0 && sent < 10_000) {
    topics.publish('all', { ch: 'queue:a', type: 'n', data: { number: sent++, padding } })
    t.match(await quick.client.next(), { data: { number: sent - 1 } })
  }
  t.same(undone, ['slow'])
  topics.publish('all', event(sent))
  t.same(await quick.client.next(), event(sent))
  const numbers: number[] = []
  slow.client.socket.on('message', (data: Buffer) => {
    numbers.push((JSON.parse(data.toString()) as { data: { number: number } }).data.number)
  })
  slow.client.socket.resume()
  const { code, reason } = closeCodes.tooSlow
  t.same(await slow.client.closed, { code, reason })
  t.same(numbers, [...Array(sent).keys()], 'nothing was left out before the end')
})

t.test('a stream that is not read is cut off at its budget, and slows nobody', async (t) => {
  const { topics, subscriber, port, ends } = await started(t)
  const quick = await subscriber('quick')
  quick.context.join('all')
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.pause()
  socket.write(get)
  await until('both have joined', () => topics.size('all') === 2)
  const padding = 'x'.repeat(10_000)
  for (let sent = 0; ends.length === 0 && sent < 10_000; sent++) {
    topics.publish('all', { ch: 'queue:a', type: 'n', data: { sent, padding } })
    await quick.client.next()
  }
  t.same(ends, ['too-slow'])
  t.equal(topics.size('all'), 1)
})
