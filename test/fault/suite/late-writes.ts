import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../../src/domain/sale-state/sale-keys.ts'
import { leaseMs } from '../../../src/streams/lease.ts'
import { writerOfSale } from './sale-writer.ts'
import { call, setGate } from './sales.ts'
import { until, untilDone } from './until.ts'
import type { World } from './world.ts'

/** Longer than it takes another process to write, to build the state anew, and to hear that somebody leaves. */
const lateMs = leaseMs + 3_500

/**
 * What the writer has sent to PostgreSQL arrives when another one writes, and Redis has forgotten whom the first one let in:
 * of a small sale, where somebody was taken from the line, and leaves it before the word of it arrives.
 */
export async function lateWrites(world: World): Promise<void> {
  const sale = await smallSale(world)
  const [inside, ...others] = [await join(world, sale), await join(world, sale), await join(world, sale)]
  const next = others.at(-1)
  if (inside === undefined || next === undefined) throw new Error('nobody came')
  // Another fault may be between two writers just now.
  const { postgres } = await untilDone(() => writerOfSale(world, sale))
  postgres.delay(lateMs)
  const arrived = wait(lateMs + 500).then(() => postgres.mend())
  await until(() => leave(world, sale, inside))
  // Where another fault has taken the writer away, nobody is taken from the line just now.
  await until(async () => (await world.redis.hlen(saleKeys(sale).granting)) > 0, { withinMs: leaseMs }).catch(
    () => undefined,
  )
  await setGate(world, sale, 1)
  await world.losing(() => world.redis.flushall())
  // As soon as the other one writes, and an edge has put them back; where another fault keeps it from that, not in time.
  await until(() => hasLeft(world, sale, next), { withinMs: lateMs }).catch(() => undefined)
  await arrived
}

/** Takes two at once. */
async function smallSale(world: World): Promise<string> {
  const description = {
    kind: 'slots',
    title: 'Three people',
    currency: 'KRW',
    opensAt: new Date(Date.now() - 60_000).toISOString(),
    closesAt: new Date(Date.now() + 3_600_000).toISOString(),
    queue: { ratePerMinute: 6_000, maxActive: 2 },
    slots: { dates: ['2030-01-01'], hours: ['10:00'], capacity: 10, priceMinor: 0 },
  }
  const made = await untilDone(() => call(world, 'POST', '/api/v1/sales', description))
  const { id: sale } = made as { id: string }
  await until(() => writerOfSale(world, sale).then(() => true))
  return sale
}

/** Resolves with the access token of somebody who has a place. */
async function join(world: World, sale: string): Promise<string> {
  return await untilDone(async () => {
    const guest = (await call(world, 'POST', '/api/v1/auth/guest', {})) as { accessToken: string }
    await call(world, 'POST', `/api/v1/sales/${sale}/queue`, {}, guest.accessToken)
    return guest.accessToken
  })
}

/** Where an answer was lost, whoever asks again has left. */
async function leave(world: World, sale: string, token: string): Promise<boolean> {
  await call(world, 'DELETE', `/api/v1/sales/${sale}/queue/me`, undefined, token).catch((error: unknown) => {
    if (!String(error).includes('"not_in_line"')) throw error
  })
  return true
}

/** Whoever is not in line yet has nothing to leave. */
async function hasLeft(world: World, sale: string, token: string): Promise<boolean> {
  await leave(world, sale, token)
  const left = await world.sql`select from queue_leaves where sale_id = ${sale}`
  return left.length > 0
}
