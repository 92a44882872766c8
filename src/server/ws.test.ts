import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { errorOf, SocketClient, startEdge } from '../../test/support/edge.ts'
import { until } from '../../test/support/until.ts'
import { generalErrors, Problem } from '../errors.ts'
import { defineChannel, type SubscribeContext } from './channel.ts'
import { closeCodes } from './protocol/close-codes.ts'

/** Keeps who is subscribed, and lets the test decide when a subscription opens. */
function watched(prefix = 'queue') {
  const contexts: SubscribeContext[] = []
  const undone: string[] = []
  const published: unknown[] = []
  let gate: Promise<void> = Promise.resolve()
  const channel = defineChannel({
    prefix,
    auth: 'account',
    subscribe: async (context) => {
      contexts.push(context)
      await gate
      if (context.name === 'forbidden') throw new Problem(generalErrors.forbidden)
      if (context.name === 'broken') throw new Error('secret')
      return () => undone.push(context.name)
    },
    publish: async ({ name, caller, data }) => {
      await gate
      published.push({ name, caller, data })
    },
  })
  const hold = (): (() => void) => {
    let open = (): void => undefined
    gate = new Promise((resolve) => (open = resolve))
    return open
  }
  return { channel, contexts, undone, published, hold }
}

const token = 'account-1'

async function connected(t: Test) {
  const queue = watched()
  const edge = await startEdge(t, { channels: [queue.channel] })
  const client = await SocketClient.open(t, edge.port, { token })
  return { ...queue, ...edge, client }
}

t.test('a subscriber is told so, and gets the events of its channel', async (t) => {
  const { client, contexts } = await connected(t)
  client.send({ op: 'subscribe', ch: 'queue:sal_1', since: '1:41', ref: 'a' })
  t.same(await client.next(), { ref: 'a', ok: true })
  t.match(contexts[0], { name: 'sal_1', since: '1:41', caller: { accountId: 'usr_1' } })
  contexts[0]?.send('position', { position: 7 }, '1:42')
  contexts[0]?.send('paused', null)
  t.same(await client.next(), { ch: 'queue:sal_1', type: 'position', id: '1:42', data: { position: 7 } })
  t.same(await client.next(), { ch: 'queue:sal_1', type: 'paused', data: null })
})

t.test('subscribing twice is fine and subscribes once', async (t) => {
  const { client, contexts, hold } = await connected(t)
  const open = hold()
  for (const ref of [1, 2]) client.send({ op: 'subscribe', ch: 'queue:sal_1', ref })
  await until('the first subscription is asked for', () => contexts.length > 0)
  open()
  t.same(
    [await client.next(), await client.next()],
    [
      { ref: 1, ok: true },
      { ref: 2, ok: true },
    ],
  )
  t.same(await client.send({ op: 'subscribe', ch: 'queue:sal_1', ref: 3 }).next(), { ref: 3, ok: true })
  t.equal(contexts.length, 1)
})

t.test('after unsubscribing nothing more is sent, also when it was still opening', async (t) => {
  const { client, contexts, undone, hold } = await connected(t)
  await client.send({ op: 'subscribe', ch: 'queue:a', ref: 1 }).next()
  t.same(await client.send({ op: 'unsubscribe', ch: 'queue:a', ref: 2 }).next(), { ref: 2, ok: true })
  contexts[0]?.send('late', 1)
  t.same(undone, ['a'])
  t.same(await client.send({ op: 'unsubscribe', ch: 'queue:a', ref: 3 }).next(), { ref: 3, ok: true })
  const open = hold()
  client.send({ op: 'subscribe', ch: 'queue:b', ref: 4 })
  t.same(await client.send({ op: 'unsubscribe', ch: 'queue:b', ref: 5 }).next(), { ref: 5, ok: true })
  open()
  t.same(await client.next(), { ref: 4, ok: true })
  contexts[1]?.send('late', 1)
  t.same(undone, ['a', 'b'])
  t.same(await client.send({ op: 'unsubscribe', ch: 'queue:b', ref: 6 }).next(), { ref: 6, ok: true })
})

t.test('whatever ends a connection, each of its subscriptions is undone once', async (t) => {
  const { client, contexts, undone, hold, server } = await connected(t)
  await client.send({ op: 'subscribe', ch: 'queue:a', ref: 1 }).next()
  await client.send({ op: 'subscribe', ch: 'queue:b', ref: 2 }).next()
  const open = hold()
  client.send({ op: 'subscribe', ch: 'queue:c' })
  await until('the third is opening', () => contexts.length === 3)
  client.socket.terminate()
  await until('two are undone', () => undone.length === 2)
  open()
  await until('the third is undone', () => undone.length === 3)
  t.same(undone, ['a', 'b', 'c'])
  contexts[0]?.send('late', 1)
  t.equal(server.closeAccount('usr_1'), 0)
})

t.test('a channel refuses with a Problem, and hides what it did not foresee', async (t) => {
  const { client, contexts, logged } = await connected(t)
  t.match(await client.send({ op: 'subscribe', ch: 'queue:forbidden', ref: 1 }).next(), {
    ref: 1,
    error: { code: 'forbidden', status: 403, traceId: /^[0-9a-f]{32}$/ },
  })
  const broken = await client.send({ op: 'subscribe', ch: 'queue:broken', ref: 2 }).next()
  t.match(broken, { ref: 2, error: { code: 'internal', status: 500 } })
  t.notMatch(JSON.stringify(broken), /secret/)
  t.equal(logged.at(-1)?.['traceId'], errorOf(broken)['traceId'])
  contexts[0]?.send('late', 1)
  t.match(await client.send({ op: 'subscribe', ch: 'nothing:a', ref: 3 }).next(), {
    error: { code: 'unknown_channel' },
  })
})

t.test('what is published reaches the channel, where it takes anything', async (t) => {
  const { channel, published } = watched('chat')
  const silent = defineChannel({ prefix: 'me', auth: 'public', subscribe: () => () => undefined })
  const { port } = await startEdge(t, { channels: [channel, silent] })
  const client = await SocketClient.open(t, port, { token })
  t.same(await client.send({ op: 'publish', ch: 'chat:a', data: { text: 'hi' }, ref: 1 }).next(), {
    ref: 1,
    ok: true,
  })
  t.same(published, [
    {
      name: 'a',
      caller: { kind: 'account', accountKind: 'guest', accountId: 'usr_1' },
      data: { text: 'hi' },
    },
  ])
  t.match(await client.send({ op: 'publish', ch: 'me', data: 1, ref: 2 }).next(), {
    error: { code: 'unknown_channel' },
  })
})

t.test('a channel is open to the callers it is for', async (t) => {
  const { channel } = watched()
  const open = defineChannel({ prefix: 'units', auth: 'public', subscribe: () => () => undefined })
  const { port } = await startEdge(t, { channels: [channel, open] })
  const nobody = await SocketClient.open(t, port)
  t.match(await nobody.send({ op: 'subscribe', ch: 'queue:a', ref: 1 }).next(), {
    error: { code: 'unauthenticated' },
  })
  t.same(await nobody.send({ op: 'subscribe', ch: 'units:a', ref: 2 }).next(), { ref: 2, ok: true })
  const organiser = await SocketClient.open(t, port, { token: 'organiser-1' })
  t.match(await organiser.send({ op: 'subscribe', ch: 'queue:a', ref: 1 }).next(), {
    error: { code: 'forbidden' },
  })
})

t.test('the upgrade asks who is there and from where', async (t) => {
  const { port, url } = await startEdge(t)
  const status = (headers: Record<string, string>) =>
    SocketClient.open(t, port, { headers }).then(
      () => 101,
      (error: Error) => Number(error.message),
    )
  t.equal(await status({ origin: 'https://evil.example' }), 403)
  t.equal(await status({ origin: 'https://evil.example', authorization: 'Bearer account-1' }), 403)
  t.equal(await status({ origin: url, cookie: 'openrun_session=account-1' }), 101)
  t.equal(await status({ authorization: 'Bearer wrong' }), 401)
  t.equal(await status({ cookie: 'openrun_session=stale' }), 101)
  const plain = await fetch(`${url}/ws`)
  t.equal(plain.status, 426)
  t.equal(plain.headers.get('upgrade'), 'websocket')
  t.match(await plain.json(), { code: 'upgrade_required' })
  t.equal((await fetch(`${url}/ws`, { method: 'HEAD' })).status, 426)
})

t.test('a client that goes away while it is being authenticated does no harm', async (t) => {
  let proceed = (): void => undefined
  let tell = (): void => undefined
  const isAsked = new Promise<void>((resolve) => (tell = resolve))
  const { port, url } = await startEdge(t, {
    authenticator: {
      authenticate: () => {
        tell()
        return new Promise(
          (resolve) =>
            (proceed = () => resolve({ kind: 'account', accountKind: 'guest', accountId: 'usr_1' })),
        )
      },
    },
  })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { authorization: 'Bearer a' } })
  socket.on('error', () => undefined)
  await isAsked
  socket.terminate()
  await until('the connection is gone', async () =>
    (await (await fetch(`${url}/metrics`)).text()).includes('_connections 1\n'),
  )
  proceed()
  t.equal((await fetch(`${url}/healthz`)).status, 200)
})

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

t.test('a ping is sent every 25 seconds, and a connection without a sign of life is dropped', async (t) => {
  const { port, clock, url } = await startEdge(t)
  const client = await SocketClient.open(t, port)
  const silent = new WebSocket(`ws://127.0.0.1:${port}/ws`, { autoPong: false })
  t.teardown(() => silent.terminate())
  await new Promise((resolve) => silent.on('open', resolve))
  const isSilentClosed = new Promise<number>((resolve) => silent.on('close', resolve))
  for (let round = 0; round < 4; round++) {
    const pinged = new Promise((resolve) => client.socket.once('ping', resolve))
    await clock.advance(25_000)
    await pinged
    // When this is answered the server has read the pong.
    await client.send({ op: 'unsubscribe', ch: 'queue:a', ref: round }).next()
  }
  t.equal(await isSilentClosed, 1006)
  t.match(await (await fetch(`${url}/metrics`)).text(), /openrun_websockets 1\n/)
})

t.test('an account that is logged out loses its connections with a code that says so', async (t) => {
  const { client, server, port } = await connected(t)
  const other = await SocketClient.open(t, port, { token: 'account-2' })
  t.equal(server.closeAccount('usr_1'), 1)
  const { code, reason } = closeCodes.loggedOut
  t.same(await client.closed, { code, reason })
  t.same(await other.send({ op: 'unsubscribe', ch: 'queue:a', ref: 1 }).next(), { ref: 1, ok: true })
})

t.test('each close code tells by its number what the client does next', async (t) => {
  const codes = Object.values(closeCodes)
  t.equal(new Set(codes.map(({ code }) => code)).size, codes.length)
  for (const { code, client } of codes) {
    t.equal(client, code >= 4000 && code < 4500 ? 'reconnect' : 'stay-away')
    t.ok(code >= 4000 && code < 5000)
  }
})
