import { saleKeys } from '../../../src/domain/sale-state/sale-keys.ts'
import { admissionsOf, mostOpen, mostWithin, type AdmissionRow } from '../../support/fleet.ts'
import type { Breach, Judged } from './promises.ts'
import type { Narrowing, RoundSale } from './sales.ts'
import type { World } from './world.ts'

/** What of a world is looked at here. */
export type LedgerWorld = Pick<World, 'sql' | 'narrowings'> & {
  readonly redis: Pick<World['redis'], 'hexists'>
  readonly stores: Pick<World['stores'], 'sentinels' | 'cluster'>
}

type LedgerSale = Pick<RoundSale, 'id' | 'maxActive' | 'ratePerMinute'>

/** What PostgreSQL has in the end, held against the promises; it takes nobody's word for anything. */
export async function judgeLedger(world: LedgerWorld, sales: readonly LedgerSale[]): Promise<Judged> {
  const ids = sales.map(({ id }) => id)
  const breaches = [
    ...(await oversold(world, ids)),
    ...(await judgeMoney(world, ids)),
    ...(await beyondLimit(world, ids)),
    ...(await strayAdmissions(world)),
    ...(await overdueAdmissions(world)),
    ...(await gates(world, sales)),
  ]
  return { breaches, looked: { charges: await approvedCharges(world, ids) } }
}

/** Nothing was taken for nothing, and nothing given for nothing. */
export async function judgeMoney(world: Pick<World, 'sql'>, ids: readonly string[]): Promise<Breach[]> {
  return [
    ...(await orphanMoney(world, ids)),
    ...(await strangeCharges(world)),
    ...(await unpaidSeats(world, ids)),
  ]
}

async function oversold({ sql }: Pick<World, 'sql'>, ids: readonly string[]): Promise<Breach[]> {
  const rows = await sql<
    { sale: string; code: string; capacity: number; standing: number; places: number }[]
  >`
    select u.sale_id as sale, u.code, u.capacity, count(*)::int as standing, count(distinct b.ordinal)::int as places
    from units u join bookings b on b.sale_id = u.sale_id and b.unit_no = u.unit_no and b.status in ('pending', 'booked')
    where u.sale_id = any(${[...ids]})
    group by u.sale_id, u.code, u.capacity having count(*) > u.capacity or count(*) > count(distinct b.ordinal)`
  return rows.map(({ sale, code, capacity, standing, places }) => ({
    promise: 1,
    what: `${code} of ${sale} has ${capacity} places, ${standing} bookings of ${places} of them`,
  }))
}

/** Money that was taken, and not given back, for an order that does not stand; or twice for one. */
async function orphanMoney({ sql }: Pick<World, 'sql'>, ids: readonly string[]): Promise<Breach[]> {
  const rows = await sql<{ order: string; status: string; taken: number }[]>`
    select o.id as order, o.status, count(*)::int as taken
    from sandbox_charges c join orders o on o.id = c.order_id
    where o.sale_id = any(${[...ids]}) and c.outcome = 'approved' and c.refunded_at is null
    group by o.id, o.status having o.status <> 'booked' or count(*) > 1`
  return rows.map(({ order, status, taken }) => ({
    promise: 5,
    what: `${order} is ${status} and money was taken for it ${taken} times and not given back`,
  }))
}

/** Money of no order, or other money than its order comes to; of any sale. */
async function strangeCharges({ sql }: Pick<World, 'sql'>): Promise<Breach[]> {
  const rows = await sql<{ order: string; amount: number; total: number | null }[]>`
    select c.order_id as order, c.amount_minor::float8 as amount, o.total_minor::float8 as total
    from sandbox_charges c left join orders o on o.id = c.order_id
    where c.outcome = 'approved' and c.refunded_at is null
      and (o.id is null or o.total_minor <> c.amount_minor)`
  return rows.map(({ order, amount, total }) => ({
    promise: 5,
    what: `${amount} were taken for ${order}, which ${total === null ? 'is nowhere' : `comes to ${total}`}`,
  }))
}

async function approvedCharges({ sql }: Pick<World, 'sql'>, ids: readonly string[]): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from sandbox_charges c join orders o on o.id = c.order_id
    where o.sale_id = any(${[...ids]}) and c.outcome = 'approved'`
  return row?.count ?? 0
}

async function unpaidSeats({ sql }: Pick<World, 'sql'>, ids: readonly string[]): Promise<Breach[]> {
  const rows = await sql<{ order: string }[]>`
    select o.id as order from orders o
    where o.sale_id = any(${[...ids]}) and o.status = 'booked' and o.total_minor > 0
      and not exists (select from sandbox_charges c
        where c.order_id = o.id and c.outcome = 'approved' and c.refunded_at is null)`
  return rows.map(({ order }) => ({ promise: 5, what: `${order} is booked and nobody has paid for it` }))
}

async function beyondLimit({ sql }: Pick<World, 'sql'>, ids: readonly string[]): Promise<Breach[]> {
  const rows = await sql<{ account: string; sale: string; count: number; limit: number }[]>`
    select b.account_id as account, b.sale_id as sale, count(*)::int as count, s.max_per_account as limit
    from bookings b join sales s on s.id = b.sale_id
    where b.sale_id = any(${[...ids]}) and b.status in ('pending', 'booked')
    group by b.account_id, b.sale_id, s.max_per_account having count(*) > s.max_per_account`
  return rows.map(({ account, sale, count, limit }) => ({
    promise: 7,
    what: `${account} has ${count} places of ${sale}, which gives ${limit}`,
  }))
}

/** Whoever is in by PostgreSQL, which a rebuilt gate goes by, is in by Redis, which the gate goes by now; in any sale. */
async function strayAdmissions({ sql, redis, stores }: LedgerWorld): Promise<Breach[]> {
  // Where Redis is several, it is not asked here.
  if (stores.sentinels !== undefined || stores.cluster !== undefined) return []
  const open = await sql<{ account: string; sale: string }[]>`
    select account_id as account, sale_id as sale from admissions where closed_at is null`
  const stray = await Promise.all(
    open.map(async (one) =>
      (await redis.hexists(saleKeys(one.sale).active, one.account)) === 1 ? [] : [one],
    ),
  )
  return stray.flat().map(({ account, sale }) => ({
    promise: 3,
    what: `${account} is in ${sale} by PostgreSQL, and not by Redis`,
  }))
}

/** While a dead writer is replaced. */
const overdueSeconds = 4

/** A token that has ended is closed, and makes room for others; in any sale. */
async function overdueAdmissions({ sql }: Pick<World, 'sql'>): Promise<Breach[]> {
  const rows = await sql<{ account: string; sale: string; lateMs: number }[]>`
    select account_id as account, sale_id as sale,
      (extract(epoch from clock_timestamp() - expires_at) * 1000)::int as "lateMs"
    from admissions
    where closed_at is null and expires_at < clock_timestamp() - make_interval(secs => ${overdueSeconds})`
  return rows.map(({ account, sale, lateMs }) => ({
    promise: 8,
    what: `the token of ${account} in ${sale} ended ${lateMs} ms ago and is still open`,
  }))
}

async function gates({ sql, narrowings }: LedgerWorld, sales: readonly LedgerSale[]): Promise<Breach[]> {
  const breaches: Breach[] = []
  for (const { id, maxActive, ratePerMinute } of sales) {
    const admissions = await admissionsOf(sql, id)
    const most = mostOpen(admissions)
    if (most > maxActive)
      breaches.push({ promise: 3, what: `${most} were in ${id} at once; it takes ${maxActive}` })
    breaches.push(...narrowings.filter(({ sale }) => sale === id).flatMap((one) => beyond(one, admissions)))
    const paced = mostWithin(admissions, 60_000)
    if (paced > ratePerMinute)
      breaches.push({
        promise: 3,
        what: `${paced} were let into ${id} in a minute; its pace is ${ratePerMinute}`,
      })
  }
  return breaches
}

/** Settings that a process knows may be a second old, and a tick under way. */
const heededWithinMs = 2_500

/** Whoever is in stays in, but nobody comes in beside too many. */
function beyond({ sale, maxActive, fromMs, toMs }: Narrowing, admissions: readonly AdmissionRow[]): Breach[] {
  const later = admissions.filter(
    ({ admittedMs }) => admittedMs > fromMs + heededWithinMs && admittedMs < toMs,
  )
  const open = later.map(
    ({ admittedMs: atMs }) =>
      admissions.filter((one) => one.admittedMs <= atMs && one.closedMs > atMs).length,
  )
  const most = Math.max(0, ...open)
  if (most <= maxActive) return []
  return [{ promise: 3, what: `${most} were in ${sale} at once when it took ${maxActive}` }]
}
