import { Batcher, type Fate } from '../../db/batcher.ts'
import type { Sql, TransactionSql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import type { Sale } from '../sales/sale.ts'
import type { UnitTable } from '../sales/unit-table.ts'
import { unitErrors } from '../units/unit-errors.ts'

/** What a sale asks of an account beyond its own number of places. */
export type AccountRules = Pick<Sale, 'storeId' | 'onePerUnit'>

/** An order as far as these limits know it. */
interface LimitedOrder extends AccountRules {
  readonly orderId: string
  readonly saleId: string
  readonly accountId: string
  readonly bookings: readonly { readonly unitNo: number }[]
}

/** What an account has already where it wants more. */
export interface AccountStanding {
  /** Its standing bookings in the sale. */
  readonly booked: readonly { readonly unitNo: number; readonly order: string }[]
  /** In all sales of the store together; without a limit where it is null. */
  readonly inStore: { readonly standing: number; readonly limit: number | null }
}

export interface StandingAsked {
  readonly saleId: string
  readonly storeId: string | null
  readonly accountId: string
}

export function hasAccountRules({ storeId, onePerUnit }: AccountRules): boolean {
  return storeId !== null || onePerUnit
}

/** Answers for a crowd in one query. */
export function standingReader(sql: Sql): Batcher<StandingAsked, AccountStanding> {
  return new Batcher({
    run: async (asked) =>
      (await readStanding(sql, asked)).map((value): Fate<AccountStanding> => ({ ok: true, value })),
    batchMax: 200,
    queueMax: 10_000,
    inFlightMax: 2,
  })
}

async function readStanding(sql: Sql, asked: readonly StandingAsked[]): Promise<AccountStanding[]> {
  const rows = await sql<{ index: number; standing: number; limit: number | null; booked: unknown }[]>`
    select a.index::int as index, st.max_per_account as limit, mine.standing, mine.booked
    from unnest(${asked.map((one) => one.saleId)}::text[], ${asked.map((one) => one.storeId)}::text[],
      ${asked.map((one) => one.accountId)}::text[]) with ordinality as a (sale_id, store_id, account_id, index)
    left join stores st on st.id = a.store_id
    -- Each by itself, lest all bookings are read for a few accounts.
    cross join lateral (
      select count(*)::int as standing,
        json_agg(json_build_object('unitNo', b.unit_no, 'order', b.order_id) order by b.unit_no)
          filter (where b.sale_id = a.sale_id) as booked
      from bookings b
      where b.account_id = a.account_id and b.status in ('pending', 'booked')
        and b.sale_id in (select a.sale_id union select id from sales where store_id = a.store_id)) as mine
    order by a.index`
  return rows.map(({ standing, limit, booked }) => ({
    booked: (booked ?? []) as AccountStanding['booked'],
    inStore: { standing, limit },
  }))
}

/** `already_booked` or `store_limit_reached` where an account may not have what it asks for. */
export function beyondLimits(
  { booked, inStore: { standing, limit } }: AccountStanding,
  asked: { readonly rules: AccountRules; readonly unitNos: readonly number[]; readonly places: number },
  units: Pick<UnitTable, 'codes'>,
): Problem | undefined {
  const before = asked.rules.onePerUnit
    ? booked.find(({ unitNo }) => asked.unitNos.includes(unitNo))
    : undefined
  if (before !== undefined) {
    const unit = units.codes[before.unitNo] ?? ''
    return new Problem(unitErrors.already_booked, {
      detail: `${unit} is booked with the order ${before.order}. Nothing more was booked.`,
      extra: { unit, order: before.order },
    })
  }
  if (limit === null || standing + asked.places <= limit) return undefined
  return new Problem(unitErrors.store_limit_reached, {
    detail: `This store gives ${limit} to an account, of which ${standing} are booked.`,
    extra: { limit, standing },
  })
}

/**
 * Lets the orders of one account wait for each other where they are counted together, in one order for everybody so that
 * two batches cannot wait for each other. To be called before anything is written.
 */
export async function lockAccounts(tx: TransactionSql, orders: readonly LimitedOrder[]): Promise<void> {
  const names = orders
    .filter(hasAccountRules)
    .map(({ storeId, saleId, accountId }) => `${storeId ?? saleId} ${accountId}`)
  if (names.length === 0) return
  await tx`
    with keys as materialized (
      select distinct hashtextextended(name, 0) as key from unnest(${names}::text[]) as name order by key)
    select pg_advisory_xact_lock(key) from keys`
}

/** Those of the orders whose account has a booking of one of their units where it may have one only. */
export async function bookedBefore(tx: TransactionSql, orders: readonly LimitedOrder[]): Promise<string[]> {
  const wanted = orders
    .filter(({ onePerUnit }) => onePerUnit)
    .flatMap(({ bookings, ...order }) => bookings.map(({ unitNo }) => ({ ...order, unitNo })))
  if (wanted.length === 0) return []
  const rows = await tx<{ orderId: string }[]>`
    select distinct w.order_id as "orderId"
    from unnest(${wanted.map((one) => one.orderId)}::text[], ${wanted.map((one) => one.saleId)}::text[],
      ${wanted.map((one) => one.accountId)}::text[], ${wanted.map((one) => one.unitNo)}::int[])
      as w (order_id, sale_id, account_id, unit_no)
    join bookings b on b.sale_id = w.sale_id and b.account_id = w.account_id and b.unit_no = w.unit_no
      and b.one_per_unit and b.status in ('pending', 'booked')`
  return rows.map(({ orderId }) => orderId)
}

/** How many more bookings an account may have in a store, by `storeKey`; below 0 where it has more than that. */
type StoreLimits = ReadonlyMap<string, number>

/** What the accounts of these orders may still have, with all that is written. They are to be locked. */
export async function readStoreLimits(
  tx: TransactionSql,
  orders: readonly LimitedOrder[],
): Promise<StoreLimits> {
  const inStores = orders.filter(({ storeId }) => storeId !== null)
  if (inStores.length === 0) return new Map()
  const rows = await tx<{ storeId: string; accountId: string; free: number }[]>`
    select st.id as "storeId", a.account_id as "accountId", (st.max_per_account - mine.standing)::int as free
    from (select distinct store_id, account_id
      from unnest(${inStores.map((one) => one.storeId)}::text[], ${inStores.map((one) => one.accountId)}::text[])
        as asked (store_id, account_id)) as a
    join stores st on st.id = a.store_id and st.max_per_account is not null
    cross join lateral (
      select count(*) as standing from bookings b
      where b.account_id = a.account_id and b.status in ('pending', 'booked')
        and b.sale_id in (select id from sales where store_id = a.store_id)) as mine`
  return new Map(rows.map((row) => [storeKey(row), row.free]))
}

/**
 * Those of the orders, whose bookings are written, with which their accounts have more than the store gives: of an
 * account's orders the first ones stand.
 * @param orders of which so many bookings are `written`, and stand only where the order is whole
 */
export function beyondStoreLimit(
  limits: StoreLimits,
  orders: readonly (LimitedOrder & { readonly written: number; readonly isWhole: boolean })[],
): Set<string> {
  const free = new Map(limits)
  const add = (key: string, places: number): number => {
    const left = (free.get(key) ?? Number.POSITIVE_INFINITY) + places
    free.set(key, left)
    return left
  }
  for (const order of orders) add(storeKey(order), order.written)
  const beyond = new Set<string>()
  for (const order of orders.filter(({ isWhole }) => isWhole)) {
    if (add(storeKey(order), -order.written) >= 0) continue
    beyond.add(order.orderId)
    add(storeKey(order), order.written)
  }
  return beyond
}

function storeKey({ storeId, accountId }: Pick<LimitedOrder, 'storeId' | 'accountId'>): string {
  return `${storeId} ${accountId}`
}
