import t from 'tap'
import { makePopup } from '../../test/support/popups.ts'
import { makeSale } from '../../test/support/sales.ts'
import { usePostgres } from '../../test/support/stores.ts'
import { unhurriedPostgres } from '../../test/support/unhurried.ts'
import type { Sql, TransactionSql } from './postgres.ts'
import { readRowChanges } from './row-changes.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'row-changes' })
t.teardown(() => sql.end())

/** By how much the counts grow through something. */
async function grown(change: () => Promise<unknown>): Promise<{ stores: number; sales: number }> {
  const before = await readRowChanges(sql)
  await change()
  const after = await readRowChanges(sql)
  return { stores: after.stores - before.stores, sales: after.sales - before.sales }
}

t.test(
  'a statement that changes rows is counted with its subject, one that changes none is not',
  async (t) => {
    const { storeId, organiserId } = await makePopup(sql)
    const stores = { stores: 1, sales: 0 }
    const sales = { stores: 0, sales: 1 }
    const none = { stores: 0, sales: 0 }
    t.strictSame(await grown(() => makePopup(sql)), stores)
    t.strictSame(await grown(() => sql`update stores set name = 'B' where id = ${storeId}`), stores)
    t.strictSame(await grown(() => sql`update stores set name = 'B' where id = 'sto_none'`), none)
    const picture = () => sql`
    insert into store_pictures (id, store_id, position, alt, width, height)
    values ('pic_a', ${storeId}, 0, '', 10, 10)`
    t.strictSame(await grown(picture), stores)
    t.strictSame(await grown(() => sql`update store_pictures set alt = 'a' where id = 'pic_a'`), stores)
    t.strictSame(await grown(() => sql`delete from store_pictures where id = 'pic_a'`), stores)
    t.strictSame(await grown(() => sql`delete from store_pictures where id = 'pic_a'`), none)
    let saleId = ''
    const makeOne = async () => (saleId = (await makeSale(sql, { organiserId })).id)
    t.match(await grown(makeOne), { stores: 0 })
    t.ok((await grown(makeOne)).sales > 0)
    t.strictSame(await grown(() => sql`update sales set title = 'B' where id = ${saleId}`), sales)
  },
)

t.test('what is counted is seen when the rows are, and not before', async (t) => {
  const { storeId } = await makePopup(sql)
  const before = await readRowChanges(sql)
  await sql.begin(async (tx) => {
    await tx`update stores set name = 'C' where id = ${storeId}`
    t.strictSame(await readRowChanges(sql), before)
  })
  t.strictSame(await readRowChanges(sql), { ...before, stores: before.stores + 1 })
})

t.test('a change that is not yet committed keeps no other from being made', async (t) => {
  const popups = await Promise.all(Array.from({ length: 6 }, () => makePopup(sql)))
  const rename = (some: Sql | TransactionSql, index: number) =>
    some`update stores set name = 'E' where id = ${popups[index]?.storeId ?? ''}`
  const before = await readRowChanges(sql)
  await sql.begin(async (tx) => {
    await rename(tx, 0)
    for (const index of [1, 2, 3, 4, 5]) await rename(sql, index)
    t.equal((await readRowChanges(sql)).stores, before.stores + 5)
  })
  t.equal((await readRowChanges(sql)).stores, before.stores + 6)
})

t.test('changes at the same time are all counted', async (t) => {
  const popups = await Promise.all(Array.from({ length: 20 }, () => makePopup(sql)))
  const rename = () =>
    Promise.all(popups.map(({ storeId }) => sql`update stores set name = 'D' where id = ${storeId}`))
  t.strictSame(await grown(rename), { stores: 20, sales: 0 })
})
