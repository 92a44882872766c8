import t from 'tap'
import { bookPlaces, makeSale } from '../../../test/support/sales.ts'
import { at, makePeople, slots } from '../../../test/support/shop.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { randomIds } from '../../ids.ts'
import type { Sale } from '../sales/sale.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

// What PostgreSQL itself refuses, whoever asks: no code of ours stands between these statements and the tables.

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 20, name: 'bookings-test' })
t.teardown(() => sql.end())

const taken = { code: '23505' }
const outside = { code: '23514' }
const noSuchUnit = { code: '23503' }

const newOrder = async (sale: Sale) => {
  const accountId = at(await makePeople(sql, 1), 0)
  const orderId = randomIds.next('ord')
  await sql`
    insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency)
    values (${orderId}, ${sale.id}, ${accountId}, ${randomIds.next('hol')}, 'booked', 0, 'KRW')`
  return { orderId, accountId }
}
interface Row {
  readonly unitNo: number
  readonly ordinal: number
  readonly capacity: number
  readonly status: string
  readonly nth: number
  readonly accountId: string
}
const insert = async (sale: Sale, row: Partial<Row> = {}) => {
  const { orderId, accountId } = await newOrder(sale)
  const all = { unitNo: 0, ordinal: 1, capacity: 10, status: 'booked', nth: 1, accountId, ...row }
  await sql`
    insert into bookings
      (id, order_id, sale_id, unit_no, ordinal, capacity, account_id, nth, status, price_minor)
    values (${randomIds.next('bkg')}, ${orderId}, ${sale.id}, ${all.unitNo}, ${all.ordinal}, ${all.capacity},
      ${all.accountId}, ${all.nth}, ${all.status}, 0)`
}

t.test('a place has one booking that stands, pending or booked', async (t) => {
  const sale = await makeSale(sql)
  await insert(sale)
  await t.rejects(insert(sale), taken)
  await t.rejects(insert(sale, { status: 'pending' }), taken)
  await insert(sale, { status: 'released' })
  await insert(sale, { status: 'cancelled' })
  await insert(sale, { ordinal: 2, status: 'pending' })
  await t.rejects(insert(sale, { ordinal: 2 }), taken)
  await insert(await makeSale(sql), {})
})

t.test('a booking that ended cannot stand again when its place was sold meanwhile', async (t) => {
  const sale = await makeSale(sql)
  await insert(sale, { status: 'released' })
  await insert(sale)
  const revived = sql`update bookings set status = 'booked' where sale_id = ${sale.id} and status = 'released'`
  await t.rejects(revived, taken)
})

t.test('of 20 who book the same place at once one does', async (t) => {
  const sale = await makeSale(sql)
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => insert(sale)))
  t.equal(tries.filter((one) => one.status === 'fulfilled').length, 1)
})

t.test(
  'no place lies outside the capacity of its unit, whatever the booking says the capacity is',
  async (t) => {
    const sale = await makeSale(sql)
    await t.rejects(insert(sale, { ordinal: 11 }), outside)
    await t.rejects(insert(sale, { ordinal: 0 }), outside)
    await t.rejects(insert(sale, { ordinal: 11, capacity: 11 }), noSuchUnit, 'the unit has 10, not 11')
    await t.rejects(insert(sale, { unitNo: 1 }), noSuchUnit)
    await insert(sale, { ordinal: 10 })
  },
)

t.test('an account has each of its places once', async (t) => {
  const sale = await makeSale(sql, { changes: slots(2) })
  const { accountId } = await newOrder(sale)
  await insert(sale, { accountId, nth: 1 })
  await t.rejects(insert(sale, { accountId, nth: 1, unitNo: 1 }), taken)
  await t.rejects(insert(sale, { accountId, nth: 0, ordinal: 3 }), outside)
  await insert(sale, { accountId, nth: 2, unitNo: 1 })
  await insert(await makeSale(sql), { accountId, nth: 1 })
})

t.test('a capacity is never lowered below a booking that stands', async (t) => {
  const sale = await makeSale(sql)
  await bookPlaces(sql, { sale, unitNo: 0, ordinals: [1, 2, 7] })
  const lower = (capacity: number) =>
    sql`update units set capacity = ${capacity} where sale_id = ${sale.id} and unit_no = 0`
  await t.rejects(lower(6), outside)
  await t.rejects(lower(2), outside)
  await lower(7)
  await t.rejects(insert(sale, { ordinal: 8, capacity: 7 }), outside, 'the new capacity binds at once')
  await t.rejects(insert(sale, { ordinal: 8, capacity: 10 }), noSuchUnit)
  await sql`update bookings set status = 'cancelled' where sale_id = ${sale.id} and ordinal = 7`
  await lower(2)
})

t.test('a unit with bookings cannot go away', async (t) => {
  const sale = await makeSale(sql)
  await bookPlaces(sql, { sale, unitNo: 0, ordinals: [1] })
  await t.rejects(sql`delete from units where sale_id = ${sale.id}`, noSuchUnit)
  await t.rejects(sql`delete from sales where id = ${sale.id}`, noSuchUnit)
})

t.test('only what is booked can be checked in', async (t) => {
  const sale = await makeSale(sql)
  await insert(sale, { status: 'pending' })
  await t.rejects(sql`update bookings set checked_in_at = now() where sale_id = ${sale.id}`, outside)
})
