import t from 'tap'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { at } from '../support/contract.ts'
import { until } from '../support/until.ts'

const app = await useApp(t, { roles: ['edge', 'admission', 'worker'] })

const paymentOf = async (orderId: string): Promise<string> => {
  const [row] = await app.sql<{ state: string }[]>`select state from payments where order_id = ${orderId}`
  return row?.state ?? 'none'
}

t.test('a pending order is cancelled at once, and its seat is free', async (t) => {
  const saleId = await app.sale()
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const orderId = await one.buy(saleId, ['A-01-02'], 'sandbox_approve')
  t.equal(at((await one.cancel(orderId)).body, 'order.status'), 'cancelled')
  const token = await two.letIn(saleId)
  await until(
    'the seat is free',
    async () => (await two.hold(saleId, token, unitsOf('A-01-02'))).status === 201,
  )
  t.equal(await paymentOf(orderId), 'queued')
})

t.test('an order nobody could pay in time expires, its seat is free, and no money moves later', async (t) => {
  const saleId = await app.sale({ payBySeconds: 1 })
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const token = await two.letIn(saleId)
  const orderId = await one.buy(saleId, ['A-01-05'], 'sandbox_approve')
  await until('the seat is free', async () => {
    const { status, body } = await two.hold(saleId, token, unitsOf('A-01-05'))
    if (status !== 201) t.equal(body['code'], 'unit_taken')
    return status === 201
  })
  const order = (await one.get(orderId)).body
  t.equal(at(order, 'order.status'), 'expired')
  t.ok(
    Date.parse(String(at(order, 'order.endedAt'))) >=
      Date.parse(String(at(order, 'order.createdAt'))) + 1_000,
  )

  await app.beside({ roles: ['payments'] })
  await until('the payment was looked at', async () => (await paymentOf(orderId)) === 'void')
  t.equal((await app.sql`select 1 from sandbox_charges where order_id = ${orderId}`).length, 0)
})

t.test('orders wait for the payments process and are paid once it runs', async (t) => {
  const saleId = await app.sale()
  const buyer = await app.guest()
  const orderId = await buyer.buy(saleId, ['A-01-01'], 'sandbox_approve')
  await app.beside({ roles: ['payments'] })
  await buyer.became(orderId, 'booked')
  t.equal(await paymentOf(orderId), 'approved')
})
