import { setTimeout as wait } from 'node:timers/promises'
import { median } from '../../../bench/measure/series.ts'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import type { Server } from '../suite/server.ts'
import type { World } from '../suite/world.ts'
import { clientAt, ownPortOf } from './api.ts'
import type { Figure } from './figure.ts'
import { openHall } from './hall.ts'
import { liveConnections, StuckConnections } from './stuck-readers.ts'
import { tellAndWait, tellerOf } from './teller.ts'

const readers = 180
/** A tenth of all. */
const stuckReaders = 20
const seats = 5_000
/** Of a change that is measured. */
const changed = 250
/** Until the buffers of the machine are full. */
const fillingsMax = 300
/** Turns with stuck readers, each between two without. */
const tries = 3
const changes = 100
const everyMs = 50

/** How much later the others see a change when a tenth of those who watch never read. */
export async function besideStuck(world: World): Promise<Figure[]> {
  const { fetch, close } = keepAliveFetch({ connectionsMax: 4 })
  const organiser = clientAt(world, 0, fetch)
  const sale = await openHall(world, organiser, { seats })
  const watch = new Watch(world, sale, fetch)
  await watch.begin()
  await p99Ms(world, sale, watch)
  const alone = [await p99Ms(world, sale, watch)]
  const ratios: number[] = []
  const beside: number[] = []
  const closed: number[] = []
  while (ratios.length < tries) {
    const [edge] = world.edges
    if (edge === undefined) throw new Error('there is no edge')
    const stuck = await StuckConnections.open({ port: ownPortOf(edge), sale, count: stuckReaders })
    await fillUp(world, sale, edge)
    const open = await liveConnections(edge)
    const with10 = await p99Ms(world, sale, watch)
    closed.push(open - (await liveConnections(edge)))
    stuck.close()
    const [before = Number.NaN] = alone.slice(-1)
    alone.push(await p99Ms(world, sale, watch))
    beside.push(with10)
    ratios.push(with10 / median([before, ...alone.slice(-1)]))
  }
  watch.end()
  await organiser.changeSale(sale, { status: 'closed' })
  close()
  return [
    { what: 'p99 from a change to its frame, nobody stuck', unit: 'ms', values: alone },
    { what: 'the same beside 10 % who never read, and whose buffers are full', unit: 'ms', values: beside },
    { what: 'how many of these could be told no more, and were closed, meanwhile', unit: '', values: closed },
    {
      what: 'p99 beside 10 % who never read, to that of the turns before and after',
      unit: '×',
      values: [median(ratios)],
      goal: { atMost: 1.2 },
    },
  ]
}

/** Tells whatever fits until the first of those who do not read is closed: the others are about to be. */
async function fillUp(world: World, sale: string, edge: Server): Promise<void> {
  const tell = await tellerOf(world, { sale, seats })
  const before = await liveConnections(edge)
  for (let filling = 0; filling < fillingsMax; filling++) {
    await tellAndWait(tell)
    if ((await liveConnections(edge)) < before) return
  }
  throw new Error('those who do not read are told without an end')
}

async function p99Ms(world: World, sale: string, watch: Watch): Promise<number> {
  const tell = await tellerOf(world, { sale, seats: changed })
  const toldAtMs = new Map<number, number>()
  watch.forget()
  for (let change = 0; change < changes; change++) {
    const atMs = performance.now()
    toldAtMs.set(await tell(), atMs)
    await wait(everyMs)
  }
  await wait(1_000)
  const delays = watch.seen.flatMap(({ seq, atMs }) => {
    const fromMs = toldAtMs.get(seq)
    return fromMs === undefined ? [] : [atMs - fromMs]
  })
  const sorted = delays.toSorted((a, b) => a - b)
  if (sorted.length < (readers * changes) / 4) throw new Error(`only ${sorted.length} frames were seen`)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN
}

/** Those who read, at the first edge, half over each transport. */
class Watch {
  readonly #end: (() => void)[] = []
  readonly #world: World
  readonly #sale: string
  readonly #fetch: ReturnType<typeof keepAliveFetch>['fetch']
  #positions: (string | undefined)[] = []
  seen: { readonly seq: number; readonly atMs: number }[] = []

  constructor(world: World, sale: string, fetch: ReturnType<typeof keepAliveFetch>['fetch']) {
    this.#world = world
    this.#sale = sale
    this.#fetch = fetch
  }

  /** Resolves when all of them know the map. */
  async begin(): Promise<void> {
    this.#positions = Array.from({ length: readers }, () => undefined)
    for (let index = 0; index < readers; index++) {
      const subscription = clientAt(this.#world, 0, this.#fetch)
        .unitMap({ sale: this.#sale, transport: index % 2 === 0 ? 'sse' : 'ws' })
        .subscribe({
          next: ({ position }) => {
            this.#positions[index] = position
            this.seen.push({ seq: Number(position?.split(':')[1]), atMs: performance.now() })
          },
          error: () => undefined,
        })
      this.#end.push(() => subscription.unsubscribe())
    }
    while (this.#positions.includes(undefined)) await wait(50)
  }

  forget(): void {
    this.seen = []
  }

  end(): void {
    for (const end of this.#end) end()
  }
}
