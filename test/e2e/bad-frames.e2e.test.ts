import t from 'tap'
import { errorCatalogue } from '../../src/error-catalogue.ts'
import { closeCodes } from '../../src/server/protocol/close-codes.ts'
import { useApp } from '../support/app.ts'
import { api, at } from '../support/contract.ts'
import type { WsReader } from '../support/events.ts'
import { takePicture } from '../support/state-picture.ts'

const app = await useApp(t)
const saleId = await app.sale()
const buyer = await app.guest()
await buyer.letIn(saleId)
const known = new Set(errorCatalogue.map((error) => error.code))

/** The code of the next error that came without a `ref`. */
async function errorOf(socket: WsReader): Promise<unknown> {
  const { data } = await socket.replies.next('error')
  const code = at(data, 'error.code')
  if (!known.has(String(code))) throw new Error(`${String(code)} is in no catalogue`)
  return code
}

t.test('a frame that is not understood is answered, the third in a row ends the connection', async (t) => {
  const bad: [string | Buffer, string][] = [
    ['no JSON', 'malformed_json'],
    ['', 'malformed_json'],
    ['\u0000', 'malformed_json'],
    ['[]', 'invalid_request'],
    ['null', 'invalid_request'],
    ['"subscribe"', 'invalid_request'],
    ['{}', 'unknown_op'],
    ['{"op":"drop"}', 'unknown_op'],
    ['{"op":"constructor"}', 'unknown_op'],
    ['{"op":["subscribe"]}', 'unknown_op'],
    ['{"op":"subscribe"}', 'invalid_request'],
    ['{"op":"subscribe","ch":7}', 'invalid_request'],
    [`{"op":"subscribe","ch":"queue:${'x'.repeat(200)}"}`, 'invalid_request'],
    ['{"op":"subscribe","ch":"queue:\\u0000"}', 'malformed_json'],
    ['{"op":"subscribe","ch":"me","since":{}}', 'invalid_request'],
    [Buffer.from('{"op":"subscribe","ch":"me"}'), 'unsupported_media_type'],
    [Buffer.from([0, 255]), 'unsupported_media_type'],
    [`{"op":"publish","ch":"me","data":"${'x'.repeat(16 * 1024)}"}`, 'body_too_large'],
  ]
  const before = await takePicture(app)
  for (const [frame, code] of bad) {
    const socket = await buyer.ws()
    for (let strike = 1; strike <= 3; strike++) {
      socket.socket.send(frame, { binary: typeof frame !== 'string' })
      t.equal(await errorOf(socket), code, frame.toString().slice(0, 40))
    }
    t.same(await socket.closed, { code: 4500, reason: closeCodes.protocolViolation.reason })
  }
  t.same(await takePicture(app), before)
})

t.test(
  'a channel that is not there, not open to one, or takes nothing is refused, and the connection stays',
  async (t) => {
    const socket = await buyer.ws()
    const bad: [object, string][] = [
      [{ op: 'subscribe', ch: 'nothing:x' }, 'unknown_channel'],
      [{ op: 'subscribe', ch: 'queue:sal_00000000000000000000' }, 'no_such_sale'],
      [{ op: 'subscribe', ch: 'queue:nope' }, 'no_such_sale'],
      [{ op: 'publish', ch: `queue:${saleId}`, data: { position: 0 } }, 'unknown_channel'],
      [{ op: 'publish', ch: 'me', data: {} }, 'unknown_channel'],
    ]
    for (const [frame, code] of bad) {
      const reply = await socket.ask({ ...frame })
      t.equal(at(reply, 'error.code'), code, JSON.stringify(frame))
    }
    t.match(await socket.ask({ op: 'unsubscribe', ch: 'nothing:x' }), { ref: Number })
    t.ok(await socket.subscribe(`queue:${saleId}`))
    t.match(await socket.ask({ op: 'subscribe', ch: `queue:${saleId}` }), { ok: true }, 'twice is once')
  },
)

t.test('frames that come too fast are refused, and the connection ends when they go on', async (t) => {
  const socket = await buyer.ws()
  for (let count = 0; count < 60; count++) socket.send({ op: 'unsubscribe', ch: 'me' })
  t.equal(await errorOf(socket), 'too_many_requests')
  t.same(await socket.closed, { code: 4501, reason: closeCodes.tooFast.reason })
  t.ok(await (await buyer.ws()).subscribe('me'), 'one may come back')
})

t.test('a frame of several megabytes ends the connection before it is kept', async (t) => {
  const socket = await buyer.ws()
  socket.socket.send('x'.repeat(4 * 1024 * 1024))
  const { code } = await socket.closed
  t.ok([1006, 1009, 4500].includes(code), String(code))
})

t.test('an upgrade from a foreign page, or with a wrong token, is refused', async (t) => {
  const { WsReader } = await import('../support/events.ts')
  const open = (headers: Record<string, string>) =>
    WsReader.open(t, app.port, { headers, contract: app.live })
  await t.rejects(open({ origin: 'https://evil.example', authorization: `Bearer ${buyer.token}` }), {
    message: /403/,
  })
  await t.rejects(open({ authorization: 'Bearer nope' }), { message: /401/ })
  await t.rejects(open({ cookie: `openrun_session=${buyer.token}`, origin: 'http://127.0.0.1:1' }), {
    message: /403/,
  })
  const own = await open({ cookie: `openrun_session=${buyer.token}`, origin: app.url })
  t.ok(await own.subscribe('me'))
})

t.test('nobody hears of others', async (t) => {
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const mine = await (await one.ws()).subscribe('me')
  const theirs = await (await two.ws()).subscribe('me')
  const orderId = await one.buy(saleId, ['A-01-01'], 'sandbox_approve')
  await mine.next('order', ({ data }) => data['order'] === orderId && data['status'] === 'booked')
  t.same(theirs.all, [])
  t.equal((await two.get(orderId)).body['code'], 'no_such_order')
  t.equal((await two.cancel(orderId)).body['code'], 'no_such_order')
  t.equal((await two.call('DELETE', `${api}/orders/${orderId}`)).body['code'], 'no_such_order')
})

t.test(
  'a stream of a sale that is not there, or without an account, is refused before it begins',
  async (t) => {
    const path = (sale: string): string => `${api}/sales/${sale}/queue/stream`
    t.equal((await buyer.call('GET', path('sal_00000000000000000000'))).body['code'], 'no_such_sale')
    t.equal((await app.call('GET', path(saleId))).body['code'], 'unauthenticated')
    t.equal((await app.call('GET', path(saleId), { token: app.organiserKey })).body['code'], 'forbidden')
  },
)
