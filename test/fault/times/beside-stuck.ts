import { setTimeout as wait } from 'node:timers/promises'
import { median } from '../../../bench/measure/series.ts'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import type { World } from '../suite/world.ts'
import { clientAt } from './api.ts'
import type { Figure } from './figure.ts'
import { FullReaders } from './full-readers.ts'
import { openHall } from './hall.ts'
import { found } from './patience.ts'
import { tellerOf } from './teller.ts'

const readers = 180
/** A tenth of all. */
const stuckReaders = 20
const seats = 5_000
/** Of a change that is measured: so few that the buffers of whoever is stuck do not run over in a turn. */
const changed = 10
/** Turns with stuck readers, each between two without. */
const tries = 3
/** One in which not all were stuck all the time does not count. */
const triesMax = 6
const changes = 100
const everyMs = 50

/** How much later the others see a change when a tenth of those who watch never read. */
export async function besideStuck(world: World): Promise<Figure[]> {
  const { fetch, close } = keepAliveFetch({ connectionsMax: 4 })
  const organiser = clientAt(world, 0, fetch)
  const sale = await openHall(world, organiser, { seats })
  const watch = new Watch(world, sale, fetch)
  await watch.begin()
  const full = await FullReaders.measured(world, { sale, count: stuckReaders })
  await p99Ms(world, sale, watch)
  const alone = [await p99Ms(world, sale, watch)]
  const beside: number[] = []
  const ratios: number[] = []
  for (let turn = 0; ratios.length < tries; turn++) {
    if (turn === triesMax)
      throw new Error(`of ${turn} turns they were stuck all the time in ${ratios.length}`)
    const [before = Number.NaN] = alone.slice(-1)
    const with10 = await full.during(() => p99Ms(world, sale, watch))
    const after = await p99Ms(world, sale, watch)
    alone.push(after)
    if (with10 === undefined) continue
    beside.push(with10)
    ratios.push(with10 / median([before, after]))
  }
  watch.end()
  await organiser.changeSale(sale, { status: 'closed' })
  close()
  return [
    { what: 'p99 from a change to its frame, nobody stuck', unit: 'ms', values: alone },
    {
      what: 'the same beside 10 % who never read, and for whom the edge keeps what it cannot send',
      unit: 'ms',
      values: beside,
    },
    {
      what: 'p99 beside 10 % who never read, to that of the turns before and after',
      unit: '×',
      values: ratios,
      goal: { atMost: 1.2 },
    },
  ]
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
    await found('all know the map', () => !this.#positions.includes(undefined) || undefined)
  }

  forget(): void {
    this.seen = []
  }

  end(): void {
    for (const end of this.#end) end()
  }
}
