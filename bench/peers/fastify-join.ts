import Fastify, { type FastifyRequest } from 'fastify'
import { Redis } from 'ioredis'
import { createRemoteJWKSet, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { serveParent } from '../stage/helper-process.ts'
import { lineKey, sequenceKey, type FastifyJoinCalls } from './fastify-join-calls.ts'

/*
 * A waiting line as it is built with Fastify and ioredis: a sorted set for each sale, a number counted up for each
 * join, tokens verified with jose and remembered until they end. Routes have schemas and no logger, and commands are
 * pipelined by ioredis, as the documentation of each says for speed.
 */

interface Verified {
  readonly account: string
  readonly expiresAtMs: number
}

/** Verified tokens that are remembered; as many as our server remembers. */
const rememberedMax = 50_000

class Tokens {
  readonly #keys: JWTVerifyGetKey
  readonly #issuer: string
  readonly #verified = new Map<string, Verified>()

  constructor({ jwksUrl, issuer }: { jwksUrl: string; issuer: string }) {
    this.#keys = createRemoteJWKSet(new URL(jwksUrl))
    this.#issuer = issuer
  }

  /** Undefined for a token that is not valid. */
  async accountOf(token: string): Promise<string | undefined> {
    const known = this.#verified.get(token)
    if (known !== undefined && Date.now() < known.expiresAtMs) return known.account
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: this.#issuer,
        requiredClaims: ['sub', 'iat', 'exp'],
      })
      return this.#remember(token, { account: payload.sub ?? '', expiresAtMs: (payload.exp ?? 0) * 1000 })
    } catch {
      return undefined
    }
  }

  #remember(token: string, verified: Verified): string {
    const oldest = this.#verified.keys().next()
    if (this.#verified.size >= rememberedMax && oldest.done !== true) this.#verified.delete(oldest.value)
    this.#verified.set(token, verified)
    return verified.account
  }
}

const place = {
  type: 'object',
  required: ['position', 'behind', 'state'],
  properties: {
    position: { type: 'integer' },
    behind: { type: 'integer' },
    state: { type: 'string' },
  },
} as const

const schema = {
  params: { type: 'object', required: ['sale'], properties: { sale: { type: 'string', maxLength: 64 } } },
  body: { type: 'object', properties: { ticket: { type: 'string', maxLength: 512 } } },
  response: { 200: place, 201: place },
} as const

async function join(redis: Redis, sale: string, account: string) {
  const line = lineKey(sale)
  const sequence = await redis.incr(sequenceKey(sale))
  // Asked in one turn, so that they go out together.
  const [added, rank, total] = await Promise.all([
    redis.zadd(line, 'NX', sequence, account),
    redis.zrank(line, account),
    redis.zcard(line),
  ])
  const ahead = rank ?? 0
  return { isNew: added === 1, position: ahead + 1, behind: total - ahead - 1 }
}

async function listen({ redisUrl, ...issued }: FastifyJoinCalls['listen']['asked']): Promise<number> {
  const redis = new Redis(redisUrl, { enableAutoPipelining: true })
  const tokens = new Tokens(issued)
  const app = Fastify({ logger: false })
  app.decorateRequest('account', '')
  const authenticate = async (request: FastifyRequest): Promise<void> => {
    const [scheme = '', token = ''] = (request.headers.authorization ?? '').split(' ')
    const account = scheme.toLowerCase() === 'bearer' ? await tokens.accountOf(token) : undefined
    if (account === undefined) throw Object.assign(new Error('unauthenticated'), { statusCode: 401 })
    request.account = account
  }
  app.post<{ Params: { sale: string } }>(
    '/api/v1/sales/:sale/queue',
    { schema, onRequest: authenticate },
    async (request, reply) => {
      const { isNew, position, behind } = await join(redis, request.params.sale, request.account)
      reply.code(isNew ? 201 : 200)
      return { position, behind, state: 'waiting' }
    },
  )
  return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, as its token says. */
    account: string
  }
}

serveParent<FastifyJoinCalls>({
  listen: async (asked) => ({ port: await listen(asked) }),
})
