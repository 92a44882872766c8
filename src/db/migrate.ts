import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import postgres from 'postgres'
import { mustBePatched } from './postgres.ts'
import { postgresSockets } from './postgres-socket.ts'
import { StartError } from '../start-error.ts'

const folder = fileURLToPath(new URL('./migrations', import.meta.url))

/** Held while migrating, so that of several processes starting at once one migrates and the others wait. */
const lockKey = 7_236_418_501

/**
 * Brings the database up to this program's schema. Refuses a database that a newer program has migrated further,
 * and one whose locale would make trigram search of Korean silently empty.
 */
export async function migrate(options: { url: string }): Promise<void> {
  mustBePatched()
  const { url } = options
  const client = postgres(url, { ...postgresSockets(url), max: 1, onnotice: () => {}, connect_timeout: 5 })
  try {
    await client`select pg_advisory_lock(${lockKey})`
    await mustBeUtf8(client)
    await applyMigrations(drizzle(client), { migrationsFolder: folder })
    await mustKnowAllMigrations(client)
  } finally {
    await client.end({ timeout: 5 })
  }
}

async function mustBeUtf8(client: postgres.Sql): Promise<void> {
  const [row] = await client<{ encoding: string; ctype: string }[]>`
    select pg_encoding_to_char(encoding) as encoding, datctype as ctype
    from pg_database where datname = current_database()`
  if (row === undefined || row.encoding !== 'UTF8' || row.ctype === 'C' || row.ctype === 'POSIX') {
    throw new StartError(
      `The database has encoding ${row?.encoding} and LC_CTYPE ${row?.ctype}; create it with encoding UTF8 and locale C.UTF-8.`,
    )
  }
}

async function mustKnowAllMigrations(client: postgres.Sql): Promise<void> {
  const known = new Set(readMigrationFiles({ migrationsFolder: folder }).map((file) => file.hash))
  const applied = await client<{ hash: string }[]>`select hash from drizzle.__drizzle_migrations`
  if (applied.some(({ hash }) => !known.has(hash))) {
    throw new StartError('The database was migrated by a newer version of Openrun; start that version.')
  }
}
