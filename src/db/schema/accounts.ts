import { sql } from 'drizzle-orm'
import { check, index, jsonb, pgTable, primaryKey, smallint, text, timestamp } from 'drizzle-orm/pg-core'

const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** Whoever buys. `guest` today; other kinds add their own tables beside this one. */
export const accounts = pgTable('accounts', {
  id: text().primaryKey(),
  kind: text({ enum: ['guest', 'verified'] }).notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
})

/** Whoever opens sales. */
export const organisers = pgTable('organisers', {
  id: text().primaryKey(),
  name: text().notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
})

/** Keys of organisers; only their SHA-256 is kept. */
export const organiserKeys = pgTable('organiser_keys', {
  hash: text().primaryKey(),
  organiserId: text('organiser_id')
    .notNull()
    .references(() => organisers.id),
  createdAt: at('created_at').notNull().defaultNow(),
  revokedAt: at('revoked_at'),
})

/**
 * Keys that sign access tokens, purchase tokens and ticket codes (ES256), and the secret of queue tickets (HS256).
 * A key signs from `created_at`, which for a rotated key lies a moment ahead, until a younger one does, and verifies
 * until `verifies_until` (no end while null).
 */
export const signingKeys = pgTable('signing_keys', {
  kid: text().primaryKey(),
  purpose: text({ enum: ['access', 'purchase', 'ticket', 'queue'] }).notNull(),
  privateJwk: jsonb('private_jwk').notNull(),
  publicJwk: jsonb('public_jwk'),
  createdAt: at('created_at').notNull().defaultNow(),
  verifiesUntil: at('verifies_until'),
})

/** What a repeated request with the same Idempotency-Key is answered from, for 24 hours. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    callerId: text('caller_id').notNull(),
    route: text().notNull(),
    key: text().notNull(),
    fingerprint: text().notNull(),
    state: text({ enum: ['running', 'done'] }).notNull(),
    status: smallint(),
    body: jsonb(),
    startedAt: at('started_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.callerId, table.route, table.key] }),
    index('idempotency_keys_started').on(table.startedAt),
    check('idempotency_keys_done_has_answer', sql`${table.state} = 'running' or ${table.status} is not null`),
  ],
)

/** Processes of this installation that were seen lately, so that they can share work out among themselves. */
export const processes = pgTable('processes', {
  id: text().primaryKey(),
  roles: text().array().notNull(),
  startedAt: at('started_at').notNull().defaultNow(),
  seenAt: at('seen_at').notNull().defaultNow(),
})
