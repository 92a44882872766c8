import { isOpen } from '../client/order-outcome.ts'
import type { BookingMessage, OrderMessage } from '../domain/orders/order-messages.ts'
import { groupedBy } from './grouped-by.ts'
import type { JournalEntry } from './journal.ts'
import type { AuditedBuyer, Case, Finding } from './verdict.ts'

/** For every unit, the bookings that stand are no more than its places. */
export function judgeStock({ audit, sale }: Case): Finding {
  const standing = audit.flatMap((one) => standingBookings(one, sale.id))
  const byUnit = groupedBy(standing, ({ unit }) => unit)
  const breaches = [...byUnit].flatMap(([unit, bookings]) => {
    const capacity = sale.capacities.get(unit)
    if (capacity === undefined) return [`${unit} is booked and is no unit of the sale`]
    if (bookings.length <= capacity) return []
    return [`${unit} has ${capacity} places and ${bookings.length} bookings`]
  })
  return { checked: standing.length, breaches }
}

/** No account has more places than one may have. */
export function judgeLimit({ audit, sale }: Case): Finding {
  const breaches = audit.flatMap((one) => {
    const count = standingBookings(one, sale.id).length
    return count > sale.maxPerAccount
      ? [`${one.buyer} has ${count} places; an account may have ${sale.maxPerAccount}`]
      : []
  })
  return { checked: audit.length, breaches }
}

/** An order that was answered as booked is booked at the end; one that was answered as refused or expired is not. */
export function judgeSaid({ entries, audit }: Case): Finding {
  const atTheEnd = new Map(audit.flatMap(({ orders }) => orders).map((order) => [order.id, order]))
  const said = entries.filter((entry) => entry.type === 'order-said')
  const final = said.filter((order) => !isOpen(order))
  const breaches = final.flatMap(({ buyer, order, status }) => {
    const now = atTheEnd.get(order)?.status
    // What could not be written in time stands in no list of orders.
    const isAbandoned = status === 'abandoned' && now === undefined
    return now === status || isAbandoned
      ? []
      : [`${order} of ${buyer} was ${status} and is now ${now ?? 'gone'}`]
  })
  return { checked: final.length, breaches }
}

/** For each booked order a ticket was handed out, and it names what was booked. */
export function judgeTickets({ entries, audit, sale }: Case): Finding {
  const tickets = new Map(ticketsOf(entries).map((ticket) => [ticket.order, ticket]))
  const booked = audit
    .flatMap(({ orders }) => orders)
    .filter((order) => order.sale === sale.id && order.status === 'booked')
  const breaches = booked.flatMap(({ id }) => {
    const ticket = tickets.get(id)
    if (ticket === undefined) return [`${id} is booked and has no ticket`]
    return ticket.isRight ? [] : [`the ticket of ${ticket.booking} names something else`]
  })
  return { checked: booked.length, breaches }
}

function ticketsOf(entries: readonly JournalEntry[]) {
  return entries.filter((entry) => entry.type === 'ticket')
}

function standingBookings({ orders }: AuditedBuyer, saleId: string): BookingMessage[] {
  return orders
    .filter((order: OrderMessage) => order.sale === saleId)
    .flatMap(({ bookings }) => bookings)
    .filter(({ status }) => status === 'pending' || status === 'booked')
}
