import { setMaxListeners } from 'node:events'
import type { Fetch, Time } from '../../../src/client/client-ports.ts'
import { OpenrunClient } from '../../../src/client/openrun-client.ts'
import { NodeSocket } from '../../../src/crowd/node-socket.ts'
import { seededRandom } from '../../../src/crowd/seeded-random.ts'
import { letIn } from './let-in.ts'
import type { RoundSale } from './sales.ts'
import type { World } from './world.ts'

const perSale = 3
/** So many more than an account may have. */
const tooMany = 2

interface GreedyOptions {
  readonly seed: number
  readonly fetch: Fetch
  readonly time: Time
}

/** Those who ask for more places than an account may have, all at once, and order whatever they are given. */
export class GreedyBuyers {
  readonly #gone = new AbortController()
  readonly #visits: Promise<void>[]

  constructor(world: World, sales: readonly RoundSale[], options: GreedyOptions) {
    setMaxListeners(Infinity, this.#gone.signal)
    this.#visits = sales.flatMap((sale) =>
      Array.from({ length: perSale }, (_, number) => this.#buyTooMuch(world, { sale, number, options })),
    )
  }

  /** Resolves when all have gone home. */
  async stop(): Promise<void> {
    this.#gone.abort()
    await Promise.all(this.#visits)
  }

  async #buyTooMuch(
    { edges, organiserKey }: World,
    { sale, number, options }: { sale: RoundSale; number: number; options: GreedyOptions },
  ): Promise<void> {
    const { fetch, time, seed } = options
    const { signal } = this.#gone
    const host = new OpenrunClient({
      baseUrl: edges.map(({ url }) => url),
      fetch,
      WebSocket: NodeSocket,
      time,
      random: seededRandom(seed, 800 + number),
    })
    try {
      const guest = await host.withToken(organiserKey).createGuest({ signal })
      const client = host.withToken(guest.accessToken)
      const purchaseToken = await letIn(client, sale.id, signal)
      const asked = Array.from({ length: sale.maxPerAccount + tooMany }, async () => {
        const hold = await client.hold(sale.id, { purchaseToken, request: { best: { count: 1 } }, signal })
        await client.order(hold.id, sale.isFree ? { signal } : { method: 'sandbox_approve', signal })
      })
      await Promise.allSettled(asked)
    } catch {
      // Cut off by what is done to the world: others try, too.
    }
  }
}
