import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { accounts, organisers } from './accounts.ts'
import { stores } from './stores.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

export const sales = pgTable(
  'sales',
  {
    id: text().primaryKey(),
    organiserId: text('organiser_id')
      .notNull()
      .references(() => organisers.id),
    /** Where it is held, if in a store. */
    storeId: text('store_id').references(() => stores.id),
    kind: text({ enum: ['seats', 'slots'] }).notNull(),
    title: text().notNull(),
    status: text({ enum: ['draft', 'scheduled', 'open', 'paused', 'soldout', 'closed'] }).notNull(),
    admits: text({ enum: ['guests', 'verified'] }).notNull(),
    opensAt: at('opens_at').notNull(),
    closesAt: at('closes_at').notNull(),
    queueMode: text('queue_mode', { enum: ['fifo', 'lottery'] }).notNull(),
    ratePerMinute: integer('rate_per_minute').notNull(),
    maxActive: integer('max_active').notNull(),
    tokenTtlSeconds: integer('token_ttl_seconds').notNull(),
    holdTtlSeconds: integer('hold_ttl_seconds').notNull(),
    payBySeconds: integer('pay_by_seconds').notNull(),
    maxPerAccount: integer('max_per_account').notNull(),
    /** How long somebody may be away when their turn comes, and once more after it, before the place is lost. */
    graceSeconds: integer('grace_seconds').notNull().default(90),
    /** Whether a hold may leave a single seat between taken ones. */
    singleSeats: text('single_seats', { enum: ['allowed', 'refused'] })
      .notNull()
      .default('allowed'),
    /** Whether an account may have one standing booking of each unit only. */
    onePerUnit: boolean('one_per_unit').notNull().default(false),
    /** What the organiser tells those who wait. */
    notice: text(),
    noticeAt: at('notice_at'),
    currency: text().notNull(),
    /** What the page draws: sections and rows, or days and hours. Never changed once units exist. */
    layout: jsonb().notNull(),
    unitCount: integer('unit_count').notNull(),
    placeCount: integer('place_count').notNull(),
    /** Raised by each change an edge must learn of. */
    version: integer().notNull().default(1),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('sales_status_opens').on(table.status, table.opensAt),
    index('sales_of_store').on(table.storeId, table.opensAt),
    check('sales_period', sql`${table.opensAt} < ${table.closesAt}`),
    check('sales_rate', sql`${table.ratePerMinute} between 1 and 6000000`),
    check('sales_active', sql`${table.maxActive} between 1 and 1000000`),
    check('sales_limit', sql`${table.maxPerAccount} between 1 and 50`),
    check('sales_queue_mode', sql`${table.queueMode} in ('fifo', 'lottery')`),
    check('sales_grace', sql`${table.graceSeconds} between 1 and 3600`),
    check('sales_single_seats', sql`${table.singleSeats} in ('allowed', 'refused')`),
    check('sales_notice', sql`(${table.notice} is null) = (${table.noticeAt} is null)`),
  ],
)

/** Who writes to a sale's line now, and which life of its Redis state is the present one. */
export const saleWriters = pgTable('sale_writers', {
  saleId: text('sale_id')
    .primaryKey()
    .references(() => sales.id),
  /** Raised by whoever becomes the writer; a write that carries an older one is refused. */
  fence: bigint({ mode: 'number' }).notNull().default(0),
  /** Raised whenever Redis may have forgotten something. */
  epoch: integer().notNull().default(0),
  /** Redis' run_id under which the present epoch was built. */
  storeRunId: text('store_run_id'),
  epochSince: at('epoch_since'),
  leaseOwner: text('lease_owner'),
  leaseUntil: at('lease_until'),
})

/** What is sold: a seat has capacity 1, a slot more. */
export const units = pgTable(
  'units',
  {
    saleId: text('sale_id')
      .notNull()
      .references(() => sales.id),
    /** 0 … unit_count − 1, the index that maps and deltas use. */
    unitNo: integer('unit_no').notNull(),
    code: text().notNull(),
    capacity: integer().notNull(),
    priceMinor: integer('price_minor').notNull(),
    priceClass: text('price_class').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.saleId, table.unitNo] }),
    unique('units_code').on(table.saleId, table.code),
    unique('units_place_limit').on(table.saleId, table.unitNo, table.capacity),
    check('units_capacity', sql`${table.capacity} between 1 and 1000000`),
    check('units_price', sql`${table.priceMinor} >= 0`),
  ],
)

/** Who was let in, until when, and how it ended. Written before anybody is told. */
export const admissions = pgTable(
  'admissions',
  {
    saleId: text('sale_id')
      .notNull()
      .references(() => sales.id),
    sequence: bigint({ mode: 'number' }).notNull(),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    admittedAt: at('admitted_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    closedAt: at('closed_at'),
    closedAs: text('closed_as', { enum: ['ended', 'left', 'fulfilled', 'sale_closed'] }),
  },
  (table) => [
    primaryKey({ columns: [table.saleId, table.sequence] }),
    uniqueIndex('admissions_one_open')
      .on(table.saleId, table.accountId)
      .where(sql`${table.closedAt} is null`),
    index('admissions_lately').on(table.saleId, table.admittedAt),
  ],
)

/** Places in a line that were given up or lost by staying away: a ticket for one of these is not honoured. */
export const queueLeaves = pgTable(
  'queue_leaves',
  {
    saleId: text('sale_id').notNull(),
    sequence: bigint({ mode: 'number' }).notNull(),
    accountId: text('account_id').notNull(),
    leftAt: at('left_at').notNull().defaultNow(),
    reason: text({ enum: ['left', 'no_show'] })
      .notNull()
      .default('left'),
  },
  (table) => [
    primaryKey({ columns: [table.saleId, table.sequence] }),
    index('queue_leaves_lately').on(table.saleId, table.leftAt),
  ],
)

/** The draw of a lottery: bound to its seed before anybody enters, and to its entries before the seed is shown. */
export const saleDraws = pgTable('sale_draws', {
  saleId: text('sale_id')
    .primaryKey()
    .references(() => sales.id),
  /** 32 bytes in hex, shown to nobody before the draw. */
  seed: text().notNull(),
  /** SHA-256 of the seed, in hex; shown from the beginning. */
  commitment: text().notNull(),
  /** SHA-256 over the sorted entry ids, each followed by a line feed; written when no entry can come any more. */
  digest: text(),
  entrants: integer(),
  closedAt: at('closed_at'),
  /** The epoch whose first sequences are the drawn places. */
  epoch: integer(),
  drawnAt: at('drawn_at'),
})

/** Who takes part in a draw. */
export const drawEntries = pgTable(
  'draw_entries',
  {
    saleId: text('sale_id')
      .notNull()
      .references(() => sales.id),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    /** Shown to everybody after the draw; says nothing about the account. */
    entryId: text('entry_id').notNull(),
    enteredAt: at('entered_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.saleId, table.accountId] }),
    unique('draw_entries_entry').on(table.saleId, table.entryId),
    index('draw_entries_sorted').on(table.saleId, sql`${table.entryId} collate "C"`),
  ],
)
