import type { Sql, TransactionSql } from '../../db/postgres.ts'

/** A place whose booking stands. */
export interface StandingPlace {
  readonly unitNo: number
  readonly ordinal: number
  readonly nth: number
  readonly accountId: string
  readonly orderId: string
  /** False while the order is not paid. */
  readonly booked: boolean
}

/** Every place of a sale, or of some of its units, that bookings stand for. */
export async function standingPlaces(
  sql: Sql | TransactionSql,
  saleId: string,
  unitNos?: readonly number[],
): Promise<StandingPlace[]> {
  return await sql<StandingPlace[]>`
    select unit_no as "unitNo", ordinal, nth, account_id as "accountId", order_id as "orderId",
      status = 'booked' as booked
    from bookings
    where sale_id = ${saleId} and status in ('pending', 'booked')
      ${unitNos === undefined ? sql`` : sql`and unit_no = any(${[...unitNos]})`}`
}

/** The capacity of each unit, by its number. */
export async function unitCapacities(sql: Sql | TransactionSql, saleId: string): Promise<number[]> {
  const rows = await sql<{ capacity: number }[]>`
    select capacity from units where sale_id = ${saleId} order by unit_no`
  return rows.map((row) => row.capacity)
}
