import t from 'tap'
import { makeSale } from '../../../test/support/sales.ts'
import { at } from '../../../test/support/shop.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { FencedError } from './sale-failures.ts'
import {
  becomeWriter,
  forsakenSales,
  raiseEpoch,
  releaseLease,
  renewLeases,
  writingShares,
} from './sale-writer.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 20, name: 'writer-test' })
t.teardown(() => sql.end())

const leaseMs = 60_000
const become = (saleId: string, processId: string) => becomeWriter(sql, { saleId, processId, leaseMs })
/** As if the time of the lease had passed. */
const expire = (saleId: string) =>
  sql`update sale_writers set lease_until = clock_timestamp() - interval '1 ms' where sale_id = ${saleId}`
const fenceOf = async (saleId: string) =>
  at(await sql<{ fence: number }[]>`select fence from sale_writers where sale_id = ${saleId}`, 0).fence

t.test('of many that want to write to a sale at once, one may', async (t) => {
  const sale = await makeSale(sql)
  const all = await Promise.all(Array.from({ length: 20 }, (_, index) => become(sale.id, `prc_${index}`)))
  const won = all.filter((one) => one !== undefined)
  t.equal(won.length, 1)
  t.equal(won[0]?.fence, await fenceOf(sale.id))
})

t.test('a lease that ended is taken over under a higher fence, and the old one is not renewed', async (t) => {
  const sale = await makeSale(sql)
  const old = await become(sale.id, 'prc_a')
  if (!old) throw new Error('nobody else is there')
  t.equal(await become(sale.id, 'prc_b'), undefined, 'not while it lasts')
  await expire(sale.id)
  const all = await Promise.all(['prc_b', 'prc_c', 'prc_d'].map((id) => become(sale.id, id)))
  const young = all.find((one) => one !== undefined)
  t.equal(all.filter((one) => one !== undefined).length, 1)
  t.equal(young?.fence, old.fence + 1)
  t.same(await renewLeases(sql, { processId: 'prc_a', leaseMs, held: [old] }), new Set())
  await releaseLease(sql, old)
  t.equal(await become(sale.id, 'prc_e'), undefined, 'and the old one cannot give away what is not its own')
})

t.test(
  'whoever wakes up in time keeps the sale, even after the end of the lease, if nobody took it',
  async (t) => {
    const sale = await makeSale(sql)
    const held = await become(sale.id, 'prc_a')
    if (!held) throw new Error('nobody else is there')
    await expire(sale.id)
    t.same(await renewLeases(sql, { processId: 'prc_a', leaseMs, held: [held] }), new Set([sale.id]))
    t.equal(await become(sale.id, 'prc_b'), undefined)
  },
)

t.test('a lease that is given up is free at once', async (t) => {
  const sale = await makeSale(sql)
  const held = await become(sale.id, 'prc_a')
  if (!held) throw new Error('nobody else is there')
  await releaseLease(sql, held)
  t.equal((await become(sale.id, 'prc_b'))?.fence, held.fence + 1)
})

t.test('a renewal that was under way does not take back what was given up', async (t) => {
  const sale = await makeSale(sql)
  const held = await become(sale.id, 'prc_a')
  if (!held) throw new Error('nobody else is there')
  await releaseLease(sql, held)
  t.same(await renewLeases(sql, { processId: 'prc_a', leaseMs, held: [held] }), new Set())
  t.ok(await become(sale.id, 'prc_b'))
})

t.test('an epoch is raised by the newest fence alone, and never twice to the same number', async (t) => {
  const sale = await makeSale(sql)
  const old = await become(sale.id, 'prc_a')
  if (!old) throw new Error('nobody else is there')
  const options = { saleId: sale.id, storeRunId: 'run' }
  const raised = await Promise.all([1, 2, 3].map(() => raiseEpoch(sql, { ...options, fence: old.fence })))
  t.same(
    raised.map((one) => one.epoch).toSorted((a, b) => a - b),
    [1, 2, 3],
  )
  await expire(sale.id)
  const young = await become(sale.id, 'prc_b')
  t.match(young, { epoch: 3, storeRunId: 'run' })
  await t.rejects(raiseEpoch(sql, { ...options, fence: old.fence }), FencedError)
})

t.test('sales that need a writer are those that are neither drafts nor over', async (t) => {
  await sql`update sales set status = 'closed'`
  await sql`update sale_writers set lease_owner = null, lease_until = null`
  const need = new Set<string>()
  for (const status of ['draft', 'scheduled', 'open', 'paused', 'soldout', 'closed']) {
    const sale = await makeSale(sql)
    await sql`update sales set status = ${status} where id = ${sale.id}`
    if (status !== 'draft' && status !== 'closed') need.add(sale.id)
  }
  t.same(new Set(await forsakenSales(sql, 100)), need)
  t.equal((await writingShares(sql, 'prc_a')).sales, 4)
  t.equal((await forsakenSales(sql, 2)).length, 2)
  const [first = ''] = need
  const held = await become(first, 'prc_a')
  t.notOk((await forsakenSales(sql, 100)).includes(first))
  await sql`update sales set status = 'closed' where id = ${first}`
  t.equal(
    (await writingShares(sql, 'prc_a')).sales,
    4,
    'one that closed is written to until its writer has put it away',
  )
  await expire(first)
  t.ok((await forsakenSales(sql, 100)).includes(first), 'also when its writer died at it')
  if (held) await releaseLease(sql, held)
  t.ok((await forsakenSales(sql, 100)).includes(first), 'and when its writer stopped before')
  if (held) await releaseLease(sql, held, true)
  t.notOk((await forsakenSales(sql, 100)).includes(first))
})
