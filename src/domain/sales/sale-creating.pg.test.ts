import t from 'tap'
import { makePopup } from '../../../test/support/popups.ts'
import { until } from '../../../test/support/until.ts'
import { randomIds } from '../../ids.ts'
import { makeOrganiser, makeSale } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'
import { createSale } from './sale-creating.ts'
import { newSale } from './sale-messages.ts'
import { findSale, readLayout, readUnits } from './sale-store.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 4, name: 'sale-creating' })
t.teardown(() => sql.end())

const announced: string[] = []
const deps = { sql, payBySecondsDefault: 240, announce: (saleId: string) => announced.push(saleId) }
const hourMs = 3_600_000

function hallSale(changes: Readonly<Record<string, unknown>> = {}) {
  return newSale.parse({
    kind: 'seats',
    title: 'O\'Brien\'s "evening" 100% 가을',
    currency: 'KRW',
    opensAt: new Date(Date.now() - hourMs).toISOString(),
    closesAt: new Date(Date.now() + hourMs).toISOString(),
    hall: {
      priceClasses: [{ name: 'VIP, "gold"', priceMinor: 5000 }],
      sections: [{ code: '가', rows: 2, seatsPerRow: 3, priceClass: 'VIP, "gold"' }],
    },
    ...changes,
  })
}

t.test('writes the sale, its units, its layout, its writer and word of it', async (t) => {
  const organiserId = await makeOrganiser(sql)
  const saleId = randomIds.next('sal')
  const sale = await createSale(deps, { saleId, organiserId, description: hallSale() })
  t.strictSame(await findSale(sql, saleId), sale)
  t.match(sale, { status: 'open', unitCount: 6, placeCount: 6, payBySeconds: 240, version: 1, organiserId })
  t.equal(sale.title, 'O\'Brien\'s "evening" 100% 가을')
  const units = await readUnits(sql, saleId)
  t.strictSame(
    units.map(({ code }) => code),
    ['가-01-01', '가-01-02', '가-01-03', '가-02-01', '가-02-02', '가-02-03'],
  )
  t.match(units[5], { unitNo: 5, capacity: 1, priceMinor: 5000, priceClass: 'VIP, "gold"' })
  t.match(await readLayout(sql, saleId), {
    kind: 'seats',
    sections: [{ code: '가', rows: [{ first: 0 }, { first: 3 }] }],
  })
  t.strictSame(
    [...(await sql`select fence, epoch from sale_writers where sale_id = ${saleId}`)],
    [{ fence: 0, epoch: 0 }],
  )
  t.strictSame(
    [...(await sql`select topic, body from outbox where sale_id = ${saleId}`)],
    [{ topic: 'sale', body: { version: 1 } }],
  )
  t.ok(announced.includes(saleId))
})

t.test('is scheduled while its opening lies ahead', async (t) => {
  const opensAt = new Date(Date.now() + hourMs / 2).toISOString()
  t.equal((await makeSale(sql, { changes: { opensAt } })).status, 'scheduled')
})

t.test('refuses a sale that is over before it begins', async (t) => {
  const organiserId = await makeOrganiser(sql)
  const saleId = randomIds.next('sal')
  const description = hallSale({ closesAt: new Date(Date.now() - 1_000).toISOString() })
  await t.rejects(createSale(deps, { saleId, organiserId, description }), {
    code: 'invalid_request',
    options: { errors: [{ field: 'closesAt' }] },
  })
  t.equal(await findSale(sql, saleId), undefined)
})

t.test('makes one sale of many requests with the same id', async (t) => {
  const organiserId = await makeOrganiser(sql)
  const saleId = randomIds.next('sal')
  const make = () => createSale(deps, { saleId, organiserId, description: hallSale() })
  const sales = await Promise.all([make(), make(), make(), make()])
  for (const sale of sales) t.strictSame(sale, sales[0])
  t.equal((await readUnits(sql, saleId)).length, 6)
  t.equal((await sql`select 1 from outbox where sale_id = ${saleId}`).length, 1)
  const foreign = await makeOrganiser(sql)
  await t.rejects(createSale(deps, { saleId, organiserId: foreign, description: hallSale() }), {
    code: 'forbidden',
  })
})

t.test('writes a hall of 50,000 seats', async (t) => {
  const sections = Array.from({ length: 50 }, (_, index) => ({
    code: `S${index}`,
    rows: 20,
    seatsPerRow: 50,
    priceClass: 'all',
  }))
  const hall = { priceClasses: [{ name: 'all', priceMinor: 1 }], sections }
  const sale = await makeSale(sql, { changes: { hall } })
  t.equal(sale.placeCount, 50_000)
  const units = await readUnits(sql, sale.id)
  t.equal(units.at(-1)?.code, 'S49-20-50')
})

t.test('a sale that is made while its store closes comes too late', async (t) => {
  const { storeId, organiserId } = await makePopup(sql)
  let making: Promise<unknown> | undefined
  await sql.begin(async (tx) => {
    await tx`update stores set status = 'closed' where id = ${storeId}`
    making = makeSale(sql, { organiserId, changes: { store: storeId } })
    making.catch(() => {})
    await until('it waits for the store', async () => {
      const rows = await sql`
        select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%from stores%'`
      return rows.length > 0
    })
  })
  await t.rejects(making ?? Promise.resolve(), {
    code: 'invalid_request',
    options: { errors: [{ field: 'store', message: 'has closed' }] },
  })
  t.same(await sql`select 1 from sales where store_id = ${storeId}`, [])
})
