import type { Sql } from '../../db/postgres.ts'
import { Problem } from '../../errors.ts'
import type { BookingStatus } from '../orders/order.ts'
import { ticketErrors } from './ticket-errors.ts'
import type { CheckedInBooking } from './ticket-messages.ts'
import type { TicketCodes, TicketFields } from './ticket.ts'

/**
 * Lets the bearer of a ticket in, once. Cancelling updates the same row under the opposite condition, so of the two
 * only one happens.
 *
 * Throws `ticket_invalid`, `no_such_booking` (also for the sale of another organiser), `already_checked_in` with
 * `checkedInAt`, `ticket_revoked`.
 */
export async function checkIn(
  parts: { readonly sql: Sql; readonly codes: TicketCodes },
  request: { readonly code: string; readonly organiserId: string },
): Promise<CheckedInBooking> {
  const ticket = await parts.codes.verify(request.code)
  const used = await useTicket(parts.sql, ticket, request.organiserId)
  return used ?? (await refuse(parts.sql, ticket, request.organiserId))
}

async function useTicket(
  sql: Sql,
  ticket: TicketFields,
  organiserId: string,
): Promise<CheckedInBooking | undefined> {
  const [row] = await sql<{ id: string; sale: string; order: string; checkedInAt: Date }[]>`
    update bookings set checked_in_at = now()
    from sales
    where bookings.id = ${ticket.booking} and bookings.sale_id = ${ticket.sale} and issue = ${ticket.issue}
      and bookings.status = 'booked' and checked_in_at is null
      and sales.id = bookings.sale_id and sales.organiser_id = ${organiserId}
    returning bookings.id, bookings.sale_id as sale, order_id as order, checked_in_at as "checkedInAt"`
  return row && { ...row, unit: ticket.unit, checkedInAt: row.checkedInAt.toISOString() }
}

/** Says why a ticket with a good signature was not let in. */
async function refuse(sql: Sql, ticket: TicketFields, organiserId: string): Promise<never> {
  const [row] = await sql<{ status: BookingStatus; issue: number; checkedInAt: Date | null }[]>`
    select bookings.status, issue, checked_in_at as "checkedInAt"
    from bookings join sales on sales.id = bookings.sale_id
    where bookings.id = ${ticket.booking} and bookings.sale_id = ${ticket.sale}
      and sales.organiser_id = ${organiserId}`
  if (row === undefined) throw new Problem(ticketErrors.no_such_booking)
  if (row.checkedInAt !== null && row.issue === ticket.issue) {
    const checkedInAt = row.checkedInAt.toISOString()
    throw new Problem(ticketErrors.already_checked_in, {
      detail: `Used at ${checkedInAt}.`,
      extra: { checkedInAt },
    })
  }
  throw new Problem(ticketErrors.ticket_revoked)
}
