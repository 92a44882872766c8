import t from 'tap'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { api, at, textAt } from '../support/contract.ts'

const app = await useApp(t)

t.test('a buyer goes from the line to a paid seat', async (t) => {
  const saleId = await app.sale()
  const buyer = await app.guest()
  const joined = await buyer.join(saleId)
  t.equal(joined.status, 201)
  t.equal(joined.body['state'], 'waiting')
  t.type(joined.body['ticket'], 'string')

  const stream = await buyer.stream(saleId)
  const { data } = await stream.events.next('admitted')
  const purchaseToken = textAt(data, 'purchaseToken')
  t.ok(Date.parse(textAt(data, 'expiresAt')) > Date.now())

  const held = await buyer.hold(saleId, purchaseToken, unitsOf('A-01-03', 'A-01-04'))
  t.equal(held.status, 201)
  t.same(at(held.body, 'hold.units'), [
    { unit: 'A-01-03', quantity: 1 },
    { unit: 'A-01-04', quantity: 1 },
  ])

  const notices = await (await buyer.ws()).subscribe('me')
  const ordered = await buyer.order(textAt(held.body, 'hold.id'), 'sandbox_approve')
  t.equal(ordered.status, 201)
  t.same(at(ordered.body, 'order.total'), { amountMinor: 2000, currency: 'KRW' })
  const orderId = textAt(ordered.body, 'order.id')
  await notices.next('order', ({ data }) => data['status'] === 'booked' && data['order'] === orderId)

  const { body } = await buyer.get(orderId)
  t.equal(at(body, 'order.status'), 'booked')
  const statuses = (at(body, 'order.bookings') as { status: string; unit: string }[]).map(
    (booking) => booking.status,
  )
  t.same(statuses, ['booked', 'booked'])
  const [payment] = await app.sql`select state from payments where order_id = ${orderId}`
  t.equal(payment?.['state'], 'approved')
})

t.test('the line over a WebSocket tells the same', async (t) => {
  const saleId = await app.sale({ queue: { maxActive: 1 } })
  const [first, second] = await app.guests(2)
  const token = (await first?.letIn(saleId)) ?? ''
  await second?.join(saleId)
  const events = await (await second?.ws())?.subscribe(`queue:${saleId}`)
  const { data } = (await events?.next('position')) ?? { data: {} }
  t.match(data, { position: 1, ahead: 0, behind: 0 })
  await first?.call('DELETE', `${api}/sales/${saleId}/queue/me`)
  const admitted = await events?.next('admitted')
  t.not(admitted?.data['purchaseToken'], token)
  const held = await second?.hold(saleId, textAt(admitted?.data, 'purchaseToken'), unitsOf('A-01-01'))
  t.equal(held?.status, 201)
})
