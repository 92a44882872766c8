import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../../src/domain/sale-state/sale-keys.ts'
import type { RedisCluster } from '../../support/redis-cluster.ts'
import type { RedisSentinels } from '../../support/redis-sentinels.ts'
import { oneOf, seconds, type Fault, type Random } from './fault.ts'
import type { World } from './world.ts'

/** A key of one of the sales that people come to. */
function keyOfSale({ sales }: World, random: Random): string {
  return saleKeys(oneOf(sales, random).id).state
}

function sentinelsOf({ stores }: World): RedisSentinels {
  if (stores.sentinels === undefined) throw new Error('there are no Sentinels in this world')
  return stores.sentinels
}

function clusterOf({ stores }: World): RedisCluster {
  if (stores.cluster === undefined) throw new Error('there is no cluster in this world')
  return stores.cluster
}

/** The replica misses what is said meanwhile. */
async function failOver(world: World, random: Random, how: 'killed' | 'hanging'): Promise<void> {
  const sentinels = sentinelsOf(world)
  await world.inTurn([sentinels], async () => {
    await sentinels.lag()
    await wait(seconds(1, 3, random))
    await world.losing(() => sentinels.failOver(how))
    await sentinels.bringBack()
  })
}

/** Where Sentinels watch over Redis. */
export const sentinelFaults: readonly Fault[] = [
  {
    name: 'a replica that lags is made the master by Sentinels',
    run: (world, random) => failOver(world, random, 'killed'),
  },
  {
    name: 'a master that hangs is replaced, and wakes',
    run: (world, random) => failOver(world, random, 'hanging'),
  },
]

/** What nodes do to each other they do one after another. */
const inTurn = (world: World, work: (cluster: RedisCluster) => Promise<void>): Promise<void> =>
  world.inTurn([clusterOf(world)], async () => {
    await clusterOf(world).well()
    // Which node had it all, and when another one has taken its place, is for the nodes to know.
    await world.losing(() => work(clusterOf(world)))
  })

/** Where Redis is a cluster. */
export const clusterFaults: readonly Fault[] = [
  {
    name: 'the slot of a sale is moved to another node',
    run: (world, random) =>
      inTurn(world, async (cluster) => void (await cluster.moveSlot(keyOfSale(world, random)))),
  },
  {
    name: 'the node of a sale is killed',
    run: (world, random) =>
      inTurn(world, async (cluster) => {
        const node = await cluster.nodeOf(keyOfSale(world, random))
        await node.kill()
        await wait(seconds(0, 1, random))
        await node.restart()
      }),
  },
  {
    name: 'a replica that lags takes the place of the node of a sale',
    run: (world, random) =>
      inTurn(world, async (cluster) => {
        const key = keyOfSale(world, random)
        await cluster.lag(key)
        await wait(seconds(1, 2, random))
        const dead = await cluster.failOver(key)
        await dead.restart()
      }),
  },
]
