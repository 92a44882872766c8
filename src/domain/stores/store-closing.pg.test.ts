import t from 'tap'
import { makePopup } from '../../../test/support/popups.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { saleStatuses } from '../sales/sale.ts'
import { findSale } from '../sales/sale-store.ts'
import { closeDueStores } from './store-closing.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'store-closing' })
t.teardown(() => sql.end())

/** A store whose time has come, with a sale in each state. */
async function dueStore(): Promise<{ storeId: string; saleIds: string[] }> {
  const { storeId, organiserId } = await makePopup(sql)
  const saleIds: string[] = []
  for (const status of saleStatuses) {
    const { id } = await makeSale(sql, { organiserId, changes: { store: storeId } })
    await sql`update sales set status = ${status} where id = ${id}`
    saleIds.push(id)
  }
  await sql`update stores set closes_at = now() where id = ${storeId}`
  return { storeId, saleIds }
}

t.test('every sale of the store is closed in the same transaction, and word of it written', async (t) => {
  const { storeId, saleIds } = await dueStore()
  const { storeId: later } = await makePopup(sql)
  const closed = await closeDueStores(sql)
  t.strictSame(
    closed.toSorted(),
    saleIds.slice(0, -1).toSorted(),
    'what was closed before is not closed again',
  )
  for (const saleId of closed) {
    t.match(await findSale(sql, saleId), { status: 'closed', version: 2 })
    const words = await sql`select topic, body from outbox where sale_id = ${saleId} order by id desc limit 1`
    t.strictSame([...words], [{ topic: 'sale', body: { version: 2 } }])
  }
  const marks = await sql<{ xmin: string }[]>`
    select xmin::text from stores where id = ${storeId} union select xmin::text from sales where id = any(${closed})
    union select xmin::text from chat_rooms where store_id = ${storeId}`
  t.equal(marks.length, 1)
  const rows = await sql`select id, stores.status, closed_at is null as "isRoomOpen" from stores
    join chat_rooms on store_id = id where id in ${sql([storeId, later])} order by status`
  t.strictSame(
    [...rows],
    [
      { id: storeId, status: 'closed', isRoomOpen: false },
      { id: later, status: 'open', isRoomOpen: true },
    ],
  )
  t.strictSame(await closeDueStores(sql), [])
})

t.test('each store is closed once when several processes look, a few at a time', async (t) => {
  const stores = [await dueStore(), await dueStore(), await dueStore()]
  const first = await Promise.all([closeDueStores(sql, 1), closeDueStores(sql, 1)])
  const rest = await Promise.all([closeDueStores(sql, 1), closeDueStores(sql, 1), closeDueStores(sql, 1)])
  const again = await closeDueStores(sql)
  const closed = [...first, ...rest, again].flat()
  t.equal(new Set(closed).size, closed.length)
  t.equal(closed.length, stores.length * (saleStatuses.length - 1))
  const entries = await sql`select store_id, count(*)::int from chat_entries
    where store_id in ${sql(stores.map(({ storeId }) => storeId))} group by store_id`
  t.strictSame(
    entries.map(({ count }) => Number(count)),
    [1, 1, 1],
  )
})
