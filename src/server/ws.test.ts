import t from 'tap'
import { WebSocket } from 'ws'
import { connected, token, watched } from '../../test/support/edge-channels.ts'
import { errorOf, SocketClient, startEdge } from '../../test/support/edge.ts'
import { until } from '../../test/support/until.ts'
import { defineChannel } from './channel.ts'
import { closeCodes } from './protocol/close-codes.ts'

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
  const silent = defineChannel({ prefix: 'me', auth: 'public', events: {}, subscribe: () => () => undefined })
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
  const open = defineChannel({
    prefix: 'units',
    auth: 'public',
    events: {},
    subscribe: () => () => undefined,
  })
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
  const { port, url, logged } = await startEdge(t, {
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
  t.same(logged, [])
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
