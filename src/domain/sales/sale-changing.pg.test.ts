import t from 'tap'
import { bookPlaces, makeOrganiser, makeSale } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'
import { changeSale } from './sale-changing.ts'
import type { Sale } from './sale.ts'
import type { SaleChanges } from './sale-messages.ts'
import { findSale } from './sale-store.ts'
import { setSoldOut } from './sale-scheduling.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'sale-changing' })
t.teardown(() => sql.end())

const announced: string[] = []
const deps = { sql, announce: (saleId: string) => announced.push(saleId) }
const hourMs = 3_600_000
const later = (ms: number) => new Date(Date.now() + ms).toISOString()
const scheduled = { opensAt: later(hourMs), closesAt: later(2 * hourMs) }

function change({ id, organiserId }: Sale, changes: SaleChanges): Promise<Sale> {
  return changeSale(deps, { saleId: id, organiserId, changes })
}

t.test('changes the pace live, raises the version and leaves word of it', async (t) => {
  const sale = await makeSale(sql)
  const changed = await change(sale, { title: 'New', queue: { ratePerMinute: 5, maxActive: 6 } })
  t.match(changed, { title: 'New', queue: { ratePerMinute: 5, maxActive: 6, maxPerAccount: 4 }, version: 2 })
  t.strictSame(await findSale(sql, sale.id), changed)
  t.equal((await change(sale, { queue: { maxActive: 7 } })).queue.ratePerMinute, 5)
  const bodies = await sql<
    { body: unknown }[]
  >`select body from outbox where sale_id = ${sale.id} order by id`
  t.strictSame(
    bodies.map(({ body }) => body),
    [{ version: 1 }, { version: 2 }, { version: 3 }],
  )
  t.equal(announced.filter((id) => id === sale.id).length, 2)
})

t.test('pauses, resumes and closes; the same again changes nothing', async (t) => {
  const sale = await makeSale(sql)
  t.match(await change(sale, { status: 'paused' }), { status: 'paused', version: 2 })
  t.match(await change(sale, { status: 'paused' }), { status: 'paused', version: 2 })
  t.match(await change(sale, { status: 'open' }), { status: 'open', version: 3 })
  t.match(await change(sale, { status: 'closed' }), { status: 'closed', version: 4 })
  t.match(await change(sale, { status: 'closed' }), { status: 'closed', version: 4 })
  t.equal((await sql`select 1 from outbox where sale_id = ${sale.id}`).length, 4)
})

t.test('refuses what its state does not allow, and changes nothing then', async (t) => {
  const refused = { code: 'sale_change_not_allowed' }
  const open = await makeSale(sql)
  await t.rejects(change(open, { title: 'New', opensAt: later(1_000) }), refused)
  await t.rejects(change(open, { closesAt: later(9 * hourMs) }), refused)
  t.strictSame(await findSale(sql, open.id), open)
  const ahead = await makeSale(sql, { changes: scheduled })
  await t.rejects(change(ahead, { status: 'open' }), refused)
  await t.rejects(change(ahead, { status: 'paused' }), refused)
  await change(open, { status: 'closed' })
  for (const changes of [{ status: 'open' }, { title: 'New' }, { status: 'closed', title: 'New' }] as const) {
    await t.rejects(change(open, changes), { ...refused, options: { extra: { saleStatus: 'closed' } } })
  }
})

t.test(
  'moves the times while the opening lies ahead, and opens at once when it is moved to the past',
  async (t) => {
    const sale = await makeSale(sql, { changes: scheduled })
    const closesAt = later(5 * hourMs)
    t.match(await change(sale, { closesAt }), { status: 'scheduled', closesAtMs: Date.parse(closesAt) })
    await t.rejects(change(sale, { opensAt: later(6 * hourMs) }), { code: 'invalid_request' })
    t.match(await change(sale, { opensAt: later(-1_000) }), { status: 'open', version: 3 })
  },
)

t.test('is for its own organiser only', async (t) => {
  const sale = await makeSale(sql)
  const organiserId = await makeOrganiser(sql)
  const changes = { status: 'closed' } as const
  await t.rejects(changeSale(deps, { saleId: sale.id, organiserId, changes }), {
    code: 'forbidden',
  })
  await t.rejects(changeSale(deps, { saleId: 'sal_00000000000000000000', organiserId, changes }), {
    code: 'no_such_sale',
  })
  t.strictSame(await findSale(sql, sale.id), sale)
})

t.test('sees that its time has come before anybody wrote it down', async (t) => {
  const sale = await makeSale(sql, { changes: scheduled })
  await sql`update sales set opens_at = now() - interval '1 second' where id = ${sale.id}`
  t.match(await change(sale, { status: 'paused' }), { status: 'paused' })
  await sql`update sales set closes_at = now() - interval '1 millisecond' where id = ${sale.id}`
  await t.rejects(change(sale, { status: 'open' }), { code: 'sale_change_not_allowed' })
})

t.test('resumes a full sale as sold out', async (t) => {
  const sale = await makeSale(sql)
  await bookPlaces(sql, { sale, unitNo: 0, ordinals: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] })
  t.equal(await setSoldOut(sql, sale.id, true), true)
  t.match(await change(sale, { status: 'open' }), { status: 'soldout' })
  t.match(await change(sale, { status: 'paused' }), { status: 'paused' })
  t.match(await change(sale, { status: 'open' }), { status: 'soldout' })
})

t.test('loses none of many changes at once', async (t) => {
  const sale = await makeSale(sql)
  const changes = Array.from({ length: 20 }, (_, index) =>
    index % 2 === 0 ? { queue: { ratePerMinute: 1_000 + index } } : { queue: { maxActive: 1_000 + index } },
  )
  await Promise.all(changes.map((one) => change(sale, one)))
  const after = await findSale(sql, sale.id)
  t.equal(after?.version, 21)
  t.ok((after?.queue.ratePerMinute ?? 0) >= 1_000)
  t.ok((after?.queue.maxActive ?? 0) >= 1_000)
})

t.test('does not make orders and admissions of the sale wait', async (t) => {
  const sale = await makeSale(sql)
  await sql.begin(async (tx) => {
    await tx`select 1 from sales where id = ${sale.id} for key share`
    t.match(await change(sale, { status: 'paused' }), { status: 'paused' })
  })
})
