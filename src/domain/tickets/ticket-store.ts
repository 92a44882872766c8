import type { Sql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import type { BookingStatus } from '../orders/order.ts'
import { pageOf, readCursor } from '../page-cursor.ts'
import { ticketErrors } from './ticket-errors.ts'
import { isBookingId, type RevokedTicket } from './ticket-messages.ts'
import type { TicketFields } from './ticket.ts'

/** What an account's ticket says. Throws `no_such_booking`, `not_booked`. */
export async function mustFindTicket(
  sql: Sql,
  { bookingId, accountId }: { bookingId: string; accountId: string },
): Promise<TicketFields> {
  if (!isBookingId(bookingId)) throw new Problem(ticketErrors.no_such_booking)
  const [row] = await sql<(TicketFields & { status: BookingStatus })[]>`
    select bookings.id as booking, bookings.sale_id as sale, units.code as unit, issue, bookings.status
    from bookings join units on units.sale_id = bookings.sale_id and units.unit_no = bookings.unit_no
    where bookings.id = ${bookingId} and account_id = ${accountId}`
  if (row === undefined) throw new Problem(ticketErrors.no_such_booking)
  const { status, ...fields } = row
  if (status !== 'booked') throw new Problem(ticketErrors.not_booked)
  return fields
}

/**
 * The tickets of a sale that were revoked, the earliest first, so that a scanner can tell without a network. Cancelling
 * takes the present issue with it.
 */
export async function listRevoked(
  sql: Sql,
  { saleId, cursor, limit }: { saleId: string; cursor?: string | undefined; limit: number },
): Promise<{ items: RevokedTicket[]; next: string | null }> {
  const after = cursor === undefined ? undefined : readCursor(cursor)
  const rows = await sql<{ booking: string; issue: number; at: Date }[]>`
    select id as booking, issue, cancelled_at as at from bookings
    where sale_id = ${saleId} and status = 'cancelled'
      ${after === undefined ? sql`` : sql`and (cancelled_at, id) > (${new Date(after.at)}, ${after.id})`}
    order by cancelled_at, id
    limit ${limit + 1}`
  const { items, next } = pageOf(rows, limit, ({ at, booking }) => ({ at: at.getTime(), id: booking }))
  return { items: items.map(({ booking, issue, at }) => ({ booking, issue, at: at.toISOString() })), next }
}
