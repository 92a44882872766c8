import postgres from 'postgres'
import { StartError } from '../start-error.ts'
import { postgresSockets } from './postgres-socket.ts'

/** A pool of connections to PostgreSQL. Queries are tagged templates with explicit column lists. */
export type Sql = postgres.Sql<{ bigint: number }>
/** The same, inside a transaction. */
export type TransactionSql = postgres.TransactionSql<{ bigint: number }>

/** int8 columns hold sequences and amounts below 2^53: read as numbers, refuse what would lose digits. */
const bigint = {
  to: 20,
  from: [20],
  serialize: (value: number) => String(value),
  parse: (text: string) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value)) throw new RangeError(`int8 value ${text} does not fit a number`)
    return value
  },
}

export interface PostgresOptions {
  readonly url: string
  /** Connections in the pool. */
  readonly connections: number
  /** Shown in pg_stat_activity. */
  readonly name: string
  /** For statements that differ each time: each is planned for itself, and no table is read from end to end. */
  readonly searches?: boolean
}

/** Which of our patches the driver has to have (see patches/README.md). */
const patch = 2

/** Throws where the driver is as it was published: it would say of what is lost that it is done. */
export function mustBePatched(): void {
  if (!('patch' in postgres) || postgres.patch !== patch)
    throw new StartError(
      'The driver for PostgreSQL lacks its patch; run `npm ci` with scripts allowed, or `npx patch-package`.',
    )
}

export function connectPostgres(options: PostgresOptions): Sql {
  mustBePatched()
  return postgres(options.url, {
    ...postgresSockets(options.url),
    max: options.connections,
    types: { bigint },
    onnotice: () => {},
    connect_timeout: 5,
    backoff: pauseSeconds,
    // A statement that hangs must not hold a request for ever; migrations use a connection of their own.
    // One that was put to sleep inside a transaction must not keep others from its rows for longer than a lease.
    connection: {
      application_name: options.name,
      statement_timeout: 15_000,
      idle_in_transaction_session_timeout: 3_000,
      lock_timeout: 5_000,
      ...(options.searches === true && { plan_cache_mode: 'force_custom_plan', enable_seqscan: 'off' }),
    },
  })
}

/**
 * Before the next attempt to connect, after so many that failed in this pool. Whoever asks meanwhile waits for it, so it stays
 * short, however long PostgreSQL is away.
 */
function pauseSeconds(failures: number): number {
  return Math.min(1, 0.02 * 2 ** failures)
}

/** The SQLSTATE of an error that PostgreSQL answered with, or the client's own code such as CONNECTION_CLOSED. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

const awayStates = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  // What was still to be written when it was lost.
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  // PostgreSQL shuts down, crashed, starts up, or has no connection left.
  '57P01',
  '57P02',
  '57P03',
  '53300',
  // A statement, a lock, or this process between two statements took too long.
  '57014',
  '55P03',
  '25P03',
])

/** Whether PostgreSQL could not be reached, or not in time: the same call may succeed later. */
export function isPostgresAway(error: unknown): boolean {
  return awayStates.has(sqlState(error) ?? '')
}
