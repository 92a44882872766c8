import { setTimeout as wait } from 'node:timers/promises'
import type { Server } from './server.ts'
import type { World } from './world.ts'

/** Until an edge that was away has said of its people that they are there. */
const backMs = 1_500

/** One edge is there, unless everything is killed: who can reach none for long loses what a loss of Redis would keep. */
export const inTurn = (world: World, server: Server, work: () => Promise<void>): Promise<void> =>
  world.inTurn(world.edges.includes(server) ? world.edges : [server], work)

/** What keeps an edge from Redis or from its people, and no longer than it may be away; any other process is broken at once. */
export async function awayInTurn(world: World, server: Server, work: () => Promise<void>): Promise<void> {
  if (!world.edges.includes(server)) return await work()
  await world.inTurn(world.edges, async () => {
    await work()
    await wait(backMs)
  })
}
