import t from 'tap'
import { bookPlaces, makeSale } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'
import { saleAt, saleStatuses, type Sale } from './sale.ts'
import { findSale, readTime } from './sale-store.ts'
import { moveDueSales, setSoldOut } from './sale-scheduling.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'sale-scheduling' })
t.teardown(() => sql.end())

const allTen = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** A sale put into a state and at times that it could have come to by itself. */
async function saleThatIs(status: Sale['status'], times: { opens: string; closes: string }): Promise<Sale> {
  const { id } = await makeSale(sql)
  await sql`
    update sales set status = ${status}, opens_at = now() + ${times.opens}::interval,
      closes_at = now() + ${times.closes}::interval where id = ${id}`
  const sale = await findSale(sql, id)
  if (sale === undefined) throw new Error('it was just made')
  return sale
}

t.test('moves exactly the sales whose time has come, as the rules say', async (t) => {
  const times = [
    { opens: '1 hour', closes: '2 hours' },
    { opens: '-1 hour', closes: '1 hour' },
    { opens: '-2 hours', closes: '-1 hour' },
  ]
  const before: Sale[] = []
  for (const status of saleStatuses) for (const each of times) before.push(await saleThatIs(status, each))
  const nowMs = await readTime(sql)
  const moved = new Set(await moveDueSales(sql))
  for (const sale of before) {
    const expected = saleAt(sale, nowMs)
    const changed = expected.status !== sale.status
    t.strictSame(await findSale(sql, sale.id), { ...expected, version: sale.version + Number(changed) })
    t.equal(moved.has(sale.id), changed, `${sale.status} that became ${expected.status}`)
    const words = await sql`select 1 from outbox where sale_id = ${sale.id}`
    t.equal(words.length, 1 + Number(changed))
  }
  t.strictSame(await moveDueSales(sql), [])
})

t.test('moves each sale once when several processes look at the same moment', async (t) => {
  const due = [
    { status: 'scheduled', opens: '-1 second', closes: '1 hour' },
    { status: 'open', opens: '-1 hour', closes: '-1 second' },
  ] as const
  for (const { status, ...times } of due) {
    const sale = await saleThatIs(status, times)
    const looking: Promise<string[]>[] = []
    // Holds the sale until all of them have found it.
    await sql.begin(async (tx) => {
      await tx`select 1 from sales where id = ${sale.id} for no key update`
      for (let process = 0; process < 3; process++) looking.push(moveDueSales(sql))
      await waitingForLock(3)
    })
    const moved = (await Promise.all(looking)).flat()
    t.equal(moved.filter((id) => id === sale.id).length, 1)
    t.equal((await findSale(sql, sale.id))?.version, sale.version + 1)
  }
})

t.test('is sold out only when every place is booked, and open again when one is given back', async (t) => {
  const sale = await makeSale(sql)
  const booked = await bookPlaces(sql, { sale, unitNo: 0, ordinals: allTen.slice(0, 9) })
  t.equal(await setSoldOut(sql, sale.id, true), false)
  const [last = ''] = await bookPlaces(sql, { sale, unitNo: 0, ordinals: [10] })
  await sql`update bookings set status = 'pending' where id = ${last}`
  t.equal(await setSoldOut(sql, sale.id, true), false, 'the last one is not paid')
  await sql`update bookings set status = 'booked' where id = ${last}`
  t.equal(await setSoldOut(sql, sale.id, false), false)
  t.equal(await setSoldOut(sql, sale.id, true), true)
  t.equal(await setSoldOut(sql, sale.id, true), false, 'it is already')
  t.match(await findSale(sql, sale.id), { status: 'soldout', version: sale.version + 1 })
  t.equal(await setSoldOut(sql, sale.id, false), false, 'it is full')
  await sql`update bookings set status = 'cancelled' where id = ${booked[0] ?? ''}`
  t.equal(await setSoldOut(sql, sale.id, false), true)
  t.match(await findSale(sql, sale.id), { status: 'open', version: sale.version + 2 })
  t.equal((await sql`select 1 from outbox where sale_id = ${sale.id}`).length, 3)
})

t.test('leaves a paused or closed sale as it is, however full', async (t) => {
  for (const status of ['paused', 'closed'] as const) {
    const sale = await saleThatIs(status, { opens: '-1 hour', closes: '1 hour' })
    await bookPlaces(sql, { sale, unitNo: 0, ordinals: allTen })
    t.equal(await setSoldOut(sql, sale.id, true), false)
    t.strictSame(await findSale(sql, sale.id), sale)
  }
  t.equal(await setSoldOut(sql, 'sal_00000000000000000000', true), false)
})

t.test('never stays sold out with a free place when a booking is cancelled meanwhile', async (t) => {
  const sale = await makeSale(sql)
  const [booked = ''] = await bookPlaces(sql, { sale, unitNo: 0, ordinals: allTen })
  // Holds the sale while the place is given back, as another change of the sale would.
  let marking: Promise<boolean> | undefined
  await sql.begin(async (tx) => {
    await tx`select 1 from sales where id = ${sale.id} for no key update`
    marking = setSoldOut(sql, sale.id, true)
    await waitingForLock(1)
    await sql`update bookings set status = 'cancelled' where id = ${booked}`
  })
  t.equal(await marking, false)
  t.equal((await findSale(sql, sale.id))?.status, 'open')
})

/** Until so many sessions of this database wait for a lock. */
async function waitingForLock(sessions: number): Promise<void> {
  for (;;) {
    const waiting = await sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    if (waiting.length >= sessions) return
  }
}
