import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { accounts, organisers } from './accounts.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** A pop-up store: where sales are held, and whose visitors talk in one room. */
export const stores = pgTable(
  'stores',
  {
    id: text().primaryKey(),
    organiserId: text('organiser_id')
      .notNull()
      .references(() => organisers.id),
    name: text().notNull(),
    /** What the name is found by: its words and their initial consonants, in pieces of one and two letters. */
    nameGrams: text('name_grams').array().notNull(),
    /** The name as it is compared: lower case, without spaces. */
    nameFolded: text('name_folded').notNull(),
    /** Its initial consonants, where it has any. */
    nameInitials: text('name_initials').notNull(),
    /** The address as it is compared, and its pieces, as those of the name. */
    addressFolded: text('address_folded').notNull().default(''),
    addressGrams: text('address_grams')
      .array()
      .notNull()
      .default(sql`'{}'`),
    /** Markdown as the organiser wrote it; made safe when it is shown. */
    description: text().notNull(),
    category: text().notNull(),
    address: text().notNull(),
    latitude: doublePrecision().notNull(),
    longitude: doublePrecision().notNull(),
    opensAt: at('opens_at').notNull(),
    closesAt: at('closes_at').notNull(),
    /** When it is open within its period, as a list of days and hours. */
    openingHours: jsonb('opening_hours').notNull(),
    links: jsonb().notNull(),
    /** Standing bookings of one account in all its sales together, at most; none where null. */
    maxPerAccount: integer('max_per_account'),
    /** Standing bookings, as they were counted last. */
    popularity: integer().notNull().default(0),
    status: text({ enum: ['open', 'closed'] })
      .notNull()
      .default('open'),
    createdAt: at('created_at').notNull().defaultNow(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (table) => [
    index('stores_by_opening').on(
      table.status,
      table.opensAt.desc().nullsFirst(),
      table.id.desc().nullsFirst(),
    ),
    index('stores_by_popularity').on(
      table.status,
      table.popularity.desc().nullsFirst(),
      table.id.desc().nullsFirst(),
    ),
    index('stores_by_category').on(
      table.status,
      table.category,
      table.opensAt.desc().nullsFirst(),
      table.id.desc().nullsFirst(),
    ),
    index('stores_of_organiser').on(
      table.organiserId,
      table.opensAt.desc().nullsFirst(),
      table.id.desc().nullsFirst(),
    ),
    index('stores_due')
      .on(table.closesAt)
      .where(sql`${table.status} = 'open'`),
    index('stores_name').using('gin', table.nameGrams),
    index('stores_address').using('gin', table.addressGrams),
    index('stores_place').using('gist', sql`point(${table.longitude}, ${table.latitude})`),
    check('stores_period', sql`${table.opensAt} < ${table.closesAt}`),
    check(
      'stores_place',
      sql`${table.latitude} between -90 and 90 and ${table.longitude} between -180 and 180`,
    ),
    check('stores_limit', sql`${table.maxPerAccount} between 1 and 50`),
  ],
)

/** Pictures of a store, in the order in which they are shown. The bytes are with the picture storage. */
export const storePictures = pgTable(
  'store_pictures',
  {
    id: text().primaryKey(),
    storeId: text('store_id')
      .notNull()
      .references(() => stores.id),
    position: integer().notNull(),
    /** What is to be seen, for whoever cannot see it. */
    alt: text().notNull(),
    width: integer().notNull(),
    height: integer().notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (table) => [index('store_pictures_of_store').on(table.storeId, table.position)],
)

/** The room of a store. Its row is locked while entries are numbered, so their order is that of their commits. */
export const chatRooms = pgTable('chat_rooms', {
  storeId: text('store_id')
    .primaryKey()
    .references(() => stores.id),
  /** Raised when entries were lost, as by going back to a backup. */
  epoch: integer().notNull().default(1),
  lastSeq: bigint('last_seq', { mode: 'number' }).notNull().default(0),
  /** Seconds between two messages of one member. */
  slowSeconds: integer('slow_seconds').notNull().default(0),
  pinnedSeq: bigint('pinned_seq', { mode: 'number' }),
  closedAt: at('closed_at'),
})

/** Everything that happened in a room, in its one order: talk, notices, and what was done to them. */
export const chatEntries = pgTable(
  'chat_entries',
  {
    storeId: text('store_id')
      .notNull()
      .references(() => chatRooms.storeId),
    seq: bigint({ mode: 'number' }).notNull(),
    /** Made by the sender's side, so that the same message sent twice stands once. */
    id: text().notNull(),
    kind: text({ enum: ['talk', 'notice', 'deleted', 'pinned', 'slow', 'closed', 'opened'] }).notNull(),
    /** Null where the organiser did it. */
    accountId: text('account_id').references(() => accounts.id),
    /** As it was shown then. */
    name: text().notNull(),
    /** Empty once it is deleted. */
    text: text().notNull().default(''),
    /** The entry that is answered, deleted or pinned. */
    targetSeq: bigint('target_seq', { mode: 'number' }),
    seconds: integer(),
    at: at('at').notNull().defaultNow(),
    deletedAt: at('deleted_at'),
  },
  (table) => [
    primaryKey({ columns: [table.storeId, table.seq] }),
    uniqueIndex('chat_entries_once').on(table.storeId, table.id),
    check('chat_entries_text', sql`char_length(${table.text}) <= 1000`),
  ],
)

/** Who has been in a room, by which name the others know them, and until when they may not talk. */
export const chatMembers = pgTable(
  'chat_members',
  {
    storeId: text('store_id')
      .notNull()
      .references(() => chatRooms.storeId),
    accountId: text('account_id')
      .notNull()
      .references(() => accounts.id),
    /** What the others see instead of the account: an id of its own, and a name. */
    memberId: text('member_id').notNull(),
    name: text().notNull(),
    mutedUntil: at('muted_until'),
    joinedAt: at('joined_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.storeId, table.accountId] }),
    uniqueIndex('chat_members_member').on(table.storeId, table.memberId),
  ],
)

/**
 * How many statements have changed rows of a subject, counted by triggers, so that whoever remembers what was read can
 * tell whether it is still so. The counts of all slots are to be added up.
 */
export const rowChanges = pgTable(
  'row_changes',
  {
    subject: text().notNull(),
    slot: smallint().notNull(),
    count: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.subject, table.slot] })],
)
