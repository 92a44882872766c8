import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import type { BareJoinCalls } from '../limits/bare-join-calls.ts'
import { startPeer } from '../stage/peer-programs.ts'
import { lineKey, sequenceKey, type FastifyJoinCalls } from '../peers/fastify-join-calls.ts'
import type { Stage } from '../stage/stage.ts'
import { issuer } from './token-mint.ts'

/** A server that lines can be joined at, with what is known of its lines beside it. */
export interface JoinServer {
  readonly pid: number
  readonly port: number
  /** Makes sales whose lines are empty. */
  open(count: number): Promise<string[]>
  /** What the store holds of these lines. */
  lines(sales: readonly string[]): Promise<Lines>
  close(sales: readonly string[]): Promise<void>
  stop(): Promise<void>
}

export interface Lines {
  readonly places: number
  /** Different numbers among the places of each line. */
  readonly distinct: number
  /** Numbers that the lines have given out. */
  readonly issued: number
}

/** Nobody is to be let in: only joining is asked about. One is, because the gate lets the first one through. */
const closedGate = { ratePerMinute: 1, maxActive: 1, tokenTtlSeconds: 86_400 }

/** Our server. */
export function ourServer(stage: Stage): JoinServer {
  const { server, redis, createSale, closeSale } = stage
  const sale = { dates: ['2030-01-01'], hours: ['10:00'], capacity: 10, queue: closedGate }
  return {
    pid: server.pid,
    port: server.port,
    open: (count) => Promise.all(Array.from({ length: count }, () => createSale(sale))),
    lines: (sales) => added(sales, (one) => ourLine(redis, one)),
    close: async (sales) => void (await Promise.all(sales.map(closeSale))),
    stop: async () => {},
  }
}

/** The limit: the same sales, joined by the same script. Its answers are as big as ours were. */
export async function bareServer(stage: Stage, bytesPerAnswer: number): Promise<JoinServer> {
  const ours = ourServer(stage)
  const bare = new HelperProcess<BareJoinCalls>(new URL('../limits/bare-join.ts', import.meta.url))
  const ticketChars = Math.round(bytesPerAnswer) - bytesBesideTicket
  const { port } = await bare.ask('listen', { redisUrl: stage.stores.redisUrl, ticketChars })
  return {
    ...ours,
    pid: bare.pid,
    port,
    open: async (count) => {
      const sales = await ours.open(count)
      await bare.ask('know', { sales })
      return sales
    },
    stop: () => bare.stop(),
  }
}

/** The peer, with a database of its own in the same Redis. */
export async function fastifyServer({ server, stores }: Stage): Promise<JoinServer> {
  const fastify = startPeer<FastifyJoinCalls>('fastify-join.ts')
  const redisUrl = new URL('/1', stores.redisUrl).href
  const jwksUrl = `http://127.0.0.1:${server.port}/.well-known/jwks.json`
  const { port } = await fastify.ask('listen', { redisUrl, jwksUrl, issuer })
  const redis = new Redis(redisUrl)
  return {
    pid: fastify.pid,
    port,
    open: async (count) => Array.from({ length: count }, () => randomUUID()),
    lines: (sales) => added(sales, (sale) => fastifyLine(redis, sale)),
    close: async () => void (await redis.flushdb()),
    stop: async () => {
      await redis.quit()
      await fastify.stop()
    },
  }
}

async function ourLine(redis: Redis, sale: string): Promise<Lines> {
  const keys = saleKeys(sale)
  const active = await redis.hgetall(keys.active)
  const numbers = [
    ...(await numbersIn(redis, keys.queue)),
    ...Object.values(active).map((record) => record.split(':')[0] ?? ''),
  ]
  return linesOf(numbers, await redis.hget(keys.state, 'n'))
}

async function fastifyLine(redis: Redis, sale: string): Promise<Lines> {
  return linesOf(await numbersIn(redis, lineKey(sale)), await redis.get(sequenceKey(sale)))
}

async function numbersIn(redis: Redis, key: string): Promise<string[]> {
  const line = await redis.zrange(key, 0, -1, 'WITHSCORES')
  return line.filter((_, index) => index % 2 === 1)
}

function linesOf(numbers: readonly string[], issued: string | null): Lines {
  return { places: numbers.length, distinct: new Set(numbers).size, issued: Number(issued ?? 0) }
}

async function added(sales: readonly string[], line: (sale: string) => Promise<Lines>): Promise<Lines> {
  const sum = { places: 0, distinct: 0, issued: 0 }
  for (const sale of sales) {
    const { places, distinct, issued } = await line(sale)
    sum.places += places
    sum.distinct += distinct
    sum.issued += issued
  }
  return sum
}

/** What an answer holds beside its ticket, with numbers of usual length. */
const bytesBesideTicket = JSON.stringify({
  ticket: '',
  state: 'waiting',
  position: 10_000,
  behind: 0,
  etaSeconds: 600_000,
}).length
