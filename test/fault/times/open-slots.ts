import { filter, type Observable, Subscription } from 'rxjs'
import type { Fetch } from '../../../src/client/client-ports.ts'
import type { OpenrunClient } from '../../../src/client/openrun-client.ts'
import type { UnitMap } from '../../../src/client/unit-map.ts'
import type { LineEvent, Transport } from '../../../src/client/waiting.ts'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import type { World } from '../suite/world.ts'
import { clientAt, openNow } from './api.ts'
import { soon } from './patience.ts'

interface SlotsOptions {
  readonly title: string
  readonly queue: Parameters<OpenrunClient['createSale']>[0]['queue']
  /** Over which short calls go; each stream has its own. */
  readonly connections: number
  readonly hours?: readonly string[]
  /** Of each hour. */
  readonly capacity?: number
}

interface Guest {
  readonly accessToken: string
  readonly client: OpenrunClient
}

interface Insider extends Guest {
  readonly purchaseToken: string
}

/** A sale of slots that is open now, with people who wait for it and look at it until it is closed. */
export class OpenSlots {
  readonly id: string
  readonly fetch: Fetch
  readonly watching = new Subscription()
  readonly #world: World
  readonly #organiser: OpenrunClient
  readonly #closeFetch: () => void

  private constructor(parts: {
    id: string
    world: World
    organiser: OpenrunClient
    fetch: Fetch
    closeFetch: () => void
  }) {
    this.id = parts.id
    this.fetch = parts.fetch
    this.#world = parts.world
    this.#organiser = parts.organiser
    this.#closeFetch = parts.closeFetch
  }

  static async open(world: World, options: SlotsOptions): Promise<OpenSlots> {
    const { title, queue, connections, hours = ['10:00'], capacity = 10_000 } = options
    const { fetch, close: closeFetch } = keepAliveFetch({ connectionsMax: connections })
    const organiser = clientAt(world, 0, fetch)
    const { id } = await organiser.createSale({
      kind: 'slots',
      title,
      currency: 'KRW',
      ...openNow(),
      queue,
      slots: { dates: ['2030-01-01'], hours: [...hours], capacity, priceMinor: 0 },
    })
    return new OpenSlots({ id, world, organiser, fetch, closeFetch })
  }

  /** Somebody new in the line; `next` hears what they are told. Resolves when they have a place. */
  async join(edge: number, transport: Transport, next: (event: LineEvent) => void): Promise<Guest> {
    const { guest, events } = await this.#newInLine(edge, transport)
    this.watching.add(events.subscribe({ next, error: () => undefined }))
    return guest
  }

  /** Resolves when somebody new was let in. */
  async letIn(): Promise<Insider> {
    const { guest, events } = await this.#newInLine(0, 'sse')
    const admitted = events.pipe(filter((event) => event.type === 'admitted'))
    const { purchaseToken } = (await soon('somebody is let in', admitted)).data
    return { ...guest, purchaseToken }
  }

  /** Somebody looks at the map. */
  watch(edge: number, transport: Transport, next: (map: UnitMap) => void = () => undefined): void {
    const maps = clientAt(this.#world, edge, this.fetch).unitMap({ sale: this.id, transport })
    this.watching.add(maps.subscribe({ next, error: () => undefined }))
  }

  async close(): Promise<void> {
    this.watching.unsubscribe()
    await this.#organiser.changeSale(this.id, { status: 'closed' })
    this.#closeFetch()
  }

  async #newInLine(
    edge: number,
    transport: Transport,
  ): Promise<{ guest: Guest; events: Observable<LineEvent> }> {
    const { accessToken } = await this.#organiser.createGuest()
    const client = clientAt(this.#world, edge, this.fetch).withToken(accessToken)
    const { ticket } = await client.joinQueue(this.id)
    const events = client.waitInLine({ sale: this.id, transport, ticket })
    return { guest: { accessToken, client }, events }
  }
}
