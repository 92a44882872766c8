import t from 'tap'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt } from '../support/contract.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)
const oneSeat = {
  priceClasses: [{ name: 'Regular', priceMinor: 1000 }],
  sections: [{ code: 'A', rows: 1, seatsPerRow: 1, priceClass: 'Regular' }],
}

t.test('a cancelled order gives money and seat back, and who waits behind is let in', async (t) => {
  const saleId = await app.sale({ hall: oneSeat, queue: { maxPerAccount: 1 } })
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const orderId = await one.buy(saleId, ['A-01-01'], 'sandbox_approve')
  await one.became(orderId, 'booked')
  await isSaleIn(saleId, 'soldout')
  const joined = await two.join(saleId)
  t.equal(joined.body['state'], 'waiting', 'one may wait for what comes back')
  const stream = await two.stream(saleId)
  await stream.events.next('soldout')

  const cancelled = await one.cancel(orderId)
  t.equal(at(cancelled.body, 'order.status'), 'cancelled')
  t.equal(at(cancelled.body, 'order.bookings.0.status'), 'cancelled')
  const admitted = await stream.events.next('admitted')
  await isSaleIn(saleId, 'open')
  await until('the money is back', async () => at((await one.get(orderId)).body, 'order.refund') === 'done')
  const held = await two.hold(saleId, textAt(admitted.data, 'purchaseToken'), unitsOf('A-01-01'))
  t.equal(held.status, 201)

  t.same((await one.cancel(orderId)).body, (await one.get(orderId)).body, 'cancelling twice changes nothing')
  const refunds = await app.sql`
    select count(*)::int as count from sandbox_charges where order_id = ${orderId} and refunded_at is not null`
  t.equal(refunds[0]?.['count'], 1)
})

t.test('a free booking is cancelled without a refund', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1, 1), queue: { maxPerAccount: 1 } })
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const booked = await one.book(saleId, await one.letIn(saleId), { best: { count: 1 } })
  const cancelled = await one.cancel(textAt(booked.body, 'order.id'))
  t.equal(at(cancelled.body, 'order.refund'), 'none')
  const again = await two.book(saleId, await two.letIn(saleId), { best: { count: 1 } })
  t.equal(again.status, 201)
})

t.test('after a cancellation one may buy as much again', async (t) => {
  const saleId = await app.sale({ ...freeSlots(2), queue: { maxPerAccount: 1 } })
  const buyer = await app.guest()
  const booked = await buyer.book(saleId, await buyer.letIn(saleId), { best: { count: 1 } })
  await buyer.cancel(textAt(booked.body, 'order.id'))
  await until('it is known', async () => (await buyer.join(saleId)).status < 300)
  const again = await buyer.book(saleId, await buyer.letIn(saleId), { best: { count: 1 } })
  t.equal(again.status, 201)
})

t.test('a released hold is free at once', async (t) => {
  const saleId = await app.sale()
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const held = await one.hold(saleId, await one.letIn(saleId), unitsOf('A-01-01'))
  const token = await two.letIn(saleId)
  t.equal((await two.hold(saleId, token, unitsOf('A-01-01'))).body['code'], 'unit_taken')
  const path = `${api}/holds/${textAt(held.body, 'hold.id')}`
  t.equal((await two.call('DELETE', path)).body['code'], 'hold_gone', 'it is not for others to release')
  t.equal((await one.call('DELETE', path)).status, 204)
  t.equal((await two.hold(saleId, token, unitsOf('A-01-01'))).status, 201)
  t.equal((await one.call('DELETE', path)).body['code'], 'hold_gone')
})

t.test('a hold that is not used comes back by itself', async (t) => {
  const saleId = await app.sale()
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const held = await one.hold(saleId, await one.letIn(saleId), unitsOf('A-01-01'))
  const token = await two.letIn(saleId)
  t.equal((await two.hold(saleId, token, unitsOf('A-01-01'))).body['code'], 'unit_taken')
  // A hold lasts for 180 s, and a purchase token for 300 s.
  await pass(saleId, 181_000)
  await until(
    'the seat is free',
    async () => (await two.hold(saleId, token, unitsOf('A-01-01'))).status === 201,
  )
  t.equal((await one.order(textAt(held.body, 'hold.id'), 'sandbox_approve')).body['code'], 'hold_gone')
})

t.test('a purchase token that is not used ends, and the next in line is let in', async (t) => {
  const saleId = await app.sale({ queue: { maxActive: 1 } })
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  await one.join(saleId)
  const stream = await one.stream(saleId)
  const { data } = await stream.events.next('admitted')
  await two.join(saleId)
  await pass(saleId, 301_000)
  await stream.events.next('expired')
  t.ok(await two.letIn(saleId))
  const late = await one.hold(saleId, textAt(data, 'purchaseToken'), unitsOf('A-01-01'))
  t.match(late.body['code'], /^(admission_over|purchase_token_expired)$/)
})

/** Moves the clock that Redis goes by in this sale. */
async function pass(saleId: string, ms: number): Promise<void> {
  await app.redis.hincrby(saleKeys(saleId).state, 'offset_ms', ms)
}

async function isSaleIn(saleId: string, status: string): Promise<void> {
  await until(`the sale is ${status}`, async () => {
    return (await app.call('GET', `${api}/sales/${saleId}`)).body['status'] === status
  })
}
