import t from 'tap'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt } from '../support/contract.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)

async function statusOf(saleId: string): Promise<unknown> {
  return (await app.call('GET', `${api}/sales/${saleId}`)).body['status']
}

t.test('a sale opens and closes by itself at its times', async (t) => {
  const hours = (count: number): string => new Date(Date.now() + count * 3_600_000).toISOString()
  const [opensAt, closesAt] = [hours(1), hours(2)]
  const saleId = await app.sale({ ...freeSlots(1), opensAt, closesAt })
  t.equal(await statusOf(saleId), 'scheduled')
  const buyer = await app.guest()
  t.equal((await buyer.join(saleId)).body['code'], 'not_open_yet')
  // Its time comes sooner than it was set: nobody has to wait an hour for this test, or to be quick.
  await app.sql`update sales set opens_at = clock_timestamp() where id = ${saleId}`
  await until('the sale opens', async () => (await statusOf(saleId)) === 'open')
  await until('the line opens', async () => (await buyer.join(saleId)).status < 300)
  const stream = await buyer.stream(saleId)
  const { data } = await stream.events.next('admitted')
  await app.sql`update sales set closes_at = clock_timestamp() where id = ${saleId}`
  await until('the sale closes', async () => (await statusOf(saleId)) === 'closed')
  await stream.events.next('closed')
  const late = await buyer.hold(saleId, textAt(data, 'purchaseToken'), { best: { count: 1 } })
  t.match(late.body['code'], /^(sale_closed|admission_over)$/)
  const other = await app.guest()
  await until('the line closes', async () => (await other.join(saleId)).body['code'] === 'sale_closed')
})

t.test(
  'a paused sale admits nobody, those inside go on, and resuming goes on in the old order',
  async (t) => {
    const saleId = await app.sale({ ...freeSlots(1) })
    const [inside, first, second] = await app.guests(3)
    if (!inside || !first || !second) throw new Error('no guests')
    const token = await inside.letIn(saleId)
    const stream = await inside.stream(saleId)
    t.equal((await app.change(saleId, { status: 'paused' })).body['status'], 'paused')
    await stream.events.next('paused')
    await first.join(saleId)
    await second.join(saleId)
    t.equal((await inside.book(saleId, token, { best: { count: 1 } })).status, 201)
    const places = await Promise.all(
      [first, second].map((one) => one.call('GET', `${api}/sales/${saleId}/queue/me`)),
    )
    t.same(
      places.map(({ body }) => body['position']),
      [1, 2],
    )
    await app.change(saleId, { status: 'open' })
    t.ok(await first.letIn(saleId))
    t.ok(await second.letIn(saleId))
    await stream.events.next('resumed')
  },
)

t.test('a closed sale stays closed and lets nobody buy', async (t) => {
  const saleId = await app.sale()
  const buyer = await app.guest()
  const token = await buyer.letIn(saleId)
  const held = await buyer.hold(saleId, token, unitsOf('A-01-01'))
  t.equal((await app.change(saleId, { status: 'closed' })).body['status'], 'closed')
  await until('it is closed inside', async () => {
    const { body } = await buyer.hold(saleId, token, unitsOf('A-01-02'))
    return ['sale_closed', 'admission_over'].includes(String(body['code']))
  })
  t.equal((await app.change(saleId, { status: 'open' })).body['code'], 'sale_change_not_allowed')
  t.equal((await app.change(saleId, { status: 'closed' })).status, 200, 'closing it again changes nothing')
  const order = await buyer.order(textAt(held.body, 'hold.id'), 'sandbox_approve')
  t.match(order.body['code'], /^(sale_closed|hold_gone)$/)
  const [row] = await app.sql`select count(*)::int as count from bookings where sale_id = ${saleId}`
  t.equal(row?.['count'], 0)
})

t.test('a sold-out sale says so and opens again when something comes back', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1, 2), queue: { maxPerAccount: 1 } })
  const [one, two, watcher] = await app.guests(3)
  if (!one || !two || !watcher) throw new Error('no guests')
  const booked = await one.book(saleId, await one.letIn(saleId), { best: { count: 1 } })
  await two.book(saleId, await two.letIn(saleId), { best: { count: 1 } })
  await until('it is sold out', async () => (await statusOf(saleId)) === 'soldout')
  await app.change(saleId, { status: 'paused' })
  t.equal(
    (await app.change(saleId, { status: 'open' })).body['status'],
    'soldout',
    'resuming does not hide it',
  )
  await one.cancel(textAt(booked.body, 'order.id'))
  await until('it is open again', async () => (await statusOf(saleId)) === 'open')
  t.ok(await watcher.letIn(saleId))
})

t.test('the number of people inside follows its limit at once', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1), queue: { maxActive: 1 } })
  const [one, two, three] = await app.guests(3)
  if (!one || !two || !three) throw new Error('no guests')
  await one.letIn(saleId)
  await two.join(saleId)
  await three.join(saleId)
  const streams = await Promise.all([two.stream(saleId), three.stream(saleId)])
  await streams[1]?.events.next('position', ({ data }) => data['position'] === 2)
  const changed = await app.change(saleId, { queue: { maxActive: 2 } })
  t.equal(at(changed.body, 'queue.maxActive'), 2)
  t.ok(await streams[0]?.events.next('admitted'))
  await streams[1]?.events.next('position', ({ data }) => data['position'] === 1)
  await app.change(saleId, { queue: { maxActive: 3 } })
  t.ok(await streams[1]?.events.next('admitted'))
})

t.test('the pace is followed at once', async (t) => {
  const saleId = await app.sale(freeSlots(1))
  const [one, two, three] = await app.guests(3)
  if (!one || !two || !three) throw new Error('no guests')
  await one.letIn(saleId)
  await app.change(saleId, { queue: { ratePerMinute: 1 } })
  await two.join(saleId)
  const stream = await two.stream(saleId)
  const { data } = await stream.events.next('position')
  t.match(data, { position: 1, etaSeconds: 60, ratePerMinute: 1 })
  await app.change(saleId, { queue: { ratePerMinute: 6000 } })
  t.ok(await stream.events.next('admitted'))
  t.ok(await three.letIn(saleId))
})

t.test('the list of sales, a sale and its layout are there for everybody', async (t) => {
  const saleId = await app.sale({ title: 'Winter Concert' })
  const found = await app.call('GET', `${api}/sales?q=winter&kind=seats&status=open`)
  t.same(
    (found.body['items'] as { id: string }[]).map(({ id }) => id),
    [saleId],
  )
  const layout = await app.call('GET', `${api}/sales/${saleId}/layout`)
  t.equal(layout.body['kind'], 'seats')
  const etag = layout.headers.get('etag') ?? ''
  const again = await app.call('GET', `${api}/sales/${saleId}/layout`, { headers: { 'if-none-match': etag } })
  t.equal(again.status, 304)
})
