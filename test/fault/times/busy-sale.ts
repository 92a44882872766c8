import type { Fetch } from '../../../src/client/client-ports.ts'
import type { World } from '../suite/world.ts'
import { OpenSlots } from './open-slots.ts'
import type { Request } from './traffic.ts'

const buyers = 8
const waiting = 40
const viewersOfEdge = 20

/** A sale with buyers inside, people in the line and viewers of its map, at all edges. */
export interface BusySale {
  readonly requests: readonly Request[]
  readonly fetch: Fetch
  close(): Promise<void>
}

export async function openBusySale(world: World): Promise<BusySale> {
  const slots = await OpenSlots.open(world, {
    title: 'A busy sale',
    queue: { ratePerMinute: 6_000, maxActive: buyers, tokenTtlSeconds: 3_600, maxPerAccount: 50 },
    connections: 100,
    hours: ['10:00', '11:00'],
  })
  const inside = await Promise.all(Array.from({ length: buyers }, () => slots.letIn()))
  const waits = await Promise.all(
    Array.from({ length: waiting }, (_, index) =>
      slots.join(index, index % 4 < 2 ? 'sse' : 'ws', () => undefined),
    ),
  )
  for (const edge of world.edges.keys())
    for (let index = 0; index < viewersOfEdge; index++) slots.watch(edge, index % 2 === 0 ? 'sse' : 'ws')
  const people = {
    organiser: world.organiserKey,
    waits: waits.map(({ accessToken }) => accessToken),
    inside,
  }
  return {
    requests: world.edges.flatMap(({ url }) => requestsTo(url, slots.id, people)),
    fetch: slots.fetch,
    close: () => slots.close(),
  }
}

interface Insider {
  readonly accessToken: string
  readonly purchaseToken: string
}

/** What is read, and what is written, of a sale. */
function requestsTo(
  url: string,
  sale: string,
  people: { organiser: string; waits: readonly string[]; inside: readonly Insider[] },
): Request[] {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const organiser = [bearer(people.organiser)]
  const insiders = people.inside.map(({ accessToken, purchaseToken }) => {
    return { ...bearer(accessToken), 'purchase-token': purchaseToken }
  })
  const [api, place] = [`${url}/api/v1`, `${url}/api/v1/sales/${sale}`]
  const reads = { sale: place, layout: `${place}/layout`, map: `${place}/availability`, page: `${url}/` }
  return [
    ...Object.entries(reads).map(([name, target]) => {
      return { name, isWrite: false, method: 'GET', url: target, headers: [{}] } as const
    }),
    { name: 'guest', isWrite: true, method: 'POST', url: `${api}/auth/guest`, headers: organiser },
    {
      name: 'join',
      isWrite: true,
      method: 'POST',
      url: `${place}/queue`,
      headers: people.waits.map(bearer),
      body: {},
    },
    {
      name: 'book',
      isWrite: true,
      method: 'POST',
      url: `${place}/bookings`,
      headers: insiders,
      body: { best: { count: 1 } },
    },
    {
      name: 'change',
      isWrite: true,
      method: 'PATCH',
      url: place,
      headers: organiser,
      body: { notice: 'Soon' },
    },
  ]
}
