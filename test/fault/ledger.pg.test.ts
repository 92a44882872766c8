import t from 'tap'
import { makeSale } from '../support/sales.ts'
import { at, makePeople, slots } from '../support/shop.ts'
import { usePostgres } from '../support/stores.ts'
import { until } from '../support/until.ts'
import { judgeLedger, type LedgerWorld } from './suite/ledger.ts'
import type { Narrowing } from './suite/sales.ts'
import { unhurriedPostgres } from '../support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 2, name: 'ledger-test' })
t.teardown(() => sql.end())

/** Redis agrees with whatever PostgreSQL says. */
const worldOf = (narrowings: Narrowing[] = []): LedgerWorld => ({
  sql,
  redis: { hexists: async () => 1 },
  stores: { sentinels: undefined, cluster: undefined },
  narrowings,
})
const limits = { maxActive: 3, ratePerMinute: 5 }
const judged = async (sale: string, narrowings: Narrowing[] = []) => {
  const { breaches, looked } = await judgeLedger(worldOf(narrowings), [{ id: sale, ...limits }])
  return { said: breaches.map(({ promise, what }) => `${promise} ${what}`), looked }
}

let sequence = 0
const nowMs = Date.now()
/** In seconds from now. */
async function admitted(sale: string, account: string, times: { at: number; ends: number; closed?: number }) {
  const time = (seconds: number) => new Date(nowMs + seconds * 1_000)
  const closed = times.closed === undefined ? null : time(times.closed)
  sequence += 1
  await sql`
    insert into admissions (sale_id, sequence, account_id, admitted_at, expires_at, closed_at, closed_as)
    values (${sale}, ${sequence}, ${account}, ${time(times.at)}, ${time(times.ends)}, ${closed}, ${closed && 'left'})`
}

t.test('too many at once, too many a minute, and beside a narrowed gate are found', async (t) => {
  const { id } = await makeSale(sql, { changes: slots(2) })
  const people = await makePeople(sql, 10)
  for (let number = 0; number < 5; number++)
    await admitted(id, at(people, number), { at: number - 60, ends: 60, closed: number - 58 })
  t.same((await judged(id)).said, [])
  const narrowing = { sale: id, maxActive: 1, fromMs: nowMs - 65_000, toMs: nowMs - 50_000 }
  t.match((await judged(id, [narrowing])).said, [/^3 2 were in .* when it took 1/])
  await admitted(id, at(people, 5), { at: -30, ends: 60 })
  t.match((await judged(id)).said, [/^3 6 were let into .* in a minute; its pace is 5/])
  for (let number = 6; number < 9; number++) await admitted(id, at(people, number), { at: 40, ends: 60 })
  t.match((await judged(id)).said, [/^3 4 were in .* at once; it takes 3/, /a minute/])
  await sql`delete from admissions`
})

t.test('a token that ended and stays open is found', async (t) => {
  const { id } = await makeSale(sql, { changes: slots(2) })
  const people = await makePeople(sql, 2)
  await admitted(id, at(people, 0), { at: -60, ends: -1 })
  let said: string[] = []
  // Again where the machine stood still for longer than the moment that there is for it.
  const soonSaid = async (): Promise<string[]> => {
    await sql`
      update admissions set expires_at = clock_timestamp() - interval '1 second' where account_id = ${at(people, 0)}`
    said = (await judged(id)).said
    return said
  }
  await until('there is a moment for it', async () => (await soonSaid()).length === 0)
  await admitted(id, at(people, 1), { at: -60, ends: -30 })
  await until('only the other one is found', async () => (await soonSaid()).length === 1)
  t.match(said, [new RegExp(`^8 the token of ${at(people, 1)} in ${id} ended`)])
  await sql`delete from admissions`
})

t.test('money of no order, and other money than an order comes to, is found', async (t) => {
  const { id } = await makeSale(sql, { changes: slots(2) })
  const [account] = await makePeople(sql, 1)
  const ordered = async (order: string, status: string) =>
    await sql`
      insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency)
      values (${order}, ${id}, ${account ?? ''}, ${order}, ${status}, 500, 'KRW')`
  const charged = async (order: string, amount: number) =>
    await sql`
      insert into sandbox_charges (charge_key, order_id, amount_minor, outcome)
      values (${`${order} ${amount}`}, ${order}, ${amount}, 'approved')`
  await ordered('ord_right', 'booked')
  await charged('ord_right', 500)
  t.same(await judged(id), { said: [], looked: { charges: 1 } })
  await ordered('ord_cheap', 'booked')
  await charged('ord_cheap', 400)
  await charged('ord_nowhere', 500)
  await ordered('ord_cancelled', 'cancelled')
  await charged('ord_cancelled', 500)
  await ordered('ord_free', 'booked')
  t.match((await judged(id)).said.toSorted(), [
    /^5 400 were taken for ord_cheap, which comes to 500/,
    /^5 500 were taken for ord_nowhere, which is nowhere/,
    /^5 ord_cancelled is cancelled and money was taken for it 1 times/,
    /^5 ord_free is booked and nobody has paid for it/,
  ])
})
