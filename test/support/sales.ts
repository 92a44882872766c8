import type { Sql } from '../../src/db/postgres.ts'
import { randomIds } from '../../src/ids.ts'
import { createSale } from '../../src/domain/sales/sale-creating.ts'
import type { Sale } from '../../src/domain/sales/sale.ts'
import { newSale } from '../../src/domain/sales/sale-messages.ts'

/** Somebody who may open sales. */
export async function makeOrganiser(sql: Sql): Promise<string> {
  const id = randomIds.next('org')
  await sql`insert into organisers (id, name) values (${id}, 'An organiser')`
  return id
}

/** Somebody who buys. */
export async function makeAccount(sql: Sql): Promise<string> {
  const id = randomIds.next('usr')
  await sql`insert into accounts (id, kind) values (${id}, 'guest')`
  return id
}

const oneSlot = {
  kind: 'slots',
  slots: { dates: ['2026-12-01'], hours: ['10:00'], capacity: 10, priceMinor: 1_000 },
}

/**
 * A sale that is open for an hour with one slot of 10 places, and with patience for those who are away, unless `changes`, members of the body of POST /sales, say
 * otherwise; with a `hall` it is a sale of seats.
 */
export async function makeSale(
  sql: Sql,
  options: { organiserId?: string; changes?: Readonly<Record<string, unknown>> } = {},
): Promise<Sale> {
  const description = newSale.parse({
    title: 'A sale',
    currency: 'KRW',
    opensAt: new Date(Date.now() - 60_000).toISOString(),
    closesAt: new Date(Date.now() + 3_600_000).toISOString(),
    ...(options.changes?.['hall'] === undefined ? oneSlot : { kind: 'seats' }),
    ...options.changes,
    queue: { graceSeconds: 3600, ...(options.changes?.['queue'] as object | undefined) },
  })
  return await createSale(
    { sql, payBySecondsDefault: 300, announce: () => {} },
    {
      saleId: randomIds.next('sal'),
      organiserId: options.organiserId ?? (await makeOrganiser(sql)),
      description,
    },
  )
}

/** Books places of a unit, `ordinals` of them, for one account; straight into the tables. */
export async function bookPlaces(
  sql: Sql,
  options: { sale: Sale; unitNo: number; ordinals: readonly number[] },
): Promise<string[]> {
  const { sale, unitNo, ordinals } = options
  const accountId = await makeAccount(sql)
  const orderId = randomIds.next('ord')
  await sql`
    insert into orders (id, sale_id, account_id, hold_id, status, total_minor, currency)
    values (${orderId}, ${sale.id}, ${accountId}, ${randomIds.next('hol')}, 'booked', 0, ${sale.currency})`
  const rows = await sql<{ id: string }[]>`
    insert into bookings (id, order_id, sale_id, unit_no, ordinal, capacity, account_id, nth, status, price_minor)
    select 'bkg_' || ${orderId} || ordinal, ${orderId}, sale_id, unit_no, ordinal, capacity, ${accountId},
      row_number() over (order by ordinal), 'booked', price_minor
    from units, unnest(${[...ordinals]}::int[]) as ordinal
    where sale_id = ${sale.id} and unit_no = ${unitNo}
    returning id`
  return rows.map(({ id }) => id)
}
