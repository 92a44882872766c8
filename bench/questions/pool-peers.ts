import postgres from 'postgres'
import type { HelperProcess } from '../stage/helper-process.ts'
import type { PoolLoadCalls } from '../load/pool-calls.ts'
import { startPeer } from '../stage/peer-programs.ts'
import type { PoolCalls } from '../peers/pool-calls.ts'
import type { OpenPools, PoolDesign, PoolShape, Standing } from './pool-design.ts'
import type { Stage } from '../stage/stage.ts'

/** Slow ones are given smaller pools, since what counts is how many places a second. */
export const poolPeers = [
  { name: 'row lock + count', file: 'pool-row-lock.ts', isSlow: true, isDurable: true },
  { name: 'redlock', file: 'pool-redlock.ts', isSlow: true, isDurable: true },
  { name: 'Redis counter, inserted later', file: 'pool-redis-queue.ts', isSlow: false, isDurable: false },
] as const

export type PoolPeer = (typeof poolPeers)[number]

/** A program of `peers/` with a database of its own, and Redis' database 1. */
export class PeerPools implements PoolDesign {
  readonly name: string
  readonly isSlow: boolean
  readonly isDurableWhenAnswered: boolean
  readonly soldOutCodes = ['sold_out']
  readonly #file: string
  readonly #program: HelperProcess<PoolCalls>
  readonly #load: HelperProcess<PoolLoadCalls>
  readonly #connections: number
  #port = 0
  #sql: postgres.Sql | undefined

  constructor(peer: PoolPeer, crowd: { load: HelperProcess<PoolLoadCalls>; connections: number }) {
    this.name = peer.name
    this.isSlow = peer.isSlow
    this.isDurableWhenAnswered = peer.isDurable
    this.#file = peer.file
    this.#program = startPeer<PoolCalls>(peer.file)
    this.#load = crowd.load
    this.#connections = crowd.connections
  }

  get pid(): number {
    return this.#program.pid
  }

  async start({ sql, stores }: Pick<Stage, 'sql' | 'stores'>): Promise<void> {
    const database = this.#file.replace('.ts', '').replaceAll('-', '_')
    await sql`create database ${sql(database)}`
    const postgresUrl = stores.postgresUrl.replace(/\/openrun$/, `/${database}`)
    this.#sql = postgres(postgresUrl, { max: 1 })
    const { port } = await this.#program.ask('listen', { postgresUrl, redisUrl: `${stores.redisUrl}/1` })
    this.#port = port
  }

  async stop(): Promise<void> {
    await this.#program.stop()
    await this.#sql?.end()
  }

  async open({ pools, capacity, asked }: PoolShape): Promise<OpenPools> {
    const [port, connections] = [this.#port, this.#connections]
    const { ids } = await this.#program.ask('open', { pools, capacity })
    return {
      take: () => this.#load.ask('draw', { port, connections, pools: ids, count: asked }),
      written: async () => (await this.#program.ask('drained', undefined)).lastCommitMicros,
      standing: () => this.#standing(ids),
      close: async () => ({ counter: null }),
    }
  }

  async #standing(pools: number[]): Promise<readonly Standing[]> {
    if (this.#sql === undefined) throw new Error('the peer was not started')
    return await this.#sql<Standing[]>`
      select pool_id || ':' || no as place, pool_id as pool, no from coupons where pool_id = any(${pools}::int[])`
  }
}
