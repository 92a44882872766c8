import { setTimeout as wait } from 'node:timers/promises'
import { OneRedis } from '../../src/db/one-redis.ts'
import type { Redis } from '../../src/db/redis.ts'
import { parseAdmission } from '../../src/domain/queue/queue-place.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { SaleState } from '../../src/domain/sale-state/sale-state.ts'
import { HoldStore } from '../../src/domain/units/hold-store.ts'
import { monotonicMicros } from '../measure/monotonic-clock.ts'
import type { Stage } from '../stage/stage.ts'

/** Buyers who hold and give back. */
export const holders = 200
/** Of an account, more than it ever holds at once. */
const perAccount = 50

/** Somebody who was let in. */
interface Holder {
  readonly accountId: string
  /** Of the admission. */
  readonly sequence: number
}

/**
 * Opens a sale of seats, lets buyers in, and gives what they change its map with.
 * @param redis a connection of our own, not yet open
 */
export async function openChangingSale(
  { load, server, createSale, redis: stores }: Stage,
  { seats, redis }: { seats: number; redis: Redis },
): Promise<MapChanges> {
  const queue = {
    ratePerMinute: 6_000_000,
    maxActive: 1_000_000,
    tokenTtlSeconds: 86_400,
    holdTtlSeconds: 86_400,
    maxPerAccount: perAccount,
  }
  const sale = await createSale({ seats, queue })
  // The gate lets no more people in than there are seats, and some.
  const count = Math.min(holders, seats)
  await load.ask('join', { port: server.port, connections: 16, sales: [sale], seconds: 300, count })
  const inside = await whoAreInside(stores, sale, count)
  const one = new OneRedis(redis)
  await one.connect()
  const state = new SaleState(one)
  await state.refresh(sale)
  const changes = new MapChanges({ holds: new HoldStore(state, { atOnce: 1 }), sale, seats, holders: inside })
  // Redis learns the scripts: a call that has to be repeated would change places with the next one.
  await changes.run({ count: 4, perSecond: 10 })
  return changes
}

async function whoAreInside(redis: Redis, sale: string, count: number): Promise<Holder[]> {
  const { active, granting } = saleKeys(sale)
  for (let looks = 0; looks < 500; looks++) {
    const records = Object.entries(await redis.hgetall(active))
    if (records.length === count && (await redis.hlen(granting)) === 0)
      return records.map(([accountId, record]) => ({ accountId, ...parseAdmission(record) }))
    await wait(20)
  }
  throw new Error(`${count} buyers are not let in`)
}

/** Changes one map at a fixed pace: seats are held one after the other, and given back in the same order. */
export class MapChanges {
  readonly sale: string
  readonly #holds: HoldStore
  readonly #seats: number
  readonly #holders: readonly Holder[]
  #taken = 0
  #released = 0
  #refused = 0

  constructor(options: {
    readonly holds: HoldStore
    readonly sale: string
    readonly seats: number
    readonly holders: readonly Holder[]
  }) {
    this.#holds = options.holds
    this.sale = options.sale
    this.#seats = options.seats
    this.#holders = options.holders
  }

  /** How many were asked for; each that went well made one revision. */
  get made(): number {
    return this.#taken + this.#released
  }

  /** How many were refused, or failed; each of them is one change less. */
  get refused(): number {
    return this.#refused
  }

  /** Answers when each change was asked for, in the order of the revisions they made. */
  async run({ count, perSecond }: { count: number; perSecond: number }): Promise<number[]> {
    const startMicros = monotonicMicros()
    const stamps: number[] = []
    const underWay: Promise<void>[] = []
    while (stamps.length < count) {
      const inMicros = startMicros + (stamps.length / perSecond) * 1e6 - monotonicMicros()
      if (inMicros > 0) {
        await wait(Math.ceil(inMicros / 1000))
      } else {
        stamps.push(monotonicMicros())
        underWay.push(this.#change())
      }
    }
    await Promise.all(underWay)
    return stamps
  }

  async #change(): Promise<void> {
    const held = this.#taken - this.#released
    // About an eighth of the hall is held.
    const isRelease = held > 0 && (held >= this.#seats / 8 || (this.#taken + this.#released) % 4 === 3)
    try {
      await (isRelease ? this.#release(this.#released++) : this.#take(this.#taken++))
    } catch {
      this.#refused++
    }
  }

  async #take(k: number): Promise<void> {
    const { accountId, sequence } = this.#holderOf(k)
    const wanted = [{ unitNo: this.#seatOf(k), quantity: 1 }]
    const asked = { holdId: holdIdOf(k), accountId, sequence, alternatives: [wanted] }
    if (!('hold' in (await this.#holds.take(this.sale, asked)))) this.#refused++
  }

  async #release(k: number): Promise<void> {
    await this.#holds.release(this.sale, { holdId: holdIdOf(k), accountId: this.#holderOf(k).accountId })
  }

  /** All over the hall, none again before all others: the step has no divisor in common with the seats. */
  #seatOf(k: number): number {
    return (k * stepFor(this.#seats)) % this.#seats
  }

  #holderOf(k: number): Holder {
    const holder = this.#holders[k % this.#holders.length]
    if (holder === undefined) throw new Error('nobody was let in')
    return holder
  }
}

function holdIdOf(k: number): string {
  return `hol_bench${k}`
}

function stepFor(seats: number): number {
  let step = Math.floor(seats * 0.618) | 1
  while (commonDivisor(step, seats) > 1) step += 2
  return step
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}
