import { sqlState, type Sql, type TransactionSql } from './postgres.ts'

/** Lost a race that the same transaction may win when it is run again. */
const retryable = new Set(['40001', '40P01'])
const attemptsMax = 5

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read'
  readonly readOnly?: boolean
}

/**
 * The only door to BEGIN. Runs `work` in a transaction and runs it again, whole, after a deadlock or a serialization
 * failure, so `work` must have no effect outside the database. Other errors pass through after the ROLLBACK.
 */
export async function transaction<T>(
  sql: Sql,
  work: (tx: TransactionSql) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const mode = `isolation level ${options.isolation ?? 'read committed'}${options.readOnly ? ' read only' : ''}`
  for (let attempt = 1; ; attempt++) {
    try {
      return (await sql.begin(mode, work)) as T
    } catch (error) {
      if (attempt === attemptsMax || !retryable.has(sqlState(error) ?? '')) throw error
    }
  }
}
