import t from 'tap'
import { makePopup } from '../../../test/support/popups.ts'
import { bookPlaces, makeSale } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { countPopularity } from './store-popularity.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 4, name: 'store-popularity' })
t.teardown(() => sql.end())

async function popularityOf(storeId: string): Promise<unknown> {
  const [store] = await sql<{ popularity: number }[]>`select popularity from stores where id = ${storeId}`
  return store?.popularity
}

t.test(
  'counts the standing bookings of all sales of a store, and writes only what has changed',
  async (t) => {
    const { storeId: busy, organiserId } = await makePopup(sql)
    const { storeId: quiet } = await makePopup(sql)
    const { storeId: over, organiserId: theirs } = await makePopup(sql)
    const [first, second] = [
      await makeSale(sql, { organiserId, changes: { store: busy, onePerUnit: false } }),
      await makeSale(sql, { organiserId, changes: { store: busy, onePerUnit: false } }),
    ]
    const last = await makeSale(sql, { organiserId: theirs, changes: { store: over, onePerUnit: false } })
    await bookPlaces(sql, { sale: first, unitNo: 0, ordinals: [1, 2] })
    const given = await bookPlaces(sql, { sale: second, unitNo: 0, ordinals: [1, 2, 3] })
    await bookPlaces(sql, { sale: last, unitNo: 0, ordinals: [1] })
    await sql`update stores set status = 'closed' where id = ${over}`
    t.equal(await countPopularity(sql), 1)
    t.equal(await popularityOf(busy), 5)
    t.equal(await popularityOf(quiet), 0)
    t.equal(await popularityOf(over), 0, 'of a store that has closed nothing is counted any more')
    t.equal(await countPopularity(sql), 0)
    await sql`update bookings set status = 'cancelled', cancelled_at = now() where id = any(${given})`
    t.equal(await countPopularity(sql), 1)
    t.equal(await popularityOf(busy), 2)
  },
)

t.test('many processes may count at the same time', async (t) => {
  const { storeId, organiserId } = await makePopup(sql)
  const sale = await makeSale(sql, { organiserId, changes: { store: storeId, onePerUnit: false } })
  await bookPlaces(sql, { sale, unitNo: 0, ordinals: [1, 2, 3, 4] })
  await Promise.all([1, 2, 3, 4].map(() => countPopularity(sql)))
  t.equal(await popularityOf(storeId), 4)
})
