import t, { type Test } from 'tap'
import { FakeOpenrun, problem } from '../../test/support/fake-openrun.ts'
import { SwiftTime } from '../../test/support/swift-time.ts'
import { OpenrunClient, type ClientOptions } from './openrun-client.ts'

const sale = 'sal_0a1b2c3d4e5f6g7h8i9j'
const waiting = { state: 'waiting', ticket: 't.m', position: 3, behind: 0, etaSeconds: 2 }
const hold = {
  hold: {
    id: 'hol_1',
    units: [{ unit: 'A-01-01', quantity: 1 }],
    expiresAt: '2026-01-01T00:03:00Z',
    extendable: true,
  },
}

function order(status: string) {
  const total = { amountMinor: 0, currency: 'KRW' }
  const times = { payBy: null, createdAt: '2026-01-01T00:00:00Z', endedAt: null }
  return { order: { id: 'ord_1', sale, status, total, refund: 'none', ...times, bookings: [] } }
}

async function setting(t: Test, more: Partial<ClientOptions> = {}) {
  const fake = await FakeOpenrun.start(t)
  const time = new SwiftTime()
  const client = new OpenrunClient({ baseUrl: fake.url, token: 'tok', time, random: () => 0.5, ...more })
  return { fake, client, time }
}

t.test('an answer of the protocol is handed on as it is', async (t) => {
  const { fake, client } = await setting(t)
  fake.reply = () => ({ status: 201, body: waiting })
  t.same(await client.joinQueue(sale), waiting)
  t.match(fake.requests[0], { method: 'POST', path: `/api/v1/sales/${sale}/queue`, body: {} })
  t.equal(fake.requests[0]?.headers.authorization, 'Bearer tok')
})

t.test('an answer of another shape is an error and no surprise later', async (t) => {
  const { fake, client } = await setting(t)
  fake.reply = () => ({ status: 201, body: { ...waiting, position: 'third' } })
  await t.rejects(client.joinQueue(sale), { name: 'ApiError', code: 'unexpected_answer', status: 201 })
  t.equal(fake.requests.length, 1)
})

t.test('a refusal carries the problem with all its members', async (t) => {
  const { fake, client } = await setting(t)
  fake.reply = () => ({ status: 409, body: problem(409, 'unit_taken', { units: ['A-01-01'] }) })
  const request = { purchaseToken: 'p', request: { units: [{ unit: 'A-01-01' }] } }
  await t.rejects(client.hold(sale, request), {
    name: 'ApiError',
    code: 'unit_taken',
    status: 409,
    retryable: false,
    problem: { units: ['A-01-01'] },
  })
})

t.test('a hold whose answer was lost is asked for again under the same key', async (t) => {
  const { fake, client } = await setting(t)
  fake.reply = () => (fake.requests.length === 1 ? 'cut' : { status: 201, body: hold })
  const request = { purchaseToken: 'p', request: { best: { count: 1 } } }
  t.same(await client.hold(sale, request), hold.hold)
  const [first, second] = fake.requests.map(({ headers }) => headers['idempotency-key'])
  t.ok(first)
  t.equal(first, second)
  t.equal(fake.requests[1]?.headers['purchase-token'], 'p')
  await client.hold(sale, request)
  t.not(fake.requests[2]?.headers['idempotency-key'], first)
})

t.test('a server that is busy is asked again when it said so', async (t) => {
  const { fake, client, time } = await setting(t)
  const busy = {
    status: 503,
    body: problem(503, 'restoring', { retryable: true }),
    headers: { 'retry-after': '2' },
  }
  fake.reply = () => (fake.requests.length < 3 ? busy : { status: 201, body: waiting })
  await client.joinQueue(sale)
  t.equal(fake.requests.length, 3)
  t.ok(time.waits.every((ms) => ms >= 2_000))
})

t.test('what was given back by an attempt whose answer was lost is given back', async (t) => {
  const { fake, client } = await setting(t)
  fake.reply = () => (fake.requests.length === 1 ? 'cut' : { status: 409, body: problem(409, 'hold_gone') })
  await t.resolves(client.releaseHold('hol_1'))
})

t.test('what was never there to be given back is an error', async (t) => {
  const { fake, client } = await setting(t)
  fake.reply = () => ({ status: 404, body: problem(404, 'not_in_line') })
  await t.rejects(client.leaveQueue(sale), { code: 'not_in_line' })
})

t.test('when a server is gone the next one is asked, and stays the one that is asked', async (t) => {
  const [gone, there] = [await FakeOpenrun.start(t), await FakeOpenrun.start(t)]
  const urls = [gone.url, there.url]
  await gone.stop()
  there.reply = () => ({ status: 201, body: waiting })
  const { client, time } = await setting(t, { baseUrl: urls })
  await client.joinQueue(sale)
  await client.joinQueue(sale)
  t.equal(there.requests.length, 2)
  t.equal(time.waits.length, 1)
})

t.test('a server that is about to stop sends its clients to the next one', async (t) => {
  const there = await FakeOpenrun.start(t)
  there.reply = () => ({ status: 201, body: waiting })
  const { fake } = await setting(t)
  fake.reply = () => ({ status: 503, body: problem(503, 'draining', { retryable: true }) })
  const client = new OpenrunClient({ baseUrl: [fake.url, there.url], time: new SwiftTime(), random: () => 0 })
  await client.joinQueue(sale)
  t.equal(fake.requests.length, 1)
})

t.test('without any server it is a ConnectionError that names the address', async (t) => {
  const { fake, client } = await setting(t)
  await fake.stop()
  await t.rejects(client.sales(), { name: 'ConnectionError', message: /127\.0\.0\.1/ })
})

t.test('an answer that does not come in time counts as none', async (t) => {
  const retry = { baseMs: 1, pauseMaxMs: 1, withinMs: 0 }
  const time = { nowMs: () => 0, wait: () => new Promise<void>((resolve) => setImmediate(resolve)) }
  const { fake, client } = await setting(t, { time, retry })
  fake.reply = () => () => undefined
  await t.rejects(client.sales(), { name: 'ConnectionError', message: /no answer in time/ })
})

t.test('the outcome of an order is read until there is one', async (t) => {
  const { fake, client, time } = await setting(t)
  fake.reply = () => ({ status: 200, body: order(fake.requests.length < 4 ? 'paying' : 'booked') })
  t.equal((await client.orderOutcome('ord_1')).status, 'booked')
  const [first = 0, , last = 0] = time.waits.filter((ms) => ms > 200)
  t.ok(first < last)
})

t.test('a booking in one call carries a key, an order does not need one', async (t) => {
  const { fake, client } = await setting(t)
  fake.reply = () => ({ status: 201, body: order('booked') })
  await client.book(sale, { purchaseToken: 'p', request: { best: { count: 1 } } })
  await client.order('hol_1', { method: 'sandbox_approve' })
  t.ok(fake.requests[0]?.headers['idempotency-key'])
  t.equal(fake.requests[1]?.headers['idempotency-key'], undefined)
  t.same(fake.requests[1]?.body, { hold: 'hol_1', payment: { method: 'sandbox_approve' } })
})

t.test('what stands in a path cannot lead anywhere else', async (t) => {
  const { fake, client } = await setting(t)
  fake.reply = () => ({ status: 404, body: problem(404, 'no_such_sale') })
  await t.rejects(client.sale('../orders?x=1'))
  t.equal(fake.requests[0]?.path, '/api/v1/sales/..%2Forders%3Fx%3D1')
})
