import t from 'tap'
import type { Buyer } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api } from '../support/contract.ts'
import { lineUp, useFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

const fleet = await useFleet(t)
const servers = [await fleet.start(), await fleet.start()] as const
const [one, two] = servers

/** Where one is told to stand, over a new connection that is closed again. */
const overSse = async (buyer: Buyer, saleId: string) => {
  const stream = await buyer.stream(saleId)
  const { data } = await stream.events.next('position')
  stream.close()
  return data['position']
}
const overWs = async (buyer: Buyer, saleId: string) => {
  const events = await (await buyer.ws()).subscribe(`queue:${saleId}`)
  return (await events.next('position')).data['position']
}

t.test('the place stays through a reload, the other transport, another tab and another server', async (t) => {
  const saleId = await one.sale({ ...freeSlots(1), queue: { maxActive: 1 } })
  const people = await lineUp(saleId, 4, [one])
  const me = people[2]
  if (me === undefined) throw new Error('nobody')
  await until('the first is in', async () => (await overSse(me, saleId)) === 2)
  const open = await me.stream(saleId)
  t.match((await open.events.next('position')).data, { position: 2, behind: 1 })
  const places = {
    reloaded: await overSse(me, saleId),
    'over a WebSocket': await overWs(me, saleId),
    'at another server': await overSse(me.at(two), saleId),
    'and there over a WebSocket': await overWs(me.at(two), saleId),
    'joined again': (await me.at(two).join(saleId)).body['position'],
    asked: (await me.call('GET', `${api}/sales/${saleId}/queue/me`)).body['position'],
  }
  for (const [how, position] of Object.entries(places)) t.equal(position, 2, how)
  // The tab that was open all the while hears of what happens.
  await people[1]?.call('DELETE', `${api}/sales/${saleId}/queue/me`)
  const nextPosition = async () => (await open.events.next('position')).data['position']
  await until('it is told of the new place', async () => (await nextPosition()) === 1)
})

t.test('the place stays when every server is killed and others take over', async (t) => {
  const saleId = await one.sale({ ...freeSlots(1), queue: { maxActive: 1, ratePerMinute: 600 } })
  const people = await lineUp(saleId, 6, servers)
  const last = people.at(-1)
  if (last === undefined) throw new Error('nobody')
  await until('the first is in', async () => (await overSse(last, saleId)) === 5)
  for (const { process } of servers) process.signal('SIGKILL')
  for (const { process } of servers) await process.ended
  const other = await fleet.start()
  const positions = await Promise.all(people.slice(1).map((buyer) => overSse(buyer.at(other), saleId)))
  t.same(positions, [1, 2, 3, 4, 5])
  const again = await last.at(other).join(saleId)
  t.match([again.status, again.body['position']], [200, 5], 'also for who joins again')
  const streams = await Promise.all(people.slice(1).map((buyer) => buyer.at(other).stream(saleId)))
  t.equal((await other.change(saleId, { queue: { maxActive: 10 } })).status, 200)
  for (const { events } of streams) await events.next('admitted')
  const rows = await fleet.sql<{ account: string }[]>`
    select account_id as account from admissions where sale_id = ${saleId} order by admitted_at, sequence`
  t.same(
    rows.map(({ account }) => account),
    people.map(({ id }) => id),
    'and all are let in in the order in which they came',
  )
})
