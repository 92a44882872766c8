import { setTimeout as wait } from 'node:timers/promises'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import type { HelperProcess } from '../stage/helper-process.ts'
import type { Taken, PoolLoadCalls } from '../load/pool-calls.ts'
import type { OpenPools, PoolDesign, PoolShape, Standing } from './pool-design.ts'
import type { Stage } from '../stage/stage.ts'

const date = '2030-01-01'
const hourOf = (pool: number): string => `${pool + 10}:00`

/** Everybody is let in at once: what is asked is how fast places are given. */
const openGate = {
  ratePerMinute: 6_000_000,
  maxActive: 1_000_000,
  tokenTtlSeconds: 86_400,
  holdTtlSeconds: 3_600,
}

interface Crowd {
  readonly load: HelperProcess<PoolLoadCalls>
  readonly connections: number
  readonly accounts: number
}

/** A free sale, each of whose slots is a pool. */
export class OurPools implements PoolDesign {
  readonly name = 'ours'
  readonly isDurableWhenAnswered = true
  readonly soldOutCodes = ['unit_taken', 'fully_booked']
  readonly #stage: Stage
  readonly #crowd: Crowd
  readonly #server: { readonly pid: number; readonly port: number }

  /** @param server where the crowd books; the stage's own lets it in */
  constructor(stage: Stage, crowd: Crowd, server: { readonly pid: number; readonly port: number }) {
    this.#stage = stage
    this.#crowd = crowd
    this.#server = server
  }

  get pid(): number {
    return this.#server.pid
  }

  async open({ pools, capacity, asked }: PoolShape): Promise<OpenPools> {
    const { load, connections, accounts } = this.#crowd
    const hours = Array.from({ length: pools }, (_, pool) => hourOf(pool))
    const queue = { ...openGate, maxPerAccount: Math.ceil(asked / accounts) }
    const sale = await this.#stage.createSale({ dates: [date], hours, capacity, queue })
    const { admitted } = await load.ask('enter', { port: this.#stage.server.port, connections, sale })
    if (admitted !== accounts) throw new Error(`${admitted} of ${accounts} buyers were let in`)
    const units = hours.map((hour) => `${date}T${hour}`)
    let given = 0
    const take = async (): Promise<Taken> => {
      const taken = await load.ask('book', { port: this.#server.port, connections, units, count: asked })
      given = taken.given.length
      return taken
    }
    return {
      take,
      // Nothing is given before it is written: that the crowd's places are there is what is checked.
      written: async () => null,
      standing: () => this.#standing(sale),
      close: async () => {
        const counter = await this.#sold(sale, given)
        await this.#stage.closeSale(sale)
        return { counter }
      },
    }
  }

  async #standing(sale: string): Promise<readonly Standing[]> {
    return await this.#stage.sql<Standing[]>`
      select id as place, unit_no as pool, ordinal as no from bookings
      where sale_id = ${sale} and status = 'booked'`
  }

  /** Resolves with the places that Redis calls sold, when the server has nothing left to do or 15 s are over. */
  async #sold(sale: string, given: number): Promise<number> {
    const { redis, sql } = this.#stage
    const { state } = saleKeys(sale)
    for (let looks = 1; ; looks++) {
      const sold = Number((await redis.hget(state, 'sold')) ?? 0)
      const [unread] = await sql`
        select 1 from outbox, outbox_positions as read
        where (outbox.xid, outbox.id) > (read.xid, read.id) limit 1`
      if ((sold === given && unread === undefined) || looks === 300) return sold
      await wait(50)
    }
  }
}
