import type { Fetch } from '../../../src/client/client-ports.ts'
import { OpenrunClient } from '../../../src/client/openrun-client.ts'
import { NodeSocket } from '../../../src/crowd/node-socket.ts'
import type { Server } from '../suite/server.ts'
import type { World } from '../suite/world.ts'

/** A client of one edge for an organiser, or for whoever `withToken` names. Each call is tried for long. */
export function clientAt(world: World, edge: number, fetch: Fetch): OpenrunClient {
  return new OpenrunClient({
    baseUrl: world.edges[edge % world.edges.length]?.url ?? '',
    token: world.organiserKey,
    fetch,
    WebSocket: NodeSocket,
    retry: { baseMs: 100, pauseMaxMs: 1_000, withinMs: 30_000 },
  })
}

/** When sales are that are open now and for a while. */
export function openNow(): { opensAt: string; closesAt: string } {
  return {
    opensAt: new Date(Date.now() - 60_000).toISOString(),
    closesAt: new Date(Date.now() + 3_600_000).toISOString(),
  }
}

/** A number that a statement answers, in its column `value`. */
export function single(rows: readonly { readonly value: number }[]): number {
  return rows[0]?.value ?? 0
}

/** Where a process listens itself: the link in front of it reads whatever it is sent, also for those who never read. */
export function ownPortOf({ name, log }: Server): number {
  const said = log.findLast((line) => line.includes(' listens on '))
  const port = Number(/:(\d+)$/.exec(said ?? '')?.[1])
  if (!port) throw new Error(`${name} has not said where it listens`)
  return port
}
