import t from 'tap'
import { useApp } from '../support/app.ts'
import { api, at } from '../support/contract.ts'
import { openSse } from '../support/events.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)

t.test('an organiser sees how the sale runs, and those who wait hear what is said to them', async (t) => {
  const sale = await app.sale({ queue: { maxActive: 1 } })
  const [first, second] = await app.guests(2)
  await first?.letIn(sale)
  await second?.join(sale)
  const waiting = await second?.stream(sale)
  await waiting?.events.next('position')

  const desk = await app.sse(`${api}/sales/${sale}/desk/stream`, app.organiserKey)
  const { data } = await desk.events.next(
    'figures',
    ({ data: { waiting, tokensInUse, isStale } }) => waiting === 1 && tokensInUse === 1 && isStale === false,
  )
  t.match(data, {
    status: 'open',
    arrivals: 2,
    maxActive: 1,
    holds: 0,
    sold: 0,
    free: 20,
    total: 20,
  })

  await app.change(sale, { notice: 'Coffee is served.', queue: { ratePerMinute: 1234 } })
  t.equal((await waiting?.events.next('notice'))?.data['text'], 'Coffee is served.')
  await desk.events.next('figures', (event) => event.data['ratePerMinute'] === 1234)
  const late = (await app.guests(1))[0]
  await late?.join(sale)
  const lateStream = await late?.stream(sale)
  t.equal(
    (await lateStream?.events.next('notice'))?.data['text'],
    'Coffee is served.',
    'also who comes later',
  )
  await app.change(sale, { notice: '' })
  t.equal((await waiting?.events.next('notice'))?.data['text'], '', 'and that it is taken back')

  await app.change(sale, { status: 'paused' })
  await desk.events.next('figures', (event) => event.data['status'] === 'paused')
  await waiting?.events.next('paused')
})

t.test('a desk is for the organiser of the sale only', async (t) => {
  const sale = await app.sale()
  const buyer = await app.guest()
  t.equal((await buyer.call('GET', `${api}/organiser/sales`)).status, 403)
  const headers = { authorization: `Bearer ${buyer.token}` }
  const opening = openSse(t, `${app.url}${api}/sales/${sale}/desk/stream`, { headers, contract: app.live })
  await t.rejects(opening, /answered 403/)
  const mine = await app.call('GET', `${api}/organiser/sales`, { token: app.organiserKey })
  t.ok((at(mine.body, 'items') as { id: string }[]).some(({ id }) => id === sale))
})

t.test('figures that come to an end are said to be old', async (t) => {
  const sale = await app.sale()
  const desk = await app.sse(`${api}/sales/${sale}/desk/stream`, app.organiserKey)
  await desk.events.next('figures', (event) => event.data['isStale'] === false)
  await app.change(sale, { status: 'closed' })
  await until('nobody works the gate', async () => {
    const [writer] = await app.sql`select lease_until from sale_writers where sale_id = ${sale}`
    return writer?.['lease_until'] === null
  })
  await desk.events.next('figures', (event) => event.data['isStale'] === true)
  t.pass('a desk never takes old figures for new ones')
})
