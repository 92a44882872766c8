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
  return await retried(() => begin(sql, mode, work))
}

/** Runs again what lost such a race: a transaction, or a statement that is one. */
export async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (error) {
      if (attempt === attemptsMax || !retryable.has(sqlState(error) ?? '')) throw error
    }
  }
}

/**
 * Postgres.js rejects a transaction whose connection is lost, and then still writes to it what `work` asks next, or the
 * ROLLBACK: an error outside of every promise, which ends the process (porsager/postgres#1208). So what is left of such a
 * `work` waits for ever, and is forgotten with it.
 */
async function begin<T>(sql: Sql, mode: string, work: (tx: TransactionSql) => Promise<T>): Promise<T> {
  let isOver = false
  const never = new Promise<never>(() => {})
  const began = sql.begin(mode, async (tx) => {
    const guarded = new Proxy(tx, {
      apply: (target, self, asked) => (isOver ? never : (Reflect.apply(target, self, asked) as unknown)),
    })
    const result = await work(guarded).catch((error: unknown) => {
      if (isOver) return never
      throw error
    })
    return isOver ? never : result
  })
  began.catch(() => {
    isOver = true
  })
  return (await began) as T
}
