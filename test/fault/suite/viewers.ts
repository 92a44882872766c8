import { setTimeout as wait } from 'node:timers/promises'
import type { Subscription } from 'rxjs'
import type { Fetch } from '../../../src/client/client-ports.ts'
import { OpenrunClient } from '../../../src/client/openrun-client.ts'
import { UnitMap } from '../../../src/client/unit-map.ts'
import type { Transport } from '../../../src/client/waiting.ts'
import { NodeSocket } from '../../../src/crowd/node-socket.ts'
import { availabilitySnapshot } from '../../../src/domain/units/unit-messages.ts'
import type { Breach } from './promises.ts'
import type { RoundSale } from './sales.ts'
import type { ToldPositions } from './told-positions.ts'
import type { World } from './world.ts'

interface Viewer {
  readonly name: string
  readonly sale: string
  map: UnitMap | undefined
  readonly watching: Subscription
}

/** How long after everything is whole again a viewer, or a place, may take to be as it should be. */
const settlingMs = 30_000
const lookEveryMs = 200

/** Those who look at the maps of the sales all the time, at each edge, over each transport. */
export class Viewers {
  readonly #world: World
  readonly #viewers: Viewer[]

  constructor(
    world: World,
    sales: readonly RoundSale[],
    { fetch, positions }: { fetch: Fetch; positions: ToldPositions },
  ) {
    this.#world = world
    this.#viewers = sales.flatMap(({ id }) =>
      world.edges.flatMap((edge) =>
        (['sse', 'ws'] as const).map((transport) => watch(edge, { sale: id, transport, fetch, positions })),
      ),
    )
  }

  /** Resolves with who does not see, in the end, what the server says, and with what is neither free nor sold. */
  async judge(sales: readonly RoundSale[]): Promise<Breach[]> {
    const untilMs = Date.now() + settlingMs
    for (;;) {
      const breaches = (await Promise.all(sales.map(({ id }) => this.#look(id)))).flat()
      if (breaches.length === 0 || Date.now() > untilMs) return breaches
      await wait(lookEveryMs)
    }
  }

  stop(): void {
    for (const { watching } of this.#viewers) watching.unsubscribe()
  }

  async #look(sale: string): Promise<Breach[]> {
    const truth = new UnitMap()
    try {
      const answer = await fetch(`${this.#world.edges[0]?.url}/api/v1/sales/${sale}/availability`)
      truth.replace(availabilitySnapshot.parse(await answer.json()))
    } catch (error) {
      // It is looked at again, as long as there is patience.
      return [{ promise: 6, what: `the map of ${sale} is not told: ${String(error)}` }]
    }
    const blind = this.#viewers.filter((viewer) => viewer.sale === sale && !isSame(viewer.map, truth))
    const seen = blind.map(({ name, map }) => ({
      promise: 6,
      what: `${name} knows ${map?.position ?? 'nothing'} of ${sale}, and the server says ${truth.position} and something else`,
    }))
    return [...seen, ...(await this.#unreturned(sale, truth))]
  }

  /** No buyer holds anything any more: what does not stand in PostgreSQL is free, and what is still being paid is held. */
  async #unreturned(sale: string, map: UnitMap): Promise<Breach[]> {
    const units = await this.#world.sql<
      { no: number; code: string; capacity: number; standing: number; booked: number }[]
    >`
      select u.unit_no as no, u.code, u.capacity, count(b.id)::int as standing,
        count(b.id) filter (where b.status = 'booked')::int as booked
      from units u left join bookings b
        on b.sale_id = u.sale_id and b.unit_no = u.unit_no and b.status in ('pending', 'booked')
      where u.sale_id = ${sale} group by u.unit_no, u.code, u.capacity`
    const wrong = units.filter(({ no, code, capacity, standing, booked }) => {
      const pool = map.pools.get(code)
      // A seat is free, held, or sold.
      return pool === undefined ? map.seats[no] !== standing + booked : pool !== capacity - standing
    })
    return wrong.map(({ no, code, capacity, standing }) => ({
      promise: 8,
      what: `${code} of ${sale} has ${standing} of ${capacity} taken and is said to be ${map.pools.get(code) ?? map.seats[no]}`,
    }))
  }
}

function watch(
  edge: { readonly name: string; readonly url: string },
  {
    sale,
    transport,
    fetch,
    positions,
  }: { sale: string; transport: Transport; fetch: Fetch; positions: ToldPositions },
): Viewer {
  const client = new OpenrunClient({
    baseUrl: edge.url,
    fetch,
    WebSocket: NodeSocket,
    retry: { baseMs: 100, pauseMaxMs: 1_000, withinMs: Number.POSITIVE_INFINITY },
  })
  const viewer: { -readonly [key in keyof Viewer]: Viewer[key] } = {
    name: `the viewer at ${edge.name} over ${transport}`,
    sale,
    map: undefined,
    watching: client.unitMap({ sale, transport }).subscribe({
      next: (map) => {
        viewer.map = map
        positions.saw(sale, map, viewer.name)
      },
      error: () => undefined,
    }),
  }
  return viewer
}

function isSame(map: UnitMap | undefined, truth: UnitMap): boolean {
  if (map === undefined) return false
  const seats = Buffer.compare(Buffer.from(map.seats), Buffer.from(truth.seats)) === 0
  const pools = [...truth.pools].every(([code, left]) => map.pools.get(code) === left)
  return seats && pools && map.pools.size === truth.pools.size
}
