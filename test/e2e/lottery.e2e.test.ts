import t from 'tap'
import { checkDraw } from '../../src/client/draw-checking.ts'
import { OpenrunClient } from '../../src/client/openrun-client.ts'
import { useApp } from '../support/app.ts'
import { api, textAt } from '../support/contract.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)

t.test('who enters before the opening is drawn, told without asking, and can check the draw', async (t) => {
  const opensAt = new Date(Date.now() + 3_600_000).toISOString()
  const sale = await app.sale({
    opensAt,
    closesAt: new Date(Date.now() + 7_200_000).toISOString(),
    queue: { mode: 'lottery', maxActive: 1 },
  })
  const fifo = await app.sale({ opensAt, closesAt: new Date(Date.now() + 7_200_000).toISOString() })
  const buyers = await app.guests(4)
  const entries: string[] = []
  for (const buyer of buyers) {
    const joined = await buyer.join(sale)
    t.match(joined.body, { state: 'entered', position: 0, behind: 0, opensAt })
    entries.push(textAt(joined.body, 'entry'))
    t.equal(
      (await buyer.join(fifo)).body['code'],
      'not_open_yet',
      'of a first-come sale there is no line yet',
    )
  }
  t.equal(new Set(entries).size, 4)
  const again = await buyers[0]?.join(sale, textAt((await buyers[0].join(sale)).body, 'ticket'))
  t.equal(again?.body['entry'], entries[0], 'also with the ticket of an entry')
  const me = await buyers[0]?.call('GET', `${api}/sales/${sale}/queue/me`)
  t.match(me?.body, { state: 'entered', entry: entries[0] })

  const streams = await Promise.all(buyers.map((buyer) => buyer.stream(sale)))
  for (const [index, { events }] of streams.entries()) {
    t.equal((await events.next('entered')).data['entry'], entries[index])
  }
  const before = await app.call('GET', `${api}/sales/${sale}/draw`)
  t.match(before.body, { state: 'entering' })
  t.notOk('seed' in before.body || 'digest' in before.body)
  t.equal((await app.call('GET', `${api}/sales/${sale}/draw/entries`)).status, 409)
  t.equal((await app.call('GET', `${api}/sales/${fifo}/draw`)).status, 404)

  await app.sql`update sales set opens_at = now() where id = ${sale}`
  const firsts = await Promise.all(
    streams.map(async ({ events }) => {
      await until('the draw is told', () =>
        events.all.some(({ type }) => type === 'position' || type === 'admitted'),
      )
      return events.all
    }),
  )
  await until('somebody is in', () => firsts.flat().some(({ type }) => type === 'admitted'))
  for (const events of firsts)
    t.notOk(
      events.some(({ type }) => type === 'absent'),
      'nobody was told to have no place',
    )

  const { faults, order } = await checkDraw(new OpenrunClient({ baseUrl: app.url }), sale)
  t.same(faults, [])
  const admitted = firsts.findIndex((events) => events.some(({ type }) => type === 'admitted'))
  t.equal(order[0], entries[admitted], 'the first of the drawn order is in')
  t.equal((await app.call('GET', `${api}/sales/${sale}/draw`)).body['commitment'], before.body['commitment'])
})
