/**
 * An order and what is true in each of its states:
 *
 * | state     | its bookings            | money                                   | goes on to                  |
 * |-----------|-------------------------|-----------------------------------------|-----------------------------|
 * | pending   | pending                 | none moved; may be paid until `payBy`   | paying, expired, cancelled  |
 * | paying    | pending                 | a charge is open, its outcome not known | booked, refused             |
 * | booked    | booked                  | captured, or nothing to pay             | cancelled                   |
 * | refused   | released                | none moved                              |                             |
 * | expired   | released                | none moved                              |                             |
 * | cancelled | cancelled, or released  | given back, or being given back         |                             |
 * | abandoned | none: places were taken | none moved; shown to whoever names it   |                             |
 *
 * While an order is `paying` neither the clock nor the buyer ends it: only the provider's answer does.
 */
export const orderStatuses = [
  'pending',
  'paying',
  'booked',
  'refused',
  'expired',
  'cancelled',
  'abandoned',
] as const
export type OrderStatus = (typeof orderStatuses)[number]

export const bookingStatuses = ['pending', 'booked', 'released', 'cancelled'] as const
export type BookingStatus = (typeof bookingStatuses)[number]

/** A place that an order holds: the unit, its `ordinal`-th place, and the account's `nth` place in the sale. */
export type OrderPlace = readonly [unitNo: number, ordinal: number, nth: number]

const moves: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: ['paying', 'expired', 'cancelled'],
  paying: ['booked', 'refused'],
  booked: ['cancelled'],
  refused: [],
  expired: [],
  cancelled: [],
  abandoned: [],
}

export function mayMove(from: OrderStatus, to: OrderStatus): boolean {
  return moves[from].includes(to)
}

/** The states from which an order may come into this one. */
export function comesFrom(to: OrderStatus): OrderStatus[] {
  return orderStatuses.filter((from) => mayMove(from, to))
}

/** Nothing will happen to it any more. */
export function hasEnded(status: OrderStatus): boolean {
  return moves[status].length === 0
}
