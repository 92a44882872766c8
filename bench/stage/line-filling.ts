import type { Redis } from 'ioredis'
import type { Sql } from '../../src/db/postgres.ts'
import { queueJoin } from '../../src/domain/queue/queue-scripts.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { randomIds } from '../../src/ids.ts'

/** Rows in one statement, calls in one pipeline. */
const portion = 2_000

/** Makes so many guests without a server; answers their ids. */
export async function insertGuests(sql: Sql, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomIds.next('usr'))
  for (let at = 0; at < count; at += portion)
    await sql`
      insert into accounts (id, kind)
      select id, 'guest' from unnest(${ids.slice(at, at + portion)}::text[]) as id`
  return ids
}

/**
 * Lets accounts join a line by the script that a server calls for them, without a server. What an edge keeps of
 * its own waiters is kept nowhere then.
 */
export async function fillLine(redis: Redis, saleId: string, accounts: readonly string[]): Promise<void> {
  const keys = saleKeys(saleId)
  const names = queueJoin.keys.map((name) => keys[name])
  const [epoch, runId] = await redis.hmget(keys.state, 'epoch', 'run_id')
  if (!epoch || !runId) throw new Error(`Redis knows nothing of ${saleId}`)
  await redis.script('LOAD', queueJoin.lua)
  for (let at = 0; at < accounts.length; at += portion) {
    const some = JSON.stringify(accounts.slice(at, at + portion))
    const replies = await redis.evalsha(queueJoin.sha, names.length, ...names, epoch, runId, some)
    const refused = (replies as unknown[]).find((reply) => !Array.isArray(reply) || reply[0] !== 1)
    if (refused !== undefined) throw new Error(`the line was not joined: ${JSON.stringify(refused)}`)
  }
}
