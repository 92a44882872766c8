import t from 'tap'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt } from '../support/contract.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)
const ten = '2027-03-01T10:00'
const eleven = '2027-03-01T11:00'

t.test('a free slot is booked by a hold and an order without a payment', async (t) => {
  const saleId = await app.sale(freeSlots(2))
  const buyer = await app.guest()
  const token = await buyer.letIn(saleId)
  const held = await buyer.hold(saleId, token, { units: [{ unit: ten, quantity: 2 }] })
  t.same(at(held.body, 'hold.units'), [{ unit: ten, quantity: 2 }])
  const ordered = await buyer.order(textAt(held.body, 'hold.id'))
  t.equal(ordered.status, 201)
  t.equal(at(ordered.body, 'order.status'), 'booked')
  t.same(at(ordered.body, 'order.total'), { amountMinor: 0, currency: 'KRW' })
  const again = await buyer.order(textAt(held.body, 'hold.id'))
  t.equal(again.status, 200, 'asking again is asking for the same order')
  t.same(again.body, ordered.body)
})

t.test('a free slot is booked in one call, and the same key books it once', async (t) => {
  const saleId = await app.sale(freeSlots(2))
  const buyer = await app.guest()
  const token = await buyer.letIn(saleId)
  const key = { 'idempotency-key': 'one' }
  const booked = await buyer.book(saleId, token, unitsOf(eleven), key)
  t.equal(booked.status, 201)
  t.equal(at(booked.body, 'order.status'), 'booked')
  t.equal(at(booked.body, 'order.bookings.0.unit'), eleven)
  const repeated = await buyer.book(saleId, token, unitsOf(eleven), key)
  t.same(repeated.body, booked.body)
  const [row] = await app.sql`select count(*)::int as count from bookings where sale_id = ${saleId}`
  t.equal(row?.['count'], 1)
})

t.test('the best slots that have room for all are found by the server', async (t) => {
  const saleId = await app.sale(freeSlots(2, 3))
  const [one, two] = await app.guests(2)
  await one?.book(saleId, await one.letIn(saleId), unitsOf(ten))
  const booked = await two?.book(saleId, (await two?.letIn(saleId)) ?? '', { best: { count: 3 } })
  t.equal(at(booked?.body, 'order.bookings.2.unit'), eleven)
})

t.test('the token ends with the last place one may have, and the next in line is let in', async (t) => {
  const saleId = await app.sale({ ...freeSlots(2), queue: { maxActive: 1, maxPerAccount: 2 } })
  const [buyer, next] = await app.guests(2)
  if (!buyer || !next) throw new Error('no guests')
  const token = await buyer.letIn(saleId)
  await next.join(saleId)
  const waiting = await next.stream(saleId)
  const mine = await buyer.stream(saleId)
  await mine.events.next('admitted')

  await buyer.book(saleId, token, unitsOf(ten))
  t.equal((await next.call('GET', `${api}/sales/${saleId}/queue/me`)).body['state'], 'waiting')
  await buyer.book(saleId, token, unitsOf(eleven))
  await mine.events.next('fulfilled')
  t.ok(await waiting.events.next('admitted'))

  const more = await buyer.hold(saleId, token, unitsOf(eleven))
  t.equal(more.body['code'], 'admission_over')
})

t.test(
  'whoever has all that one may have does not stand in line again, until something is given back',
  async (t) => {
    const saleId = await app.sale({ ...freeSlots(2), queue: { maxPerAccount: 1 } })
    const buyer = await app.guest()
    const booked = await buyer.book(saleId, await buyer.letIn(saleId), unitsOf(ten))
    t.equal((await buyer.join(saleId)).body['code'], 'limit_reached')
    await buyer.cancel(textAt(booked.body, 'order.id'))
    await until('it is known', async () => (await buyer.join(saleId)).status < 300)
    t.equal((await buyer.book(saleId, await buyer.letIn(saleId), unitsOf(eleven))).status, 201)
  },
)

t.test('whoever leaves gives the token back', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1), queue: { maxActive: 1 } })
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const token = await one.letIn(saleId)
  const held = await one.hold(saleId, token, unitsOf(ten))
  await two.join(saleId)
  const waiting = await two.stream(saleId)
  t.equal((await one.call('DELETE', `${api}/sales/${saleId}/queue/me`)).status, 204)
  t.ok(await waiting.events.next('admitted'))
  const late = await one.order(textAt(held.body, 'hold.id'))
  t.equal(late.body['code'], 'hold_gone', 'the hold ended with it')
  t.equal((await one.call('GET', `${api}/sales/${saleId}/queue/me`)).body['code'], 'not_in_line')
})

t.test('whoever leaves the line lets those behind move up', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1), queue: { maxActive: 1 } })
  const [inside, leaver, last] = await app.guests(3)
  if (!inside || !leaver || !last) throw new Error('no guests')
  await inside.letIn(saleId)
  await leaver.join(saleId)
  const joined = await last.join(saleId)
  t.equal(joined.body['position'], 2)
  const stream = await last.stream(saleId)
  await stream.events.next('position', ({ data }) => data['position'] === 2)
  t.equal((await leaver.call('DELETE', `${api}/sales/${saleId}/queue/me`)).status, 204)
  t.ok(await stream.events.next('position', ({ data }) => data['position'] === 1))
  const late = await leaver.join(saleId)
  t.equal(late.body['position'], 2, 'and goes to the end when coming back')
})
