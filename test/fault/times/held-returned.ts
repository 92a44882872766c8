import { filter, firstValueFrom, ReplaySubject, Subscription } from 'rxjs'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import type { OpenrunClient } from '../../../src/client/openrun-client.ts'
import type { World } from '../suite/world.ts'
import { admission, clientAt, openNow } from './api.ts'
import type { Figure } from './figure.ts'
import { writerKilledBefore } from './writer.ts'

const quietTries = 20
const killedTries = 5
const ttlSeconds = 2

/** How long after its end what was held, and not used, is told to be free, to the last who is told. */
export async function heldReturned(world: World): Promise<Figure[]> {
  const holds = await HeldPlaces.open(world)
  const quiet = await several(quietTries, () => holds.lateMs())
  const killed = await several(killedTries, () => holds.lateMs(writerKilledBefore(world, holds.sale)))
  await holds.close()
  return [
    {
      what: 'from the end of a hold until the last of four viewers, at both edges, is told that its place is free',
      unit: 'ms',
      values: quiet,
      goal: { atMost: 1_000 },
    },
    {
      what: 'the same, where the writer is killed shortly before',
      unit: 'ms',
      values: killed,
      goal: { atMost: 4_000 },
    },
  ]
}

async function several(tries: number, one: () => Promise<number>): Promise<number[]> {
  const values: number[] = []
  while (values.length < tries) values.push(await one())
  return values
}

/** Places of one each, held by people who do not buy, and four who look at them. */
class HeldPlaces {
  readonly sale: string
  readonly #buyer: OpenrunClient
  readonly #purchaseToken: string
  readonly #views: ReplaySubject<ReadonlyMap<string, number>>[]
  readonly close: () => Promise<void>

  private constructor(parts: {
    sale: string
    buyer: OpenrunClient
    purchaseToken: string
    views: ReplaySubject<ReadonlyMap<string, number>>[]
    close: () => Promise<void>
  }) {
    this.sale = parts.sale
    this.#buyer = parts.buyer
    this.#purchaseToken = parts.purchaseToken
    this.#views = parts.views
    this.close = parts.close
  }

  static async open(world: World): Promise<HeldPlaces> {
    const { fetch, close } = keepAliveFetch({ connectionsMax: 20 })
    const organiser = clientAt(world, 0, fetch)
    const { id: sale } = await organiser.createSale({
      kind: 'slots',
      title: 'Held and let go',
      currency: 'KRW',
      ...openNow(),
      queue: { ratePerMinute: 6_000, maxActive: 10, tokenTtlSeconds: 3_600, holdTtlSeconds: ttlSeconds },
      slots: { dates: ['2030-01-01'], hours: ['10:00', '11:00'], capacity: 1, priceMinor: 0 },
    })
    const { accessToken } = await organiser.createGuest()
    const buyer = organiser.withToken(accessToken)
    const { purchaseToken } = await admission(buyer, sale)
    const watching = new Subscription()
    const views = world.edges.flatMap((_, edge) =>
      (['sse', 'ws'] as const).map((transport) => {
        const view = new ReplaySubject<ReadonlyMap<string, number>>(1)
        const maps = clientAt(world, edge, fetch).unitMap({ sale, transport })
        watching.add(
          maps.subscribe({ next: ({ pools }) => view.next(new Map(pools)), error: () => undefined }),
        )
        return view
      }),
    )
    return new HeldPlaces({
      sale,
      buyer,
      purchaseToken,
      views,
      close: async () => {
        watching.unsubscribe()
        await organiser.changeSale(sale, { status: 'closed' })
        close()
      },
    })
  }

  /** @param breakIt is told when the hold will end, and answers how to mend what it has broken */
  async lateMs(breakIt?: (endMs: number) => Promise<() => Promise<void>>): Promise<number> {
    const asked = { purchaseToken: this.#purchaseToken, request: { best: { count: 1 } } }
    const { units, expiresAt } = await this.#buyer.hold(this.sale, asked)
    const unit = units[0]?.unit ?? ''
    const endMs = Date.parse(expiresAt)
    const told = this.#views.map(async (view) => {
      await firstValueFrom(view.pipe(filter((pools) => pools.get(unit) === 0)))
      await firstValueFrom(view.pipe(filter((pools) => pools.get(unit) === 1)))
      return Date.now()
    })
    const mend = await breakIt?.(endMs)
    const lateMs = Math.max(...(await Promise.all(told))) - endMs
    await mend?.()
    return lateMs
  }
}
