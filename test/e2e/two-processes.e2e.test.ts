import t from 'tap'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, textAt } from '../support/contract.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)
const { calls: other } = await app.beside()

t.test('who joins at one process hears of it at the other, over both sorts of connections', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1), queue: { maxActive: 1 } })
  const [inside, waiting] = await app.guests(2)
  if (!inside || !waiting) throw new Error('no guests')
  await inside.letIn(saleId)
  await waiting.join(saleId)
  const sse = await waiting.at(other).stream(saleId)
  const ws = await (await waiting.at(other).ws()).subscribe(`queue:${saleId}`)
  t.match((await sse.events.next('position')).data, { position: 1 })
  t.match((await ws.next('position')).data, { position: 1 })
  t.equal((await waiting.at(other).join(saleId)).status, 200, 'and has one place, not two')
  await inside.at(other).call('DELETE', `${api}/sales/${saleId}/queue/me`)
  const one = textAt((await sse.events.next('admitted')).data, 'purchaseToken')
  const two = textAt((await ws.next('admitted')).data, 'purchaseToken')
  for (const token of [one, two]) {
    const held = await waiting.hold(saleId, token, { best: { count: 1 } })
    t.equal(held.status, 201, 'the token of one serves at the other')
  }
})

t.test('the order of arrival holds over both processes', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1, 100), queue: { maxActive: 40, ratePerMinute: 600 } })
  const guests = await app.guests(20)
  const joined: string[] = []
  for (const [index, guest] of guests.entries()) {
    await guest.at(index % 2 === 0 ? app : other).join(saleId)
    joined.push(guest.id)
  }
  const admitted = async (): Promise<string[]> => {
    const rows = await app.sql<{ account: string }[]>`
      select account_id as account from admissions where sale_id = ${saleId} order by admitted_at, sequence`
    return rows.map(({ account }) => account)
  }
  await until('all are in', async () => (await admitted()).length === guests.length)
  t.same(await admitted(), joined)
})

t.test('a change made at one process is obeyed by the other', async (t) => {
  const saleId = await app.sale()
  const buyer = (await app.guest()).at(other)
  await buyer.join(saleId)
  t.equal((await other.change(saleId, { status: 'paused' })).status, 200)
  await until('the first knows', async () => {
    return (await app.call('GET', `${api}/sales/${saleId}`)).body['status'] === 'paused'
  })
})

t.test('sixty people at two processes book each of thirty places once', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1, 30), queue: { maxActive: 200, maxPerAccount: 1 } })
  const guests = await app.guests(60)
  const streams = await Promise.all(
    guests.map(async (guest, index) => {
      const buyer = guest.at(index % 2 === 0 ? app : other)
      await buyer.join(saleId)
      return { buyer, stream: await buyer.stream(saleId) }
    }),
  )
  // The gate lets in about as many as there are places; whoever is late waits until it is known that all are gone.
  const statuses = await Promise.all(
    streams.map(async ({ buyer, stream }) => {
      const { data } = await Promise.race([stream.events.next('admitted'), stream.events.next('soldout')])
      if (data['purchaseToken'] === undefined) return 'soldout'
      const booked = await buyer.book(saleId, textAt(data, 'purchaseToken'), unitsOf('2027-03-01T10:00'))
      return booked.status === 201 ? 'booked' : booked.body['code']
    }),
  )
  t.equal(statuses.filter((status) => status === 'booked').length, 30)
  const rest = new Set(statuses.filter((status) => status !== 'booked'))
  t.ok(
    [...rest].every((status) => status === 'soldout' || status === 'fully_booked'),
    [...rest].join(),
  )
  const [row] = await app.sql`
    select count(*)::int as count, count(distinct ordinal)::int as places from bookings
    where sale_id = ${saleId} and status = 'booked'`
  t.same({ ...row }, { count: 30, places: 30 })
})
