import t from 'tap'
import { freeSlots } from '../support/calls.ts'
import { api, textAt, type Answer } from '../support/contract.ts'
import { useFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'
import { come } from '../support/waiters.ts'

/** So many questions wait before each transaction: the hundredth statement in a connection was once its last one. */
const crowds = Array.from({ length: 16 }, (_, index) => 93 + index)

t.test('PostgreSQL stands still while hundreds ask: what is said to be done afterwards is', async (t) => {
  const fleet = await useFleet(t)
  // However long the machine takes, nobody gives up on the lock.
  const patient = `${fleet.postgresUrl}?lock_timeout=60000&statement_timeout=60000`
  const server = await fleet.start({ OPENRUN_POSTGRES_CONNECTIONS: '1', DATABASE_URL: patient })
  const saleId = await server.sale({ ...freeSlots(1, 100), queue: { maxActive: 100, ratePerMinute: 60_000 } })
  const people = await come(saleId, crowds.length, [server])
  const booked = await Promise.all(
    people.map(async ({ buyer, token }) => {
      const { body } = await buyer.book(saleId, await token(), { best: { count: 1 } })
      return { buyer, orderId: textAt(body, 'order.id') }
    }),
  )
  const blocked = await fleet.sql.reserve()
  await blocked`begin`
  await blocked`lock table orders in access exclusive mode`
  const asked: Promise<Answer>[] = []
  const cancelled: Promise<Answer>[] = []
  for (const [index, { buyer, orderId }] of booked.entries()) {
    for (let count = crowds[index] ?? 0; count > 0; count--) asked.push(buyer.call('GET', `${api}/orders`))
    cancelled.push(buyer.cancel(orderId))
  }
  await until('they wait', async () => {
    const { bytes } = await server.callFreely('GET', '/metrics')
    return Number(/^openrun_http_in_flight (\d+)/m.exec(bytes.toString())?.[1]) > asked.length
  })
  await blocked`commit`
  blocked.release()
  const told = (await Promise.all(cancelled)).map(({ status }) => status)
  t.same(
    told,
    booked.map(() => 200),
  )
  t.same(
    (await Promise.all(asked)).filter(({ status }) => status !== 200),
    [],
  )
  const rows = await fleet.sql`select from orders where sale_id = ${saleId} and status = 'cancelled'`
  t.equal(rows.length, booked.length)
})
