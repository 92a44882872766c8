import type { Redis } from 'ioredis'
import type { Sql } from '../../src/db/postgres.ts'

/** What both stores hold, in a form in which two moments can be compared. */
export interface StatePicture {
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>
  /** Content of each key. */
  readonly keys: Readonly<Record<string, unknown>>
}

/** Fields of a sale's state that go on by themselves, whether anybody comes or not. */
const restless = new Set(['credit', 'credit_at', 'pace_count', 'full_at', 'head_seq', 'head_at', 'head_told'])
/** Keys of a sale of which the gate may be in the middle of writing down what it has done. */
const underWay = /:(pace|granting|closing|moves|seen)$/
/** Tables that follow the processes, not the clients. */
const others = new Set(['processes'])

export async function takePicture({ sql, redis }: { sql: Sql; redis: Redis }): Promise<StatePicture> {
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`
  const rows: Record<string, number> = {}
  for (const { name } of tables.filter((table) => !others.has(table.name))) {
    const [row] = await sql<{ count: number }[]>`select count(*)::int as count from ${sql(name)}`
    rows[name] = row?.count ?? 0
  }
  const keys: Record<string, unknown> = {}
  for (const key of (await redis.keys('*')).toSorted((a, b) => (a < b ? -1 : 1))) {
    if (underWay.test(key)) continue
    keys[key] = await contentOf(redis, key)
  }
  return { rows, keys }
}

async function contentOf(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return Object.fromEntries(
        Object.entries(await redis.hgetall(key)).filter(([field]) => !restless.has(field)),
      )
    case 'zset':
      return redis.zrange(key, 0, -1, 'WITHSCORES')
    case 'set':
      return (await redis.smembers(key)).toSorted((a, b) => (a < b ? -1 : 1))
    case 'list':
      return redis.lrange(key, 0, -1)
    default:
      return undefined
  }
}
