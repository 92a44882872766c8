import { untilDone } from './until.ts'
import type { World } from './world.ts'

/**
 * Three sales that a crowd comes to: seats that cost something, places of slots that cost nothing, and more places than
 * there are people. What keeps people waiting for the first two is the gate, until they are sold out; for the third it is the
 * pace, which in a minute lets in fewer than come.
 */
const roundSales = {
  seats: {
    kind: 'seats',
    title: 'Seats',
    currency: 'KRW',
    payBySeconds: 30,
    queue: { ratePerMinute: 900, maxActive: 12, tokenTtlSeconds: 45, holdTtlSeconds: 8, maxPerAccount: 4 },
    hall: {
      priceClasses: [{ name: 'R', priceMinor: 90_000 }],
      sections: [{ code: 'A', rows: 8, seatsPerRow: 18, priceClass: 'R' }],
    },
  },
  slots: {
    kind: 'slots',
    title: 'Places',
    currency: 'KRW',
    queue: { ratePerMinute: 900, maxActive: 10, tokenTtlSeconds: 45, holdTtlSeconds: 8, maxPerAccount: 2 },
    slots: {
      dates: ['2030-01-01'],
      hours: ['10:00', '11:00', '12:00', '13:00'],
      capacity: 12,
      priceMinor: 0,
    },
  },
  paced: {
    kind: 'slots',
    title: 'Places at a slow pace',
    currency: 'KRW',
    queue: { ratePerMinute: 60, maxActive: 40, tokenTtlSeconds: 45, holdTtlSeconds: 8, maxPerAccount: 1 },
    slots: { dates: ['2030-01-01'], hours: ['10:00'], capacity: 150, priceMinor: 0 },
  },
} as const

/** Of edges that are away for a while. */
const patience = { withinMs: 90_000, everyMs: 200 }

/** From when and until when a gate takes fewer. */
export interface Narrowing {
  readonly sale: string
  readonly maxActive: number
  readonly fromMs: number
  readonly toMs: number
}

export interface RoundSale {
  readonly id: string
  readonly maxActive: number
  readonly ratePerMinute: number
  readonly maxPerAccount: number
  readonly isFree: boolean
}

/** Resolves when people may join. */
export async function openSales(world: World): Promise<RoundSale[]> {
  return await Promise.all(
    Object.values(roundSales).map(async (description) => {
      const sale = {
        ...description,
        opensAt: new Date(Date.now() - 60_000).toISOString(),
        closesAt: new Date(Date.now() + 3_600_000).toISOString(),
      }
      const made = await untilDone(() => call(world, 'POST', '/api/v1/sales', sale), patience)
      const { id } = made as { id: string }
      const { maxActive, ratePerMinute, maxPerAccount } = description.queue
      return { id, maxActive, ratePerMinute, maxPerAccount, isFree: description.kind === 'slots' }
    }),
  )
}

/** Of all units, by code and sale. */
export async function capacitiesOf(
  { sql }: World,
  sales: readonly RoundSale[],
): Promise<Map<string, number>> {
  const rows = await sql<{ sale: string; code: string; capacity: number }[]>`
    select sale_id as sale, code, capacity from units where sale_id = any(${sales.map(({ id }) => id)})`
  return new Map(rows.map(({ sale, code, capacity }) => [`${code} of ${sale}`, capacity]))
}

/** Changes how many a gate takes at once; tried again until it succeeds. */
export async function setGate(world: World, sale: string, maxActive: number): Promise<void> {
  await untilDone(() => call(world, 'PATCH', `/api/v1/sales/${sale}`, { queue: { maxActive } }), patience)
}

/** So that later rounds do not pay for what is over. */
export async function closeSales(world: World, sales: readonly RoundSale[]): Promise<void> {
  for (const { id } of sales)
    await untilDone(() => call(world, 'PATCH', `/api/v1/sales/${id}`, { status: 'closed' }), patience)
}

/** Calls an edge that can be reached, as the organiser where there is no token, and throws what is no success. */
export async function call(
  world: World,
  method: string,
  path: string,
  body?: unknown,
  token = world.organiserKey,
): Promise<unknown> {
  const [first, second] = world.edges
  const ask = (url = ''): Promise<Response> =>
    fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const response = await ask(first?.url).catch(() => ask(second?.url))
  const answer: unknown = response.status === 204 ? undefined : await response.json()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer
}
