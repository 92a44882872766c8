import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import type { RushStore } from '../load/rush-calls.ts'
import type { Stage } from '../stage/stage.ts'
import { seedStores } from '../stage/store-seeding.ts'

const rushDates = Array.from({ length: 5 }, (_, day) => `2030-01-${String(day + 1).padStart(2, '0')}`)
const rushHours = Array.from({ length: 8 }, (_, hour) => `${hour + 11}:00`)
export const rushUnits = rushDates.flatMap((date) => rushHours.map((hour) => `${date}T${hour}`))
/** Places of a slot: few enough that a store on everybody's mind is booked out. */
const rushCapacity = 30

/** Fifty a second are let in, and nobody loses a place for having looked away for a minute. */
const gate = { ratePerMinute: 3_000, maxActive: 2_000, tokenTtlSeconds: 3_600, maxPerAccount: 1 }
/** Stores that are looked at for each one in which there is a sale. */
const othersForEach = 10
/** Longer than any run. */
const staysOpen = '1 day'

/** A town full of stores, with a sale of slots in some of those that are most popular. */
export async function seedRushStores(
  stage: Stage,
  options: { stores: number; sales: number },
): Promise<{ stores: RushStore[]; sales: string[] }> {
  const { sql, server } = stage
  await seedStores(sql, { count: options.stores, nowMs: Date.now() })
  const popular = await sql<{ id: string }[]>`
    select id from stores
    where organiser_id = 'org_bench' and status = 'open' and closes_at > now() + ${staysOpen}::interval
    order by popularity desc limit ${options.sales * (1 + othersForEach)}`
  const sellers = popular.slice(0, options.sales).map(({ id }) => id)
  await sql`
    update stores set organiser_id = (select id from organisers where id <> 'org_bench' order by id limit 1)
    where id = any(${sellers})`
  const sales = new Map<string, string>()
  for (const store of sellers) sales.set(store, await createSaleIn(store, server))
  for (const sale of sales.values()) await untilOpen(stage, sale)
  return { stores: popular.map(({ id }) => ({ id, sale: sales.get(id) })), sales: [...sales.values()] }
}

async function createSaleIn(store: string, { port, organiserKey }: Stage['server']): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/sales`, {
    method: 'POST',
    headers: { authorization: `Bearer ${organiserKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      kind: 'slots',
      store,
      title: 'Rush',
      currency: 'KRW',
      opensAt: new Date(Date.now() - 60_000).toISOString(),
      closesAt: new Date(Date.now() + 86_400_000).toISOString(),
      queue: gate,
      slots: { dates: rushDates, hours: rushHours, capacity: rushCapacity, priceMinor: 0 },
    }),
  })
  const answer = (await response.json()) as { id?: string }
  if (answer.id === undefined) throw new Error(`no sale could be made: ${JSON.stringify(answer)}`)
  return answer.id
}

async function untilOpen({ redis }: Stage, sale: string): Promise<void> {
  for (let looks = 0; looks < 500; looks++) {
    const [status, ready] = await redis.hmget(saleKeys(sale).state, 'status', 'ready')
    if (status === 'open' && ready === '1') return
    await wait(20)
  }
  throw new Error(`the sale ${sale} does not open`)
}
