import type { Sql, TransactionSql } from '../../db/postgres.ts'
import type { QueueMode, Sale, SaleKind, SaleStatus } from './sale.ts'
import type { SaleLayout } from './sale-layout-messages.ts'
import type { NewUnit } from './unit-table.ts'

type AnySql = Sql | TransactionSql

interface SaleRow {
  readonly id: string
  readonly organiserId: string
  readonly storeId: string | null
  readonly kind: SaleKind
  readonly title: string
  readonly status: SaleStatus
  readonly admits: Sale['admits']
  readonly opensAt: Date
  readonly closesAt: Date
  readonly queueMode: QueueMode
  readonly ratePerMinute: number
  readonly maxActive: number
  readonly tokenTtlSeconds: number
  readonly holdTtlSeconds: number
  readonly payBySeconds: number
  readonly maxPerAccount: number
  readonly graceSeconds: number
  readonly singleSeats: Sale['singleSeats']
  readonly onePerUnit: boolean
  readonly notice: string | null
  readonly noticeAt: Date | null
  readonly currency: string
  readonly unitCount: number
  readonly placeCount: number
  readonly version: number
  readonly createdAt: Date
}

const columns = (sql: AnySql) => sql`
  id, organiser_id as "organiserId", store_id as "storeId", kind, title, status, admits, opens_at as "opensAt", closes_at as "closesAt",
  queue_mode as "queueMode", rate_per_minute as "ratePerMinute", max_active as "maxActive",
  token_ttl_seconds as "tokenTtlSeconds", hold_ttl_seconds as "holdTtlSeconds", pay_by_seconds as "payBySeconds",
  max_per_account as "maxPerAccount", grace_seconds as "graceSeconds", single_seats as "singleSeats",
  one_per_unit as "onePerUnit", notice,
  notice_at as "noticeAt", currency, unit_count as "unitCount", place_count as "placeCount", version,
  created_at as "createdAt"`

export async function findSale(sql: AnySql, saleId: string): Promise<Sale | undefined> {
  const [row] = await sql<SaleRow[]>`select ${columns(sql)} from sales where id = ${saleId}`
  return row && saleOf(row)
}

/**
 * The sale, locked until the transaction ends, and PostgreSQL's time once it was locked. Rows that refer to the sale, such as
 * orders and admissions, can be written meanwhile.
 */
export async function lockSale(
  tx: TransactionSql,
  saleId: string,
): Promise<{ sale: Sale; nowMs: number } | undefined> {
  const [row] = await tx<SaleRow[]>`select ${columns(tx)} from sales where id = ${saleId} for no key update`
  return row && { sale: saleOf(row), nowMs: await readTime(tx) }
}

/** PostgreSQL's time in milliseconds: the only clock that opens and closes sales. */
export async function readTime(sql: AnySql): Promise<number> {
  const [row] = await sql<{ now: Date }[]>`select clock_timestamp() as now`
  if (row === undefined) throw new Error('PostgreSQL returned no time')
  return row.now.getTime()
}

/** Writes the sale with all its units. False, and nothing written, when there is a sale with this id. */
export async function insertSale(
  tx: TransactionSql,
  sale: Sale,
  contents: { units: readonly NewUnit[]; layout: SaleLayout },
): Promise<boolean> {
  const { queue } = sale
  const inserted = await tx`
    insert into sales (id, organiser_id, store_id, kind, title, status, admits, opens_at, closes_at, queue_mode, rate_per_minute,
      max_active, token_ttl_seconds, hold_ttl_seconds, pay_by_seconds, max_per_account, grace_seconds, single_seats,
      one_per_unit, currency, layout, unit_count, place_count, version, created_at)
    values (${sale.id}, ${sale.organiserId}, ${sale.storeId}, ${sale.kind}, ${sale.title}, ${sale.status}, ${sale.admits},
      ${new Date(sale.opensAtMs)}, ${new Date(sale.closesAtMs)}, ${queue.mode}, ${queue.ratePerMinute},
      ${queue.maxActive}, ${queue.tokenTtlSeconds}, ${queue.holdTtlSeconds}, ${sale.payBySeconds},
      ${queue.maxPerAccount}, ${queue.graceSeconds}, ${sale.singleSeats}, ${sale.onePerUnit}, ${sale.currency}, ${JSON.stringify(contents.layout)}::text::jsonb, ${sale.unitCount},
      ${sale.placeCount}, ${sale.version}, ${new Date(sale.createdAtMs)})
    on conflict (id) do nothing
    returning 1`
  if (inserted.length === 0) return false
  await tx`insert into sale_writers (sale_id) values (${sale.id})`
  await insertUnits(tx, sale.id, contents.units)
  return true
}

async function insertUnits(tx: TransactionSql, saleId: string, units: readonly NewUnit[]): Promise<void> {
  await tx`
    insert into units (sale_id, unit_no, code, capacity, price_minor, price_class)
    select ${saleId}, unit.* from unnest(
      ${units.map((unit) => unit.unitNo)}::int[],
      ${units.map((unit) => unit.code)}::text[],
      ${units.map((unit) => unit.capacity)}::int[],
      ${units.map((unit) => unit.priceMinor)}::int[],
      ${units.map((unit) => unit.priceClass)}::text[]) as unit`
}

/** Writes what may change in a sale. The caller holds its lock. */
export async function updateSale(tx: TransactionSql, sale: Sale): Promise<void> {
  await tx`
    update sales set title = ${sale.title}, status = ${sale.status}, opens_at = ${new Date(sale.opensAtMs)},
      closes_at = ${new Date(sale.closesAtMs)}, rate_per_minute = ${sale.queue.ratePerMinute},
      max_active = ${sale.queue.maxActive}, notice = ${sale.notice?.text ?? null},
      notice_at = ${sale.notice && new Date(sale.notice.atMs)}, version = ${sale.version}
    where id = ${sale.id}`
}

export async function countBookedPlaces(sql: AnySql, saleId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from bookings where sale_id = ${saleId} and status = 'booked'`
  return row?.count ?? 0
}

export async function anySaleExists(sql: AnySql): Promise<boolean> {
  const [row] = await sql<{ exists: boolean }[]>`select exists (select from sales)`
  return row?.exists ?? false
}

export async function readLayout(sql: AnySql, saleId: string): Promise<SaleLayout | undefined> {
  const [row] = await sql<{ layout: SaleLayout }[]>`select layout from sales where id = ${saleId}`
  return row?.layout
}

/** All units of a sale in the order of their numbers. */
export async function readUnits(sql: AnySql, saleId: string): Promise<NewUnit[]> {
  return await sql<NewUnit[]>`
    select unit_no as "unitNo", code, capacity, price_minor as "priceMinor", price_class as "priceClass"
    from units where sale_id = ${saleId} order by unit_no`
}

export interface SaleFilter {
  readonly status?: SaleStatus | undefined
  readonly kind?: SaleKind | undefined
  /** Part of the title. */
  readonly titlePart?: string | undefined
  /** The last sale of the page before. */
  readonly after?: { readonly opensAtMs: number; readonly id: string } | undefined
  readonly limit: number
  /** Only those of this organiser, drafts included. */
  readonly organiserId?: string | undefined
  /** Only those that are held in this store. */
  readonly storeId?: string | undefined
}

/** Sales that are shown, the one that opens last first. */
export async function listSales(sql: AnySql, filter: SaleFilter): Promise<Sale[]> {
  const { status, kind, titlePart, after, limit, organiserId, storeId } = filter
  const rows = await sql<SaleRow[]>`
    select ${columns(sql)} from sales
    where ${organiserId === undefined ? sql`status <> 'draft'` : sql`organiser_id = ${organiserId}`}
      ${storeId === undefined ? sql`` : sql`and store_id = ${storeId}`}
      ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
      ${titlePart === undefined ? sql`` : sql`and title ilike ${`%${titlePart.replace(/[\\%_]/g, '\\$&')}%`}`}
      ${after === undefined ? sql`` : sql`and (opens_at, id) < (${new Date(after.opensAtMs)}, ${after.id})`}
    order by opens_at desc, id desc
    limit ${limit}`
  return rows.map(saleOf)
}

function saleOf(row: SaleRow): Sale {
  const { opensAt, closesAt, createdAt, queueMode, ratePerMinute, maxActive, tokenTtlSeconds, ...rest } = row
  const { holdTtlSeconds, maxPerAccount, graceSeconds, notice, noticeAt, ...sale } = rest
  return {
    ...sale,
    opensAtMs: opensAt.getTime(),
    closesAtMs: closesAt.getTime(),
    queue: {
      mode: queueMode,
      ratePerMinute,
      maxActive,
      tokenTtlSeconds,
      holdTtlSeconds,
      maxPerAccount,
      graceSeconds,
    },
    notice: notice === null || noticeAt === null ? null : { text: notice, atMs: noticeAt.getTime() },
    createdAtMs: createdAt.getTime(),
  }
}
