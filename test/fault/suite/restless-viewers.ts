import { setTimeout as wait } from 'node:timers/promises'
import type { Fetch, FetchResponse } from '../../../src/client/client-ports.ts'
import { SseParser, type SseEvent } from '../../../src/client/sse-parser.ts'
import { UnitMap } from '../../../src/client/unit-map.ts'
import { seededRandom } from '../../../src/crowd/seeded-random.ts'
import { availabilityDelta, availabilitySnapshot } from '../../../src/domain/units/unit-messages.ts'
import type { RoundSale } from './sales.ts'
import type { ToldPositions } from './told-positions.ts'
import type { World } from './world.ts'

const perSale = 3
const listensMs = { least: 50, most: 600 }

/** Positions that nobody was ever told: of the future, of another epoch, of nowhere. */
const wrongPositions = ['1:999999999', '999:1', '0:0', '-1:-1', 'nowhere', '1', ':', '18446744073709551616:1']

interface RestlessOptions {
  readonly seed: number
  readonly fetch: Fetch
  readonly positions: ToldPositions
}

/**
 * Viewers who come and go in a loop, at one edge and the other, and go on from where they were, from where they were long
 * ago, or from where nobody was. Whatever they are told they apply as a client does.
 */
export class RestlessViewers {
  readonly #gone = new AbortController()
  readonly #breaches: { promise: number; what: string }[] = []

  constructor(world: World, sales: readonly RoundSale[], options: RestlessOptions) {
    for (const { id } of sales)
      for (let number = 0; number < perSale; number++) void this.#wander(world, id, number, options)
  }

  get breaches(): readonly { promise: number; what: string }[] {
    return this.#breaches
  }

  stop(): void {
    this.#gone.abort()
  }

  async #wander(world: World, sale: string, number: number, options: RestlessOptions): Promise<void> {
    const random = seededRandom(options.seed, 500 + number)
    const who = `restless viewer ${number}`
    let [map, old] = [new UnitMap(), new UnitMap()]
    while (!this.#gone.signal.aborted) {
      const chance = random()
      if (chance < 0.2) map = old
      else if (random() < 0.3) old = copyOf(map)
      const isWrong = chance > 0.7
      const since = isWrong ? wrongPositions[Math.floor(random() * wrongPositions.length)] : map.position
      const edge = world.edges[Math.floor(random() * world.edges.length)]
      const isWronged = (fault: string): void =>
        void this.#breaches.push({ promise: 6, what: `${who} of ${sale}, from ${since}: ${fault}` })
      const forMs = listensMs.least + random() * (listensMs.most - listensMs.least)
      await this.#listen(`${edge?.url}/api/v1/sales/${sale}/availability/stream`, {
        fetch: options.fetch,
        since,
        forMs,
        hear: (event) => {
          const fault = heard(map, event, isWrong)
          if (fault !== undefined) isWronged(fault)
          else if (map.position !== undefined) options.positions.saw(sale, map, who)
        },
        refused: (status) => {
          const fault = refusal(status)
          if (fault !== undefined) isWronged(fault)
        },
      })
      await wait(20, undefined, { signal: this.#gone.signal }).catch(() => undefined)
    }
  }

  async #listen(
    url: string,
    options: {
      fetch: Fetch
      since: string | undefined
      forMs: number
      hear: (event: SseEvent) => void
      refused: (status: number) => void
    },
  ): Promise<void> {
    const { fetch, since, forMs, hear, refused } = options
    const signal = AbortSignal.any([this.#gone.signal, AbortSignal.timeout(Math.round(forMs))])
    const headers = {
      accept: 'text/event-stream',
      ...(since === undefined ? {} : { 'last-event-id': since }),
    }
    try {
      const response = await fetch(url, { method: 'GET', headers, signal })
      if (response.status !== 200) return refused(response.status)
      const parser = new SseParser(hear)
      const text = new TextDecoder()
      for await (const chunk of chunksOf(response)) parser.push(text.decode(chunk, { stream: true }))
    } catch {
      // Cut off, by us or by what is done to the world: whatever `hear` makes of what it hears, it does not throw.
    }
  }
}

/** Whatever position somebody asks for, however odd, they are told a map, or to come later. */
export function refusal(status: number): string | undefined {
  return status === 503 ? undefined : `refused with ${status}`
}

/**
 * What is wrong with an event; undefined where it can be applied. Whoever came from nowhere is told all of it first.
 * Throws never.
 */
export function heard(map: UnitMap, event: SseEvent, isWrong: boolean): string | undefined {
  try {
    return applied(map, event, isWrong)
  } catch (error) {
    return `what nobody can read: ${event.event} ${event.data.slice(0, 200)}: ${String(error)}`
  }
}

function applied(map: UnitMap, { event, data, lastEventId }: SseEvent, isWrong: boolean): string | undefined {
  if (event === 'snapshot') {
    map.replace(availabilitySnapshot.parse(JSON.parse(data)))
    return undefined
  }
  if (event !== 'delta') return undefined
  const before = map.position
  const delta = availabilityDelta.parse(JSON.parse(data))
  if (map.follow(delta, lastEventId)) return undefined
  return isWrong ? `a delta of ${delta.prev} instead of a snapshot` : `${lastEventId} after ${before}`
}

function chunksOf({ body }: FetchResponse): AsyncIterable<Uint8Array> {
  if (body === null || !(Symbol.asyncIterator in body)) throw new Error('no stream')
  return body
}

function copyOf(map: UnitMap): UnitMap {
  const copy = new UnitMap()
  const [epoch, seq] = (map.position ?? '').split(':').map(Number)
  if (epoch === undefined || seq === undefined) return copy
  copy.replace({ epoch, seq, seats: packed(map.seats), pools: Object.fromEntries(map.pools) })
  return copy
}

/** Two bits a seat, as snapshots have them. */
function packed(seats: Uint8Array): string {
  const bytes = Buffer.alloc(Math.ceil(seats.length / 4))
  seats.forEach(
    (state, unitNo) => (bytes[unitNo >> 2] = (bytes[unitNo >> 2] ?? 0) | (state << (2 * (unitNo & 3)))),
  )
  return bytes.toString('base64')
}
