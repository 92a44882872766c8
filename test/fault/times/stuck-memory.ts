import type { Fetch } from '../../../src/client/client-ports.ts'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import type { Server } from '../suite/server.ts'
import type { World } from '../suite/world.ts'
import { clientAt, ownPortOf } from './api.ts'
import { bytesInUse, collecting } from './collected-memory.ts'
import type { Figure } from './figure.ts'
import { openHall } from './hall.ts'
import { liveConnections, StuckConnections } from './stuck-readers.ts'
import { tellAndWait, tellerOf } from './teller.ts'

const tries = 5
const clients = 200
/** Changed at once, so that a frame is some fifty kilobytes. */
const seats = 5_000
const framesMax = 300
/** More than the edge remembers of a map. */
const framesBefore = 40
/** What the setting allows, and about as much again: the frame or two that the web server has already taken. */
const bytesMax = 2 * 65_536

/** What a client that never reads costs an edge at the most, before it is closed. */
export async function stuckMemory(world: World): Promise<Figure[]> {
  const { fetch, close } = keepAliveFetch({ connectionsMax: 4 })
  const organiser = clientAt(world, 0, fetch)
  const sale = await openHall(world, organiser, { seats })
  const [edge] = world.edges
  if (edge === undefined) throw new Error('there is no edge')
  const values: number[] = []
  while (values.length < tries) {
    // What others have freed would be taken for nothing.
    await edge.end('SIGTERM')
    await edge.start(collecting)
    values.push(await costOfOne(world, { edge, sale, fetch }))
  }
  await edge.end('SIGTERM')
  await edge.start()
  await organiser.changeSale(sale, { status: 'closed' })
  close()
  const what = `memory of an edge for each of ${clients} clients that never read, at the most, before they are closed`
  return [{ what, unit: 'bytes', values, goal: { atMost: bytesMax } }]
}

async function costOfOne(
  world: World,
  { edge, sale, fetch }: { edge: Server; sale: string; fetch: Fetch },
): Promise<number> {
  const tell = await tellerOf(world, { sale, seats })
  // What telling itself takes is there before anybody is stuck.
  const reader = clientAt(world, 0, fetch).unitMap({ sale, transport: 'sse' }).subscribe()
  for (let frame = 0; frame < framesBefore; frame++) await tellAndWait(tell)
  const before = await bytesInUse(edge)
  const stuck = await StuckConnections.open({ port: ownPortOf(edge), sale, count: clients })
  let most = before
  for (let frame = 0; frame < framesMax; frame++) {
    await tellAndWait(tell)
    most = Math.max(most, await bytesInUse(edge))
    if ((await liveConnections(edge)) === 1) break
  }
  const left = await liveConnections(edge)
  stuck.close()
  reader.unsubscribe()
  if (left > 1) throw new Error(`${left} clients that never read are still told`)
  return (most - before) / clients
}
