import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { unpackSeats } from '../../src/domain/units/seat-bits.ts'
import { closeSales, hallSale, powerText, type GrowthParts, type Part } from './growth-parts.ts'
import { seedBookings } from '../stage/hall-seeding.ts'
import { rowOf, type Measured } from '../measure/rows.ts'
import { median } from '../measure/series.ts'
import { seatCodes } from '../stage/stage.ts'
import { check, type Check, type Curve } from '../measure/turn.ts'

const sizes = [500, 2_400, 10_000, 50_000] as const
const holdsPerSecond = 50
const holdsMost = 450
const snapshots = 100
/** Buyers who are in, of whom each takes a few seats. */
const buyers = 200
const soldPart = 0.5
const rebuiltWithinMs = 60_000

interface HallFigures {
  /** The first one in a hall: the process reads all of its units for it. */
  readonly firstHoldMs: number[]
  readonly snapshotBytes: number[]
  readonly snapshotP50Ms: number[]
  readonly snapshotP99Ms: number[]
  readonly holdP50Ms: number[]
  readonly holdP99Ms: number[]
  readonly rebuildMs: number[]
}

/** How the picture of a hall, a hold in it and its return after a loss of Redis grow with the hall. */
export async function askHalls(parts: GrowthParts): Promise<Part> {
  return await new Halls(parts).ask()
}

class Halls {
  readonly #parts: GrowthParts
  readonly #checks: Check[] = []

  constructor(parts: GrowthParts) {
    this.#parts = parts
  }

  async ask(): Promise<Part> {
    const halls = new Map<number, HallFigures>()
    for (const seats of sizes) halls.set(seats, await this.#hall(seats))
    return { rows: rowsOf(halls), curves: curvesOf(halls), checks: this.#checks, windows: [] }
  }

  async #hall(seats: number): Promise<HallFigures> {
    const { stage, crowd, options } = this.#parts
    const { port } = stage.server
    const sale = await stage.createSale(hallSale(seats))
    const target = { port, connections: 32 }
    const people = { sales: [sale], count: buyers }
    await crowd.ask('join', { targets: [target], rounds: [[sale]], count: buyers })
    await crowd.ask('tokens', { ...target, ...people })
    const codes = seatCodes(seats)
    // The first ones are for whoever holds, the others may be sold.
    const toHold = codes.slice(1, Math.min(holdsMost, Math.floor(seats * (1 - soldPart))))
    const figures = noFigures()
    const first = await crowd.ask('hold', { port, sale, seats: codes.slice(0, 1), perSecond: 1 })
    this.#checks.push(check(`${seats} seats: the first hold answered 201`, 1, first.held))
    figures.firstHoldMs.push(first.p50Ms)
    const each = Math.min(toHold.length / options.rounds, holdsPerSecond * options.seconds)
    for (let round = 0; round < options.rounds; round++) {
      const some = toHold.slice(Math.floor(round * each), Math.floor((round + 1) * each))
      const held = await crowd.ask('hold', { port, sale, seats: some, perSecond: holdsPerSecond })
      this.#checks.push(check(`${seats} seats: holds answered 201`, some.length, held.held))
      figures.holdP50Ms.push(held.p50Ms)
      figures.holdP99Ms.push(held.p99Ms)
      const read = await crowd.ask('snapshots', { port, sale, times: snapshots })
      this.#checks.push(check(`${seats} seats: snapshots answered`, snapshots, read.statuses['200'] ?? 0))
      figures.snapshotBytes.push(read.bytesPerAnswer)
      figures.snapshotP50Ms.push(read.p50Ms)
      figures.snapshotP99Ms.push(read.p99Ms)
    }
    const sold = Math.floor(seats * soldPart)
    await seedBookings(stage.sql, { sale, firstUnit: seats - sold, count: sold })
    for (let round = 1; round <= options.rounds; round++) {
      figures.rebuildMs.push(await this.#loseRedis(sale))
      await this.#checkRebuilt(`${seats} seats, loss ${round}`, { sale, seats, sold })
    }
    await closeSales(stage, [sale])
    return figures
  }

  /** Redis forgets everything; resolves to how long the sale was not whole, in milliseconds. */
  async #loseRedis(sale: string): Promise<number> {
    const { redis } = this.#parts.stage
    const { state } = saleKeys(sale)
    const startMs = performance.now()
    await redis.flushall()
    for (const endMs = startMs + rebuiltWithinMs; performance.now() < endMs; await wait(2))
      if ((await redis.hget(state, 'ready')) === '1') return performance.now() - startMs
    throw new Error(`${sale} did not come back`)
  }

  /** By Redis' counts, and by what everybody is shown: that follows a moment later. */
  async #checkRebuilt(
    name: string,
    { sale, seats, sold }: { sale: string; seats: number; sold: number },
  ): Promise<void> {
    const { redis } = this.#parts.stage
    const [free, gone] = await redis.hmget(saleKeys(sale).state, 'free', 'sold')
    const expected = Array.from({ length: seats }, (_, unit) => (unit < seats - sold ? 0 : 2))
    let wrong = Infinity
    for (const endMs = Date.now() + 5_000; wrong > 0 && Date.now() < endMs; await wait(50))
      wrong = await this.#wrongSeats(sale, expected)
    this.#checks.push(
      check(`${name}: free places in Redis`, seats - sold, Number(free)),
      check(`${name}: places sold in Redis`, sold, Number(gone)),
      check(`${name}: seats shown otherwise than they were sold`, 0, wrong),
    )
  }

  async #wrongSeats(sale: string, expected: readonly number[]): Promise<number> {
    const answer = await this.#parts.stage.read(`/api/v1/sales/${sale}/availability`).catch(() => undefined)
    if (answer === undefined) return Infinity
    const shown = unpackSeats((answer as { seats: string }).seats, expected.length)
    return expected.filter((state, unit) => shown[unit] !== state).length
  }
}

function noFigures(): HallFigures {
  return {
    firstHoldMs: [],
    snapshotBytes: [],
    snapshotP50Ms: [],
    snapshotP99Ms: [],
    holdP50Ms: [],
    holdP99Ms: [],
    rebuildMs: [],
  }
}

type BySize = ReadonlyMap<number, HallFigures>

function rowsOf(halls: BySize): Measured[] {
  const [largest, smallest] = [halls.get(50_000), halls.get(500)]
  if (largest === undefined || smallest === undefined) return []
  const row = (metric: string, unit: string, pick: (of: HallFigures) => number[]) =>
    rowOf({ metric, unit, ours: pick(largest), peer: { name: '500 seats', figures: pick(smallest) } })
  return [
    row('snapshot of 50,000 seats', 'bytes', (of) => of.snapshotBytes),
    row('snapshot of 50,000 seats, p50', 'ms', (of) => of.snapshotP50Ms),
    row('first hold in a hall of 50,000 seats', 'ms', (of) => of.firstHoldMs),
    row('hold among 50,000 seats, p50', 'ms', (of) => of.holdP50Ms),
    row('hold among 50,000 seats, p99', 'ms', (of) => of.holdP99Ms),
    rowOf({
      metric: '50,000 seats, half of them sold, back after a loss of Redis',
      unit: 'ms',
      ours: largest.rebuildMs,
      peer: { name: '500 seats', figures: smallest.rebuildMs },
      goal: { of: 'ours', most: 2_000 },
    }),
  ]
}

function curvesOf(halls: BySize): Curve[] {
  const points = (pick: (of: HallFigures) => number[]): (readonly [number, number])[] =>
    [...halls].map(([seats, of]) => [seats, median(pick(of))])
  const x = { name: 'seats', unit: '' }
  const bytes = points((of) => of.snapshotBytes)
  const times = {
    snapshot: points((of) => of.snapshotP50Ms),
    firstHold: points((of) => of.firstHoldMs),
    hold: points((of) => of.holdP50Ms),
    holdP99: points((of) => of.holdP99Ms),
    rebuild: points((of) => of.rebuildMs),
  }
  const last = bytes.at(-1) ?? [Number.NaN, Number.NaN]
  return [
    {
      title: 'A hall as everybody is sent it',
      x,
      y: { name: 'snapshot', unit: 'bytes' },
      isLog: true,
      lines: [{ name: 'snapshot', points: bytes }],
      note:
        `Grows as seats ${powerText(bytes)}: two bits a seat in base64 are ${((last[1] * 8) / last[0]).toFixed(2)} bits a seat ` +
        'in the largest hall; what bends it below is the rest of the message.',
    },
    {
      title: 'Time and the size of the hall',
      x,
      y: { name: 'time', unit: 'ms' },
      isLog: true,
      lines: [
        { name: 'snapshot, p50', points: times.snapshot },
        { name: 'first hold', points: times.firstHold },
        { name: 'hold, p50', points: times.hold },
        { name: 'hold, p99', points: times.holdP99 },
        { name: 'back after a loss of Redis', points: times.rebuild },
      ],
      note:
        `A hold goes as seats ${powerText(times.hold)}, a snapshot ${powerText(times.snapshot)}, the first hold, for which ` +
        `the process reads all units, ${powerText(times.firstHold)}, a rebuilding ${powerText(times.rebuild)}. What bends the rebuilding below is the wait for the next tick of the gate, up to ` +
        '100 ms, which is the same for every hall.',
    },
  ]
}
