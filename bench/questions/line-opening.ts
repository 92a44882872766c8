import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import type { Stage } from '../stage/stage.ts'

const ratePerMinuteMax = 6_000_000
/** Within this wait everybody is near the front, so that the line can be let in at once and nobody counts as away. */
const nearSeconds = 100
/** Presence is said every five seconds; who is not known to be there after three rounds will not be. */
const presenceMs = 15_000

/** Opens the gate of a line wide, in steps: who is suddenly at the front has to be known to be there. */
export async function openWide(
  { redis, changeSale }: Stage,
  { sale, perSecond }: { sale: string; perSecond: number },
): Promise<void> {
  const { queue, seen } = saleKeys(sale)
  for (let rate = perSecond; (await redis.zcard(queue)) / rate > nearSeconds;) {
    rate *= 10
    await changeSale(sale, { queue: { ratePerMinute: rate * 60 } })
    const endMs = Date.now() + presenceMs
    const isKnown = async (): Promise<boolean> =>
      (await redis.zintercard(2, queue, seen)) === (await redis.zcard(queue))
    while (!(await isKnown()) && Date.now() < endMs) await wait(200)
  }
  await changeSale(sale, { queue: { ratePerMinute: ratePerMinuteMax } })
}
