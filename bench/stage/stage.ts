import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { connectPostgres, type Sql } from '../../src/db/postgres.ts'
import { startLocalStores, type LocalStores } from '../../src/db/local/local-stores.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { HelperProcess } from './helper-process.ts'
import type { LoadCalls } from '../load/load-calls.ts'
import { saleLimits } from '../../src/domain/sales/sale-layout-messages.ts'
import type { SaleChanges } from '../../src/domain/sales/sale-messages.ts'
import { startServerProcess, type ServerProcess } from './server-process.ts'

/** Everything that runs while questions are asked: the stores, our server, the crowd. */
export interface Stage {
  readonly stores: LocalStores
  readonly server: ServerProcess
  readonly load: HelperProcess<LoadCalls>
  /** Our own view of the stores, to see whether the counts are right. */
  readonly sql: Sql
  readonly redis: Redis
  /** The ids of the buyers. */
  readonly accounts: readonly string[]
  readonly createSale: (description: SaleDescription) => Promise<string>
  readonly closeSale: (saleId: string) => Promise<void>
  /** Resolves when Redis goes by the status too, where one is given. */
  readonly changeSale: (saleId: string, changes: SaleChanges) => Promise<void>
  /** What everybody may read. */
  readonly read: (path: string) => Promise<unknown>
  stop(): Promise<void>
}

/** A free sale of slots, or of seats in sections as large as may be. */
export type SaleDescription = { readonly queue: Readonly<Record<string, number>> } & (
  | { readonly dates: readonly string[]; readonly hours: readonly string[]; readonly capacity: number }
  | { readonly seats: number }
)

/** On so many connections the buyers get their accounts. */
const guestConnections = 128

/** What a question needs to be asked. */
export interface StageNeeds {
  /** Buyers. */
  readonly accounts: number
  /** Settings of the server, beside those it cannot do without. */
  readonly env?: Readonly<Record<string, string>>
}

interface StageOptions {
  readonly profileFolder?: string | undefined
  readonly log: (line: string) => void
}

export async function setStage(needs: StageNeeds, options: StageOptions): Promise<Stage> {
  const endings: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of endings.toReversed()) await end()
  }
  try {
    return await build({ ...needs, ...options }, endings, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function build(
  options: StageNeeds & StageOptions,
  endings: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Stage> {
  const { accounts: count, profileFolder, env, log } = options
  const folder = await mkdtemp(join(tmpdir(), 'openrun-bench-'))
  endings.push(() => rm(folder, { recursive: true, force: true }))
  // PostgreSQL runs under an account of its own when this is root.
  await chmod(folder, 0o755)
  const stores = await startLocalStores({
    dataDir: join(folder, 'data'),
    noInstall: false,
    durable: true,
    log,
  })
  endings.push(() => stores.stop())
  const server = await startServerProcess({ ...stores, profileFolder, env })
  endings.push(() => server.stop())
  const load = new HelperProcess<LoadCalls>(new URL('../load/load-program.ts', import.meta.url))
  endings.push(() => load.stop())
  const sql = connectPostgres({ url: stores.postgresUrl, connections: 2, name: 'bench' })
  endings.push(() => sql.end())
  const redis = new Redis(stores.redisUrl)
  endings.push(() => redis.quit())
  const { port, organiserKey } = server
  log(`${count} guests come …`)
  const accounts = await load.ask('guests', { port, connections: guestConnections, count, organiserKey })
  const api = new OrganiserCalls(server, redis)
  return {
    stores,
    server,
    load,
    sql,
    redis,
    accounts,
    stop,
    createSale: (description) => api.createSale(description),
    closeSale: (saleId) => api.changeSale(saleId, { status: 'closed' }),
    changeSale: (saleId, changes) => api.changeSale(saleId, changes),
    read: (path) => api.read(path),
  }
}

class OrganiserCalls {
  readonly #server: ServerProcess
  readonly #redis: Redis

  constructor(server: ServerProcess, redis: Redis) {
    this.#server = server
    this.#redis = redis
  }

  /** Resolves when the sale can be joined. */
  async createSale(description: SaleDescription): Promise<string> {
    const { id } = (await this.#call('POST', '/api/v1/sales', {
      ...whatIsSold(description),
      title: 'Bench',
      currency: 'KRW',
      opensAt: new Date(Date.now() - 60_000).toISOString(),
      closesAt: new Date(Date.now() + 86_400_000).toISOString(),
      queue: description.queue,
    })) as { id: string }
    await this.#reached(id, 'open')
    return id
  }

  async changeSale(saleId: string, changes: SaleChanges): Promise<void> {
    await this.#call('PATCH', `/api/v1/sales/${saleId}`, changes)
    // What is closed may be gone from Redis.
    if (changes.status !== undefined && changes.status !== 'closed')
      await this.#reached(saleId, changes.status)
  }

  async read(path: string): Promise<unknown> {
    return await this.#call('GET', path, undefined)
  }

  async #reached(saleId: string, expected: string): Promise<void> {
    const { state } = saleKeys(saleId)
    for (let looks = 0; looks < 1000; looks++) {
      const [status, ready] = await this.#redis.hmget(state, 'status', 'ready')
      if (status === expected && ready === '1') return
      await wait(20)
    }
    throw new Error(`the sale ${saleId} is not ${expected}`)
  }

  async #call(method: string, path: string, body: unknown): Promise<unknown> {
    const { port, organiserKey } = this.#server
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${organiserKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: unknown = await response.json()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
    return answer
  }
}

function whatIsSold(description: SaleDescription): object {
  if (!('seats' in description)) {
    const { dates, hours, capacity } = description
    return { kind: 'slots', slots: { dates, hours, capacity, priceMinor: 0 } }
  }
  const sections = rowsOfSections(description.seats).map(({ code, seatsPerRow }) => ({
    code,
    rows: seatsPerRow.length,
    seatsPerRow,
    priceClass: 'all',
  }))
  return { kind: 'seats', hall: { priceClasses: [{ name: 'all', priceMinor: 0 }], sections } }
}

/** The codes of all seats of such a hall, in the order of their units. */
export function seatCodes(seats: number): string[] {
  const twoDigits = (number: number): string => String(number).padStart(2, '0')
  return rowsOfSections(seats).flatMap(({ code, seatsPerRow }) =>
    seatsPerRow.flatMap((count, row) =>
      Array.from({ length: count }, (_, seat) => `${code}-${twoDigits(row + 1)}-${twoDigits(seat + 1)}`),
    ),
  )
}

function rowsOfSections(seats: number): { code: string; seatsPerRow: number[] }[] {
  return Array.from({ length: Math.ceil(seats / sectionSeats) }, (_, section) => {
    const here = Math.min(sectionSeats, seats - section * sectionSeats)
    const seatsPerRow = Array.from({ length: Math.ceil(here / rowSeats) }, (_row, row) =>
      Math.min(rowSeats, here - row * rowSeats),
    )
    return { code: String.fromCodePoint(65 + section), seatsPerRow }
  })
}

const rowSeats = 40
const sectionSeats = saleLimits.rowsPerSection * rowSeats
