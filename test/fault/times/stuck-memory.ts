import { setTimeout as wait } from 'node:timers/promises'
import { memoryOf } from '../../../bench/measure/memory-use.ts'
import type { Fetch } from '../../../src/client/client-ports.ts'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import type { Server } from '../suite/server.ts'
import type { World } from '../suite/world.ts'
import { clientAt, ownPortOf } from './api.ts'
import { collectGarbage, collecting } from './collected-memory.ts'
import type { Figure } from './figure.ts'
import { openHall } from './hall.ts'
import { liveConnections, StuckConnections } from './stuck-readers.ts'
import { tellerOf } from './teller.ts'

const tries = 5
const clients = 200
/** Changed at once, so that a frame is some fifty kilobytes. */
const seats = 5_000
const framesMax = 300
/** More than the edge remembers of a map. */
const framesBefore = 20
/** At each frame, until it is with everybody: who is closed leaves nothing to look at. */
const looks = 10
const lookEveryMs = 10
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
  const reader = clientAt(world, 0, fetch).unitMap({ sale, transport: 'sse' }).subscribe()
  // What telling itself takes is there before anybody is stuck.
  await mostBytes(edge, tell, { frames: framesBefore })
  const before = await mostBytes(edge, tell, { frames: framesBefore })
  const stuck = await StuckConnections.open({ port: ownPortOf(edge), sale, count: clients })
  const areClosed = async () => (await liveConnections(edge)) === 1
  const most = await mostBytes(edge, tell, { frames: framesMax, isOver: areClosed })
  const isOver = await areClosed()
  stuck.close()
  reader.unsubscribe()
  if (!isOver) throw new Error('clients that never read are still told')
  return (most - before) / clients
}

/** What a process has in use at the most, while frames are told; the heap's room for later is not in use. */
async function mostBytes(
  edge: Server,
  tell: () => Promise<number>,
  { frames, isOver }: { frames: number; isOver?: () => Promise<boolean> },
): Promise<number> {
  let most = 0
  for (let frame = 0; frame < frames && !(await isOver?.()); frame++) {
    const roomBytes = await collectGarbage(edge)
    await tell()
    for (let look = 0; look < looks; look++) {
      await wait(lookEveryMs)
      most = Math.max(most, memoryOf(edge.pid).anonymousBytes - roomBytes)
    }
  }
  return most
}
