import t from 'tap'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { api, at, textAt } from '../support/contract.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)

const paymentOf = async (orderId: string): Promise<string> => {
  const [row] = await app.sql<{ state: string }[]>`select state from payments where order_id = ${orderId}`
  return row?.state ?? 'none'
}

t.test('a refused payment frees the seat for the next one', async (t) => {
  const saleId = await app.sale()
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const orderId = await one.buy(saleId, ['A-01-01'], 'sandbox_refuse')
  await one.became(orderId, 'refused')
  t.equal(await paymentOf(orderId), 'refused')
  t.equal((await one.cancel(orderId)).body['code'], 'order_ended')
  const other = await two.buy(saleId, ['A-01-01'], 'sandbox_approve')
  await two.became(other, 'booked')
})

t.test(
  'an order whose payment is under way is neither cancelled nor lost, however late the answer',
  async (t) => {
    const saleId = await app.sale()
    const [one, two] = await app.guests(2)
    if (!one || !two) throw new Error('no guests')
    const late = await one.buy(saleId, ['A-01-01'], 'sandbox_late')
    await one.became(late, 'paying')
    t.equal((await one.cancel(late)).body['code'], 'payment_under_way')
    const taken = await two.hold(saleId, await two.letIn(saleId), unitsOf('A-01-01'))
    t.equal(taken.body['code'], 'unit_taken')
    t.same(taken.body['units'], ['A-01-01'])
    await one.became(late, 'booked')
  },
)

t.test('a provider that never answers is asked again, and the seat stays reserved meanwhile', async (t) => {
  const saleId = await app.sale()
  const buyer = await app.guest()
  const orderId = await buyer.buy(saleId, ['A-01-02'], 'sandbox_never')
  await buyer.became(orderId, 'paying')
  await until('the outcome is known', async () => (await paymentOf(orderId)) === 'approved')
  t.equal(at((await buyer.get(orderId)).body, 'order.status'), 'booked')
  const charges = await app.sql`select outcome from sandbox_charges where order_id = ${orderId}`
  t.equal(charges.length, 1, 'and was charged once')
})

t.test('the history shows what was bought, newest first, and hides what ended when asked', async (t) => {
  const saleId = await app.sale()
  const buyer = await app.guest()
  const first = await buyer.buy(saleId, ['A-01-01'], 'sandbox_approve')
  await buyer.became(first, 'booked')
  const second = await buyer.buy(saleId, ['A-01-02'], 'sandbox_approve')
  await buyer.became(second, 'booked')
  const ids = async () =>
    (at((await buyer.call('GET', `${api}/orders`)).body, 'items') as { id: string }[]).map(
      (order) => order.id,
    )
  t.same(await ids(), [second, first])
  const page = await buyer.call('GET', `${api}/orders?limit=1`)
  t.equal(at(page.body, 'items.0.id'), second)
  const next = await buyer.call('GET', `${api}/orders?limit=1&cursor=${textAt(page.body, 'next')}`)
  t.equal(at(next.body, 'items.0.id'), first)
  t.equal(next.body['next'], null)

  t.equal((await buyer.call('DELETE', `${api}/orders/${first}`)).body['code'], 'order_not_ended')
  await buyer.cancel(first)
  t.equal((await buyer.call('DELETE', `${api}/orders/${first}`)).status, 204)
  t.same(await ids(), [second])
  const stranger = await app.guest()
  t.equal((await stranger.get(second)).body['code'], 'no_such_order')
})
