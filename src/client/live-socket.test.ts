import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { FakeOpenrun, problem } from '../../test/support/fake-openrun.ts'
import { until } from '../../test/support/until.ts'
import { Addresses } from './addresses.ts'
import { LiveSocket, type ChannelEvent } from './live-socket.ts'

async function setting(t: Test) {
  const fake = await FakeOpenrun.start(t)
  fake.onFrame = ({ ref }, socket) => ref !== undefined && socket.send(JSON.stringify({ ref, ok: true }))
  const addresses = new Addresses([fake.url, 'http://127.0.0.1:1'])
  const socket = new LiveSocket({ addresses, token: 'tok', WebSocket })
  const listen = (ch: string) => {
    const heard: ChannelEvent[] = []
    const ended: { error?: unknown } = {}
    const subscription = socket.channel(ch).subscribe({
      next: (event) => heard.push(event),
      error: (error: unknown) => (ended.error = error),
    })
    t.teardown(() => subscription.unsubscribe())
    return { heard, ended, subscription, types: () => heard.map(({ type }) => type) }
  }
  return { fake, addresses, listen }
}

t.test('several channels share one connection, and each hears its own', async (t) => {
  const { fake, listen } = await setting(t)
  const [mine, line] = [listen('me'), listen('queue:sal_1')]
  await until('both', () => mine.heard.length + line.heard.length === 2)
  fake.sockets[0]?.send(JSON.stringify({ ch: 'me', type: 'order', data: { a: 1 } }))
  fake.sockets[0]?.send('no frame')
  fake.sockets[0]?.send(JSON.stringify({ ch: 'queue:sal_1', type: 'paused', id: '1:2', data: {} }))
  await until('an event each', () => mine.heard.length + line.heard.length === 4)
  t.same(mine.types(), ['subscribed', 'order'])
  t.same(line.heard[1], { type: 'paused', id: '1:2', data: {} })
  t.equal(fake.sockets.length, 1)
  t.equal(fake.requests[0]?.headers.authorization, 'Bearer tok')
})

t.test('a channel that is left is unsubscribed, and the last one closes the connection', async (t) => {
  const { fake, listen } = await setting(t)
  const [mine, line] = [listen('me'), listen('queue:sal_1')]
  await until('both', () => mine.heard.length + line.heard.length === 2)
  line.subscription.unsubscribe()
  await until('the frame', () => fake.frames.some(({ op }) => op === 'unsubscribe'))
  t.match(fake.frames.at(-1), { op: 'unsubscribe', ch: 'queue:sal_1' })
  const closed = new Promise((resolve) => fake.sockets[0]?.once('close', resolve))
  mine.subscription.unsubscribe()
  await closed
})

t.test('a cut ends every channel, and sends the client to the next server', async (t) => {
  const { fake, addresses, listen } = await setting(t)
  const [mine, line] = [listen('me'), listen('queue:sal_1')]
  await until('both', () => mine.heard.length + line.heard.length === 2)
  fake.sockets[0]?.close(4000, 'draining')
  await until('the cut', () => mine.ended.error !== undefined && line.ended.error !== undefined)
  t.match(mine.ended.error, { name: 'ConnectionError', isFinal: false, message: /4000 draining/ })
  t.equal(addresses.current, 'http://127.0.0.1:1')
})

t.test('a close code that says stay away is final', async (t) => {
  const { fake, listen } = await setting(t)
  const mine = listen('me')
  await until('subscribed', () => mine.heard.length === 1)
  fake.sockets[0]?.close(4502, 'logged_out')
  await until('the cut', () => mine.ended.error !== undefined)
  t.match(mine.ended.error, { isFinal: true })
})

t.test('a channel that is refused ends alone', async (t) => {
  const { fake, listen } = await setting(t)
  fake.onFrame = ({ ref }, socket) => {
    const reply = ref === 'me' ? { ref, ok: true } : { ref, error: problem(404, 'no_such_sale') }
    socket.send(JSON.stringify(reply))
  }
  const [mine, line] = [listen('me'), listen('queue:sal_1')]
  await until('both', () => mine.heard.length === 1 && line.ended.error !== undefined)
  t.match(line.ended.error, { name: 'ApiError', code: 'no_such_sale' })
  t.equal(mine.ended.error, undefined)
})

t.test('without a WebSocket it says so instead of trying for ever', (t) => {
  const socket = new LiveSocket({
    addresses: new Addresses(['http://x']),
    token: undefined,
    WebSocket: undefined,
  })
  socket.channel('me').subscribe({
    error: (error: Error) => {
      t.match(error.message, /no WebSocket/)
      t.end()
    },
  })
})
