import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { accounts } from './accounts.ts'
import { sales, units } from './sales.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' })

export const orders = pgTable(
  'orders',
  {
    id: text().primaryKey(),
    saleId: text('sale_id')
      .notNull()
      .references(() => sales.id),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    holdId: text('hold_id').notNull(),
    status: text({
      enum: ['pending', 'paying', 'booked', 'refused', 'expired', 'cancelled', 'abandoned'],
    }).notNull(),
    totalMinor: bigint('total_minor', { mode: 'number' }).notNull(),
    currency: text().notNull(),
    payBy: at('pay_by'),
    createdAt: at('created_at').notNull().defaultNow(),
    endedAt: at('ended_at'),
    hidden: boolean().notNull().default(false),
  },
  (table) => [
    index('orders_of_account').on(table.accountId, table.createdAt.desc(), table.id.desc()),
    index('orders_due')
      .on(table.payBy)
      .where(sql`${table.status} = 'pending'`),
  ],
)

/** One place of a unit, given to an account by an order. The two unique indexes are what "never oversold" rests on. */
export const bookings = pgTable(
  'bookings',
  {
    id: text().primaryKey(),
    orderId: text('order_id')
      .notNull()
      .references(() => orders.id),
    saleId: text('sale_id').notNull(),
    unitNo: integer('unit_no').notNull(),
    ordinal: integer().notNull(),
    /** The unit's capacity, kept equal by the foreign key, so that a check can refuse the place one too many. */
    capacity: integer().notNull(),
    accountId: text('account_id').notNull(),
    nth: integer().notNull(),
    /** As its sale wants it. */
    onePerUnit: boolean('one_per_unit').notNull().default(false),
    status: text({ enum: ['pending', 'booked', 'released', 'cancelled'] }).notNull(),
    priceMinor: integer('price_minor').notNull(),
    issue: integer().notNull().default(1),
    bookedAt: at('booked_at'),
    cancelledAt: at('cancelled_at'),
    checkedInAt: at('checked_in_at'),
  },
  (table) => [
    foreignKey({
      name: 'bookings_of_unit',
      columns: [table.saleId, table.unitNo, table.capacity],
      foreignColumns: [units.saleId, units.unitNo, units.capacity],
    }).onUpdate('cascade'),
    uniqueIndex('bookings_one_per_place')
      .on(table.saleId, table.unitNo, table.ordinal)
      .where(sql`${table.status} in ('pending', 'booked')`),
    uniqueIndex('bookings_limit_per_account')
      .on(table.saleId, table.accountId, table.nth)
      .where(sql`${table.status} in ('pending', 'booked')`),
    uniqueIndex('bookings_one_per_unit')
      .on(table.saleId, table.accountId, table.unitNo)
      .where(sql`${table.onePerUnit} and ${table.status} in ('pending', 'booked')`),
    index('bookings_of_order').on(table.orderId),
    index('bookings_revoked')
      .on(table.saleId, table.cancelledAt)
      .where(sql`${table.status} = 'cancelled'`),
    check(
      'bookings_within_capacity',
      sql`${table.ordinal} >= 1 and (${table.ordinal} <= ${table.capacity} or ${table.status} not in ('pending', 'booked'))`,
    ),
    check('bookings_nth', sql`${table.nth} >= 1`),
    check('bookings_checked_in', sql`${table.checkedInAt} is null or ${table.status} = 'booked'`),
  ],
)

/** Money asked for and given back. The row is the work: whoever holds the role `payments` takes it with `skip locked`. */
export const payments = pgTable(
  'payments',
  {
    id: text().primaryKey(),
    orderId: text('order_id')
      .notNull()
      .references(() => orders.id),
    method: text().notNull(),
    amountMinor: bigint('amount_minor', { mode: 'number' }).notNull(),
    currency: text().notNull(),
    state: text({
      enum: ['queued', 'calling', 'unknown', 'approved', 'refused', 'void', 'refunding', 'refunded'],
    }).notNull(),
    /** Sent with every charge of this payment; stored before the first call. */
    chargeKey: text('charge_key').notNull(),
    /** Sent with every refund of this payment; stored before the first call. */
    refundKey: text('refund_key').notNull(),
    providerRef: text('provider_ref'),
    attempts: integer().notNull().default(0),
    nextAt: at('next_at').notNull().defaultNow(),
    createdAt: at('created_at').notNull().defaultNow(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('payments_of_order').on(table.orderId),
    index('payments_due')
      .on(table.nextAt)
      .where(sql`${table.state} in ('queued', 'calling', 'unknown', 'refunding')`),
    check('payments_amount', sql`${table.amountMinor} > 0`),
  ],
)

/** The books of the sandbox provider, so that it answers the same after a restart, as a real one would. */
export const sandboxCharges = pgTable('sandbox_charges', {
  chargeKey: text('charge_key').primaryKey(),
  orderId: text('order_id').notNull(),
  amountMinor: bigint('amount_minor', { mode: 'number' }).notNull(),
  outcome: text({ enum: ['approved', 'refused'] }).notNull(),
  refundKey: text('refund_key'),
  createdAt: at('created_at').notNull().defaultNow(),
  refundedAt: at('refunded_at'),
})

/**
 * Changes that others must learn of, written in the transaction that made them.
 * Read in (xid, id) order below the snapshot's xmin: an id alone says nothing about the order of commits.
 */
export const outbox = pgTable(
  'outbox',
  {
    xid: xid8()
      .notNull()
      .default(sql`pg_current_xact_id()`),
    id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    saleId: text('sale_id').notNull(),
    topic: text().notNull(),
    body: jsonb().notNull(),
    at: at('at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.xid, table.id] }),
    index('outbox_of_sale').on(table.saleId, table.xid, table.id),
  ],
)

/** How far a reader of the outbox has come. */
export const outboxPositions = pgTable('outbox_positions', {
  reader: text().primaryKey(),
  xid: xid8().notNull(),
  id: bigint({ mode: 'number' }).notNull(),
  leaseOwner: text('lease_owner'),
  leaseUntil: at('lease_until'),
})
