import { setMaxListeners } from 'node:events'
import type { Fetch, Time } from '../../../src/client/client-ports.ts'
import { OpenrunClient } from '../../../src/client/openrun-client.ts'
import { NodeSocket } from '../../../src/crowd/node-socket.ts'
import { seededRandom } from '../../../src/crowd/seeded-random.ts'
import { letIn } from './let-in.ts'
import type { RoundSale } from './sales.ts'
import type { World } from './world.ts'

const perSale = 8

interface FickleOptions {
  readonly seed: number
  readonly fetch: Fetch
  readonly time: Time
}

/** Those who buy and give back, again and again: while it is being paid for, at once, or a little later. */
export class FickleBuyers {
  readonly #gone = new AbortController()
  readonly #visits: Promise<void>[]

  constructor(world: World, sales: readonly RoundSale[], options: FickleOptions) {
    // Each call of each of them listens to it.
    setMaxListeners(Infinity, this.#gone.signal)
    this.#visits = sales.flatMap(({ id }) =>
      Array.from({ length: perSale }, (_, number) =>
        this.#buyAndGiveBack(world, { sale: id, number, options }),
      ),
    )
  }

  /** Resolves when all have gone home. */
  async stop(): Promise<void> {
    this.#gone.abort()
    await Promise.all(this.#visits)
  }

  async #buyAndGiveBack(
    { edges, organiserKey }: World,
    { sale, number, options }: { sale: string; number: number; options: FickleOptions },
  ): Promise<void> {
    const random = seededRandom(options.seed, 700 + number)
    const { signal } = this.#gone
    while (!signal.aborted) {
      const host = new OpenrunClient({
        baseUrl: edges.map(({ url }) => url),
        fetch: options.fetch,
        WebSocket: NodeSocket,
        time: options.time,
        random,
      })
      try {
        const guest = await host.withToken(organiserKey).createGuest({ signal })
        await visit(host.withToken(guest.accessToken), { sale, random, time: options.time, signal })
      } catch {
        // Refused, too late, or cut off by what is done to the world: another time.
        await options.time.wait(500, signal)
      }
    }
  }
}

async function visit(
  client: OpenrunClient,
  { sale, random, time, signal }: { sale: string; random: () => number; time: Time; signal: AbortSignal },
): Promise<void> {
  const purchaseToken = await letIn(client, sale, signal)
  const hold = await client.hold(sale, { purchaseToken, request: { best: { count: 1 } }, signal })
  await time.wait(500 * random(), signal)
  const order = await client.order(hold.id, { method: 'sandbox_approve', signal })
  const chance = random()
  if (chance < 0.6) await client.orderOutcome(order.id, { signal })
  if (chance < 0.5) await time.wait(20_000 * random(), signal)
  await client.cancelOrder(order.id)
  await client.leaveQueue(sale, { signal })
}
