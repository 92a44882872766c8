import t from 'tap'
import type { Sql } from '../../src/db/postgres.ts'
import type { Buyer } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt, type Answer } from '../support/contract.ts'
import { useCuttableProxy } from '../support/cuttable-proxy.ts'
import { atLast, useFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

/** Orders what is held until it is known what became of it. */
async function decided(buyer: Buyer, hold: string): Promise<Answer> {
  for (;;) {
    const answer = await atLast(() => buyer.orderAtOnce(hold))
    if (answer.status !== 202) return answer
  }
}

t.test(
  'connections to PostgreSQL are cut in the middle of orders: each hold becomes one order',
  async (t) => {
    const fleet = await useFleet(t)
    const server = await fleet.start()
    const saleId = await server.sale({ ...freeSlots(1, 200), queue: { maxActive: 100, maxPerAccount: 2 } })
    const buyers = await server.guests(40)
    const holds = await Promise.all(buyers.map((buyer) => holdOf(buyer, saleId)))
    const cutting = cutOff(fleet.sql, 30)
    const orders = await Promise.all(buyers.map((buyer, index) => decided(buyer, holds[index] ?? '')))
    await cutting

    t.same([...new Set(orders.map(({ body }) => at(body, 'order.status')))], ['booked'])
    const ids = orders.map(({ body }) => textAt(body, 'order.id'))
    t.equal(new Set(ids).size, 40)
    const rows = await fleet.sql<{ id: string }[]>`
    select order_id as id from bookings where sale_id = ${saleId} and status = 'booked'`
    t.same(new Set(rows.map(({ id }) => id)), new Set(ids), 'what was answered is what stands')
    t.equal(rows.length, 40)
    t.ok(server.process.isAlive)
  },
)

/** Cuts connections that are doing something, until so many were cut. */
async function cutOff(sql: Sql, count: number): Promise<void> {
  for (let cuts = 0; cuts < count;) {
    const cut = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name like 'openrun %' and state <> 'idle'`
    cuts += cut.length
  }
}

t.test(
  'PostgreSQL is away for a while: what needs it is refused for now, and all goes on when it is back',
  async (t) => {
    const fleet = await useFleet(t)
    const way = await useCuttableProxy(t, fleet.postgresUrl)
    const server = await fleet.start({ DATABASE_URL: way.url })
    const saleId = await server.sale({ ...freeSlots(1), queue: { maxActive: 1 } })
    const [inside, waiting] = await server.guests(2)
    if (!inside || !waiting) throw new Error('no guests')
    const token = await inside.letIn(saleId)
    const hold = textAt((await inside.hold(saleId, token, { best: { count: 1 } })).body, 'hold.id')
    await waiting.join(saleId)
    const stream = await waiting.stream(saleId)
    await stream.events.next('position')

    way.cut()
    const away = await inside.orderAtOnce(hold)
    t.match(away, { status: 202, body: { order: { status: 'saving', bookings: [] } } })
    const orderId = textAt(away.body, 'order.id')
    t.match((await inside.call('GET', `${api}/orders/${orderId}`)).body, { order: { status: 'saving' } })
    const ready = async () => (await server.call('GET', '/readyz')).body['status']
    await until('it is degraded', async () => (await ready()) === 'degraded')
    t.equal((await server.call('GET', '/healthz')).status, 200)
    t.equal((await waiting.join(saleId)).body['position'], 1, 'the line is there all the same')
    way.open()
    await until('the order is written, though nobody asked again', async () => {
      const { body } = await inside.call('GET', `${api}/orders/${orderId}`)
      return at(body, 'order.status') === 'booked'
    })
    t.match(await inside.order(hold), { status: 200, body: { order: { id: orderId, status: 'booked' } } })
    const rows = await fleet.sql`select 1 from bookings where sale_id = ${saleId} and status = 'booked'`
    t.equal(rows.length, 1)
    await inside.call('DELETE', `${api}/sales/${saleId}/queue/me`)
    t.ok(await stream.events.next('admitted'))
    await until('it is ready', async () => (await ready()) === 'ready')
  },
)

async function holdOf(buyer: Buyer, saleId: string): Promise<string> {
  const held = await buyer.hold(saleId, await buyer.letIn(saleId), { best: { count: 1 } })
  return textAt(held.body, 'hold.id')
}

t.test('while PostgreSQL is away an order keeps its places, however often it is asked for', async (t) => {
  const fleet = await useFleet(t)
  const way = await useCuttableProxy(t, fleet.postgresUrl)
  const start = () => fleet.start({ DATABASE_URL: way.url })
  const [first, second] = [await start(), await start()]
  const saleId = await first.sale({ ...freeSlots(1), queue: { maxActive: 10 } })
  const [me] = await first.guests(1)
  if (!me) throw new Error('no guest')
  const held = await me.hold(saleId, await me.letIn(saleId), { best: { count: 4 } })
  const hold = textAt(held.body, 'hold.id')
  const socket = await me.ws()
  await socket.subscribe('me')
  const elsewhere = me.at(second)
  // It has to know what is sold.
  await elsewhere.call('GET', `${api}/sales/${saleId}/holds`)

  way.cut()
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? me : elsewhere).orderAtOnce(hold)),
  )
  t.same(
    answers.map(({ status, body }) => [status, at(body, 'order.status')]),
    answers.map(() => [202, 'saving']),
  )
  const orderId = textAt(answers[0]?.body ?? {}, 'order.id')
  t.match((await elsewhere.get(orderId)).body, { order: { status: 'saving' } })
  const map = await me.call('GET', `${api}/sales/${saleId}/availability`)
  t.match(map.body, { pools: { '2027-03-01T10:00': 6 } }, 'the places are kept')
  way.open()
  const told = await socket.channel('me').next('order')
  t.match(told.data, { order: orderId, status: 'booked' })
  await until('the other one says so, too', async () => {
    return at((await elsewhere.get(orderId)).body, 'order.status') === 'booked'
  })
  const rows = await fleet.sql`select 1 from bookings where sale_id = ${saleId} and status = 'booked'`
  t.equal(rows.length, 4, 'its four places, once')
})
