import { randomBytes } from 'node:crypto'
import t from 'tap'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { api, textAt } from '../support/contract.ts'
import { RawClient } from '../support/edge.ts'
import { takePicture } from '../support/state-picture.ts'
import { until } from '../support/until.ts'

const app = await useApp(t, { config: { streamBufferBytes: 4096 } })

async function gauge(name: string): Promise<number> {
  const { bytes } = await app.call('GET', '/metrics')
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(bytes.toString())?.[1])
}

const head = (method: string, path: string, token: string, ...more: string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${token}`, ...more, '', ''].join('\r\n')

t.test('a client that goes away in the middle of a request leaves all or nothing', async (t) => {
  const saleId = await app.sale({ queue: { maxPerAccount: 20 } })
  const buyer = await app.guest()
  const token = await buyer.letIn(saleId)
  const body = JSON.stringify(unitsOf('A-01-01', 'A-01-02'))
  const hold = head(
    'POST',
    `${api}/sales/${saleId}/holds`,
    buyer.token,
    `Purchase-Token: ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  )
  const before = await takePicture(app)
  for (const length of [0, 20, hold.length - 2, hold.length, hold.length + body.length - 1]) {
    const client = new RawClient(t, app.port).send((hold + body).slice(0, length))
    await until('the server has it', async () => (await gauge('openrun_connections')) > 0)
    client.socket.destroy()
  }
  t.same(await takePicture(app), before, 'half a request does nothing')

  const gone = new RawClient(t, app.port)
  gone.socket.end(hold + body)
  const places = async () => app.redis.hlen(`{${saleId}}:places`)
  await until('the hold is there', async () => (await places()) === 2)
  t.equal(await app.redis.hlen(`{${saleId}}:holds`), 1)
  await buyer.call('DELETE', `${api}/sales/${saleId}/queue/me`)
  await until('it came back', async () => (await places()) === 0)
})

t.test('clients that open streams and never read cost little and are forgotten when they go', async (t) => {
  const saleId = await app.sale({ queue: { maxActive: 1 } })
  const before = await gauge('openrun_event_streams')
  const buyers = await app.guests(20)
  const clients = buyers.map((buyer) => {
    const client = new RawClient(t, app.port)
    client.socket.pause()
    return client.send(head('GET', `${api}/sales/${saleId}/queue/stream`, buyer.token))
  })
  await until('they are open', async () => (await gauge('openrun_event_streams')) === before + 20)
  t.ok(await (await app.guest()).letIn(saleId), 'others are served meanwhile')
  for (const { socket } of clients) socket.destroy()
  await until('they are forgotten', async () => (await gauge('openrun_event_streams')) === before)
})

t.test('a WebSocket that breaks the rules and reads no answer is forgotten as well', async (t) => {
  const buyer = await app.guest()
  const socket = await buyer.ws()
  socket.socket.pause()
  const raw = (socket.socket as unknown as { _socket: { pause(): void } })._socket
  raw.pause()
  const ask = (): void => socket.socket.send(JSON.stringify({ op: 'nothing', ref: 'r'.repeat(64) }))
  for (let count = 0; count < 3; count++) ask()
  await until('it is gone', async () => (await gauge('openrun_websockets')) === 0)
  t.equal((await app.call('GET', '/healthz')).status, 200)
})

t.test(
  'bytes that are no HTTP, heads without an end, and lying lengths end one connection and nothing else',
  async (t) => {
    const buyer = await app.guest()
    const list = `${api}/orders`
    const bad = [
      randomBytes(2000).toString('latin1'),
      'GET / HTTP/9.9\r\n\r\n',
      `GET ${list} HTTP/1.1\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`,
      `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      head('POST', list, buyer.token, 'Content-Type: application/json', 'Content-Length: -5'),
      head(
        'POST',
        list,
        buyer.token,
        'Content-Type: application/json',
        'Content-Length: 99999999999999999999',
      ),
      head(
        'POST',
        list,
        buyer.token,
        'Content-Type: application/json',
        'Content-Length: 5',
        'Transfer-Encoding: chunked',
      ) + 'x',
      head('POST', list, buyer.token, 'Content-Type: application/json', 'Transfer-Encoding: chunked') +
        'zz\r\n',
      head(
        'GET',
        '/ws',
        buyer.token,
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: x',
        'Sec-WebSocket-Version: 99',
      ),
    ]
    const before = await takePicture(app)
    const clients = bad.map((bytes) => new RawClient(t, app.port).send(bytes))
    await until('each was answered or cut off', () =>
      clients.every((client) => client.isClosed || client.received !== ''),
    )
    for (const client of clients) {
      // 505 is the web server's own word for what is not HTTP/1.1.
      t.notMatch(client.received, /^HTTP\/1\.1 5(?!03|05)/, client.received.slice(0, 60))
      client.socket.destroy()
    }
    t.same(await takePicture(app), before)
    t.equal((await buyer.call('GET', list)).status, 200)
  },
)

t.test('headers that are there twice, empty, or hold odd bytes are no trouble', async (t) => {
  const saleId = await app.sale()
  const buyer = await app.guest()
  const token = await buyer.letIn(saleId)
  const body = JSON.stringify({ best: { count: 1 } })
  const path = `${api}/sales/${saleId}/holds`
  const base = [
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    `Purchase-Token: ${token}`,
    'Connection: close',
  ]
  const odd = [
    ['Idempotency-Key: one', 'Idempotency-Key: two'],
    ['Idempotency-Key:'],
    ['Idempotency-Key: \u00ff\u00fe\u0080'],
    ['Idempotency-Key: 열쇠'],
    ['Purchase-Token: other'],
    ['Authorization: Bearer other'],
    ['Traceparent: 00-zz'],
    ['Accept: \u00ff'],
  ]
  for (const more of odd) {
    const client = new RawClient(t, app.port).send(head('POST', path, buyer.token, ...base, ...more), body)
    const answer = await client.closed()
    t.match(answer, /^HTTP\/1\.1 (201|4\d\d) /, `${more.join()}: ${answer.slice(0, 80)}`)
  }
  const { body: standing } = await buyer.call('GET', `${api}/sales/${saleId}/queue/me`)
  t.type(textAt(standing, 'purchaseToken'), 'string')
})
