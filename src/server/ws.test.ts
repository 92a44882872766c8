import t from 'tap'
import { WebSocket } from 'ws'
import { z } from 'zod'
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

t.test('what is published is validated, and reaches the channel as its schema makes it', async (t) => {
  const got: { data: unknown; subscription: unknown }[] = []
  const contexts: unknown[] = []
  const units = defineChannel({
    prefix: 'units',
    auth: 'public',
    events: {},
    publishes: z.strictObject({ watch: z.array(z.string().trim()).max(2) }),
    subscribe: (context) => {
      contexts.push(context)
      return () => undefined
    },
    publish: ({ data, subscription }) => void got.push({ data, subscription }),
  })
  const { port } = await startEdge(t, { channels: [units] })
  const client = await SocketClient.open(t, port)
  const publish = (data: unknown) => client.send({ op: 'publish', ch: 'units:a', data, ref: 1 }).next()
  for (const [data, field] of [
    [{ watch: ['a', 'b', 'c'] }, 'watch'],
    [{ watch: [1] }, 'watch.0'],
    [{ watch: [], more: 1 }, ''],
    [undefined, 'data'],
    [null, ''],
  ] as const) {
    t.match(await publish(data), { ref: 1, error: { code: 'invalid_request', errors: [{ field }] } })
  }
  t.same(got, [])
  t.same(await publish({ watch: [' a '] }), { ref: 1, ok: true })
  t.same(got, [{ data: { watch: ['a'] }, subscription: undefined }])
  await client.send({ op: 'subscribe', ch: 'units:b', ref: 2 }).next()
  await client.send({ op: 'subscribe', ch: 'units:a', ref: 2 }).next()
  await publish({ watch: [] })
  t.equal(got[1]?.subscription, contexts[1], 'that of the same channel')
  await client.send({ op: 'unsubscribe', ch: 'units:a', ref: 3 }).next()
  await publish({ watch: [] })
  t.equal(got[2]?.subscription, undefined)
})

t.test('subscribing again with a position begins anew after it', async (t) => {
  const { client, contexts, undone, hold } = await connected(t)
  await client.send({ op: 'subscribe', ch: 'queue:a', ref: 1 }).next()
  t.same(await client.send({ op: 'subscribe', ch: 'queue:a', since: '1:7', ref: 2 }).next(), {
    ref: 2,
    ok: true,
  })
  t.same(undone, ['a'])
  t.same(
    contexts.map(({ since }) => since),
    [undefined, '1:7'],
  )
  contexts[0]?.send('late', 1)
  contexts[1]?.send('n', 2, '1:8')
  t.same(await client.next(), { ch: 'queue:a', type: 'n', id: '1:8', data: 2 })
  const open = hold()
  client.send({ op: 'subscribe', ch: 'queue:b', ref: 3 })
  client.send({ op: 'subscribe', ch: 'queue:b', since: '1:9', ref: 4 })
  await until('both are asked for', () => contexts.length === 4)
  open()
  t.same(
    [await client.next(), await client.next()].map(({ ref, ok }) => [ref, ok]),
    [
      [3, true],
      [4, true],
    ],
  )
  t.same(undone, ['a', 'b'])
  contexts[2]?.send('late', 1)
  contexts[3]?.send('n', 3)
  t.match(await client.next(), { ch: 'queue:b', data: 3 })
})

t.test('one connection has many channels, each with its own events', async (t) => {
  const { channel: chat, contexts: chats } = watched('chat')
  const { channel: queue, contexts: queues } = watched('queue')
  const { port } = await startEdge(t, { channels: [chat, queue] })
  const client = await SocketClient.open(t, port, { token })
  const names = ['chat:a', 'queue:a', 'queue:b']
  for (const ch of names) await client.send({ op: 'subscribe', ch, ref: ch }).next()
  for (const [number, context] of [...chats, ...queues].entries()) context.send('n', number)
  for (const [number, ch] of names.entries()) t.same(await client.next(), { ch, type: 'n', data: number })
  await client.send({ op: 'unsubscribe', ch: 'queue:a', ref: 1 }).next()
  for (const context of queues) context.send('n', 9)
  t.match(await client.next(), { ch: 'queue:b', data: 9 })
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
