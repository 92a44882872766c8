import { setTimeout as wait } from 'node:timers/promises'
import { saleChannels } from '../../../src/domain/sale-state/sale-keys.ts'
import { availabilitySnapshot } from '../../../src/domain/units/unit-messages.ts'
import type { World } from '../suite/world.ts'

/**
 * Tells all edges of changes of a sale's first seats, as if scripts had made them.
 * @returns what tells one, and answers the revision it has
 */
export async function tellerOf(
  world: World,
  { sale, seats }: { sale: string; seats: number },
): Promise<() => Promise<number>> {
  const answer = await fetch(`${world.edges[0]?.url}/api/v1/sales/${sale}/availability`)
  const { epoch, seq: first } = availabilitySnapshot.parse(await answer.json())
  let seq = first
  return async () => {
    const changes = Array.from({ length: seats }, (_, seat) => [seat, 1, seq % 2])
    const delta = { epoch, prev: seq, seq: ++seq, changes }
    await world.redis.publish(saleChannels.units(sale), JSON.stringify(delta))
    return seq
  }
}

const everyMs = 100

export async function tellAndWait(tell: () => Promise<number>): Promise<void> {
  await tell()
  await wait(everyMs)
}
