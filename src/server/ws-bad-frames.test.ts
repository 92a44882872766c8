import t from 'tap'
import { connected, token, watched } from '../../test/support/edge-channels.ts'
import { errorOf, SocketClient, startEdge } from '../../test/support/edge.ts'
import { closeCodes } from './protocol/close-codes.ts'

const badFrames: readonly (readonly [string, unknown, string])[] = [
  ['no JSON', '{"op":', 'malformed_json'],
  ['empty', '', 'malformed_json'],
  ['a string that cannot be stored', '{"op":"publish","ch":"queue:a","data":"\\u0000"}', 'malformed_json'],
  ['no object', [], 'invalid_request'],
  ['null', 'null', 'invalid_request'],
  ['an unknown op', { op: 'dance', ch: 'queue:a' }, 'unknown_op'],
  ['an op of the prototype', { op: 'constructor' }, 'unknown_op'],
  ['no op', {}, 'unknown_op'],
  ['no channel', { op: 'subscribe' }, 'invalid_request'],
  ['a channel of another type', { op: 'subscribe', ch: 5 }, 'invalid_request'],
  ['a channel with a strange name', { op: 'subscribe', ch: 'queue:../a' }, 'invalid_request'],
  ['a channel with a long name', { op: 'subscribe', ch: `queue:${'a'.repeat(500)}` }, 'invalid_request'],
  ['a wrong position', { op: 'subscribe', ch: 'queue:a', since: 5 }, 'invalid_request'],
  ['a wrong ref', { op: 'subscribe', ch: 'queue:a', ref: {} }, 'invalid_request'],
  ['too much', { op: 'publish', ch: 'queue:a', data: 'x'.repeat(20_000) }, 'body_too_large'],
]

for (const [name, frame, code] of badFrames) {
  t.test(
    `a frame with ${name} is answered with ${code}, the third time the connection is closed`,
    async (t) => {
      const { client } = await connected(t)
      t.equal(errorOf(await client.send(frame).next())['code'], code)
      t.same(await client.send({ op: 'unsubscribe', ch: 'queue:a', ref: 'alive' }).next(), {
        ref: 'alive',
        ok: true,
      })
      client.send(frame).send(frame)
      const { code: closeCode, reason } = closeCodes.protocolViolation
      t.same(await client.closed, { code: closeCode, reason })
    },
  )
}

t.test('a bad frame is answered with its ref, where it has one', async (t) => {
  const { client } = await connected(t)
  t.match(await client.send({ op: 'dance', ref: 'x1' }).next(), { ref: 'x1', error: { code: 'unknown_op' } })
  t.notOk('ref' in (await client.send({ op: 'dance', ref: 'x'.repeat(65) }).next()))
})

t.test('binary frames are refused', async (t) => {
  const { client } = await connected(t)
  client.socket.send(Buffer.from('{"op":"subscribe","ch":"queue:a"}'), { binary: true })
  t.equal(errorOf(await client.next())['code'], 'unsupported_media_type')
})

t.test('a strike is forgotten after a minute', async (t) => {
  const { client, clock } = await connected(t)
  for (let round = 0; round < 4; round++) {
    t.equal(errorOf(await client.send('x').next())['code'], 'malformed_json')
    await clock.advance(61_000)
    client.socket.ping()
  }
})

t.test(
  'a message far over the limit, or text that is no UTF-8, ends the connection and nothing else',
  async (t) => {
    const { client, port, url } = await connected(t)
    client.send('x'.repeat(100_000))
    await client.closed
    const other = await SocketClient.open(t, port, { token })
    other.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
    await other.closed
    t.equal((await fetch(`${url}/healthz`)).status, 200)
  },
)

t.test('more than 20 messages a second get errors, and then the connection is closed', async (t) => {
  const { client, clock } = await connected(t)
  const frame = (ref: number) => ({ op: 'unsubscribe', ch: 'queue:a', ref })
  for (let ref = 0; ref < 22; ref++) client.send(frame(ref))
  for (let ref = 0; ref < 20; ref++) t.same(await client.next(), { ref, ok: true })
  t.equal(errorOf(await client.next())['code'], 'too_many_requests')
  t.equal(errorOf(await client.next())['code'], 'too_many_requests')
  await clock.advance(1_000)
  t.same(await client.send(frame(30)).next(), { ref: 30, ok: true })
  for (let ref = 0; ref < 20; ref++) client.send(frame(ref))
  const { code, reason } = closeCodes.tooFast
  t.same(await client.closed, { code, reason })
})

t.test('a flood of pings is no way around the limit', async (t) => {
  const { client } = await connected(t)
  for (let number = 0; number < 30; number++) client.socket.ping()
  t.equal((await client.closed).code, closeCodes.tooFast.code)
})

t.test('a connection has so many channels and no more', async (t) => {
  const { channel } = watched()
  const options = { port: 0, channelsPerConnectionMax: 2 }
  const { port } = await startEdge(t, { channels: [channel], options })
  const client = await SocketClient.open(t, port, { token })
  for (const name of ['a', 'b']) await client.send({ op: 'subscribe', ch: `queue:${name}`, ref: 1 }).next()
  t.match(await client.send({ op: 'subscribe', ch: 'queue:c', ref: 1 }).next(), {
    error: { code: 'too_many_channels' },
  })
  await client.send({ op: 'unsubscribe', ch: 'queue:a', ref: 1 }).next()
  t.same(await client.send({ op: 'subscribe', ch: 'queue:c', ref: 1 }).next(), { ref: 1, ok: true })
})

t.test('a client that never reads is closed at its budget and sent nothing more', async (t) => {
  const { channel, contexts, undone } = watched()
  const { port } = await startEdge(t, { channels: [channel], options: { port: 0, unreadBytesMax: 100_000 } })
  const client = await SocketClient.open(t, port, { token })
  await client.send({ op: 'subscribe', ch: 'queue:a', ref: 1 }).next()
  client.socket.pause()
  let sent = 0
  while (undone.length === 0 && sent < 10_000) {
    contexts[0]?.send('n', 'x'.repeat(10_000))
    if (++sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  t.same(undone, ['a'])
  contexts[0]?.send('n', 1)
  client.socket.resume()
  const { code, reason } = closeCodes.tooSlow
  t.same(await client.closed, { code, reason })
})
