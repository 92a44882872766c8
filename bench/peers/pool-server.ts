import Fastify from 'fastify'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { serveParent } from '../stage/helper-process.ts'
import type { PoolCalls } from './pool-calls.ts'

/*
 * What all designs share: Fastify, the tables, an account that is named in a header and believed. Nobody's token is
 * checked, nobody stood in a line before, the tables have no foreign keys: all of that is in the peers' favour.
 */

/** As many as a busy service of one process is usually given. */
const databaseConnections = 32

export interface Shop {
  readonly sql: postgres.Sql
  readonly redis: Redis
}

/** The number of the place that was given, or why none was. */
export type Outcome = number | 'sold_out' | 'already_has_one' | 'busy'

/** One way to give each place once. */
export interface Design {
  take(pool: number, account: string): Promise<Outcome>
  /** Told of new pools before anybody asks for their places. */
  opened?(pools: readonly number[], capacity: number): Promise<void>
  drained?(): Promise<number>
}

export function servePools(designOf: (shop: Shop) => Design): void {
  let running: { shop: Shop; design: Design } | undefined
  const mustRun = () => {
    if (running === undefined) throw new Error('nobody listens yet')
    return running
  }
  serveParent<PoolCalls>({
    listen: async ({ postgresUrl, redisUrl }) => {
      const sql = postgres(postgresUrl, { max: databaseConnections, onnotice: () => {} })
      const shop = { sql, redis: new Redis(redisUrl) }
      await createTables(sql)
      const design = designOf(shop)
      running = { shop, design }
      return { port: await listen(design) }
    },
    open: async ({ pools, capacity }) => {
      const { shop, design } = mustRun()
      const rows = await shop.sql<{ id: number }[]>`
        insert into pools (capacity) select ${capacity}::int from generate_series(1, ${pools}::int) returning id`
      const ids = rows.map(({ id }) => id)
      await design.opened?.(ids, capacity)
      return { ids }
    },
    drained: async () => ({ lastCommitMicros: (await mustRun().design.drained?.()) ?? null }),
  })
}

async function createTables(sql: postgres.Sql): Promise<void> {
  await sql`
    create table pools (
      id int generated always as identity primary key,
      capacity int not null,
      given int not null default 0
    )`
  await sql`
    create table coupons (
      pool_id int not null,
      no int not null,
      account_id text not null,
      created_at timestamptz not null default now(),
      primary key (pool_id, no),
      unique (pool_id, account_id)
    )`
}

const refused = { type: 'object', properties: { code: { type: 'string' } } }
const answers = {
  201: { type: 'object', properties: { pool: { type: 'integer' }, no: { type: 'integer' } } },
  409: refused,
  503: refused,
}

async function listen(design: Design): Promise<number> {
  const server = Fastify()
  server.post<{ Params: { pool: number } }>(
    '/pools/:pool/coupons',
    {
      schema: {
        params: { type: 'object', properties: { pool: { type: 'integer' } } },
        response: answers,
      },
    },
    async (request, reply) => {
      const { pool } = request.params
      const outcome = await design.take(pool, String(request.headers['x-account']))
      if (typeof outcome === 'number') return await reply.code(201).send({ pool, no: outcome })
      return await reply.code(outcome === 'busy' ? 503 : 409).send({ code: outcome })
    },
  )
  return Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port)
}
