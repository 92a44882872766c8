import type { Fetch } from '../../../src/client/client-ports.ts'
import type { OpenrunClient } from '../../../src/client/openrun-client.ts'
import type { World } from '../suite/world.ts'
import { clientAt, openNow } from './api.ts'
import type { Request } from './traffic.ts'

const buyers = 8
const waiting = 40
const viewersOfEdge = 20

/** A sale with buyers inside, people in the line and viewers of its map, at all edges. */
export interface BusySale {
  readonly requests: readonly Request[]
  close(): Promise<void>
}

export async function openBusySale(world: World, fetch: Fetch): Promise<BusySale> {
  const organiser = clientAt(world, 0, fetch)
  const { id: sale } = await organiser.createSale({
    kind: 'slots',
    title: 'A busy sale',
    currency: 'KRW',
    ...openNow(),
    queue: { ratePerMinute: 6_000, maxActive: buyers, tokenTtlSeconds: 3_600, maxPerAccount: 50 },
    slots: { dates: ['2030-01-01'], hours: ['10:00', '11:00'], capacity: 10_000, priceMinor: 0 },
  })
  const inside = await Promise.all(Array.from({ length: buyers }, () => letIn(organiser, sale)))
  const line = await Promise.all(
    Array.from({ length: waiting }, async (_, index) => {
      const { accessToken } = await organiser.createGuest()
      const client = clientAt(world, index, fetch).withToken(accessToken)
      const { ticket } = await client.joinQueue(sale)
      const waits = client.waitInLine({ sale, transport: index % 4 < 2 ? 'sse' : 'ws', ticket })
      return { accessToken, subscription: waits.subscribe({ error: () => undefined }) }
    }),
  )
  const viewers = world.edges.flatMap((_, edge) =>
    Array.from({ length: viewersOfEdge }, (_viewer, index) =>
      clientAt(world, edge, fetch)
        .unitMap({ sale, transport: index % 2 === 0 ? 'sse' : 'ws' })
        .subscribe({ error: () => undefined }),
    ),
  )
  const people = { organiser: world.organiserKey, waits: line.map(({ accessToken }) => accessToken), inside }
  return {
    requests: world.edges.flatMap(({ url }) => requestsTo(url, sale, people)),
    close: async () => {
      for (const { subscription } of line) subscription.unsubscribe()
      for (const viewer of viewers) viewer.unsubscribe()
      await organiser.changeSale(sale, { status: 'closed' })
    },
  }
}

interface Insider {
  readonly accessToken: string
  readonly purchaseToken: string
}

async function letIn(organiser: OpenrunClient, sale: string): Promise<Insider> {
  const { accessToken } = await organiser.createGuest()
  const client = organiser.withToken(accessToken)
  for (;;) {
    const joined = await client.joinQueue(sale)
    if (joined.state === 'admitted') return { accessToken, purchaseToken: joined.purchaseToken }
  }
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
