import { admissionsOf, mostOpen, mostWithin, type AdmissionRow } from '../../support/fleet.ts'
import type { Breach } from './promises.ts'
import type { Narrowing, RoundSale } from './sales.ts'
import type { World } from './world.ts'

/** What PostgreSQL has in the end, held against the promises; it takes nobody's word for anything. */
export async function judgeLedger(world: World, sales: readonly RoundSale[]): Promise<Breach[]> {
  const ids = sales.map(({ id }) => id)
  return [
    ...(await oversold(world, ids)),
    ...(await judgeMoney(world, ids)),
    ...(await beyondLimit(world, ids)),
    ...(await letInThoughGone(world)),
    ...(await gates(world, sales)),
  ]
}

/** Nothing was taken for nothing, and nothing given for nothing. */
export async function judgeMoney(world: World, ids: readonly string[]): Promise<Breach[]> {
  return [...(await orphanMoney(world, ids)), ...(await unpaidSeats(world, ids))]
}

async function oversold({ sql }: World, ids: readonly string[]): Promise<Breach[]> {
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
async function orphanMoney({ sql }: World, ids: readonly string[]): Promise<Breach[]> {
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

async function unpaidSeats({ sql }: World, ids: readonly string[]): Promise<Breach[]> {
  const rows = await sql<{ order: string }[]>`
    select o.id as order from orders o
    where o.sale_id = any(${[...ids]}) and o.status = 'booked' and o.total_minor > 0
      and not exists (select from sandbox_charges c
        where c.order_id = o.id and c.outcome = 'approved' and c.refunded_at is null)`
  return rows.map(({ order }) => ({ promise: 5, what: `${order} is booked and nobody has paid for it` }))
}

async function beyondLimit({ sql }: World, ids: readonly string[]): Promise<Breach[]> {
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

/** Whoever has given up a place is not let in from it; in any sale. */
async function letInThoughGone({ sql }: World): Promise<Breach[]> {
  const rows = await sql<{ account: string; sale: string }[]>`
    select a.account_id as account, a.sale_id as sale
    from admissions a join queue_leaves l using (sale_id, sequence, account_id)
    where l.reason is distinct from 'no_show'`
  return rows.map(({ account, sale }) => ({
    promise: 3,
    what: `${account} was let into ${sale} from a place that it had given up`,
  }))
}

async function gates({ sql, narrowings }: World, sales: readonly RoundSale[]): Promise<Breach[]> {
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
