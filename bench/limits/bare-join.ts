import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { OneRedis } from '../../src/db/one-redis.ts'
import { connectRedis, type Redis } from '../../src/db/redis.ts'
import { queueJoin } from '../../src/domain/queue/queue-scripts.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { createLog } from '../../src/log.ts'
import { uws } from '../../src/server/uws.ts'
import { serveParent } from '../stage/helper-process.ts'
import type { BareJoinCalls } from './bare-join-calls.ts'

/*
 * The least a server can do for a join: take a request off the same web server, make the same call to the same script
 * over the same kind of connection, a call for each join, answer as much JSON. It proves nobody's identity, checks
 * nothing, counts nothing and signs nothing.
 */

interface Known {
  readonly keys: readonly string[]
  readonly epoch: string
}

class BareJoin {
  readonly #redis: Redis
  readonly #runId: string
  readonly #ticket: string
  readonly #known = new Map<string, Known>()

  constructor(redis: Redis, runId: string, ticketChars: number) {
    this.#redis = redis
    this.#runId = runId
    this.#ticket = 't'.repeat(ticketChars)
  }

  async know(saleId: string): Promise<void> {
    const keys = saleKeys(saleId)
    const epoch = await this.#redis.hget(keys.state, 'epoch')
    if (epoch === null) throw new Error(`Redis knows nothing of ${saleId}`)
    this.#known.set(saleId, { keys: queueJoin.keys.map((name) => keys[name]), epoch })
  }

  readonly serve = (res: HttpResponse, req: HttpRequest): void => {
    const account = req.getHeader('x-account')
    const sale = this.#known.get(req.getParameter(0) ?? '')
    let isOpen = true
    res.onAborted(() => {
      isOpen = false
    })
    if (sale === undefined) {
      res.writeStatus('404 Not Found').end()
      return
    }
    const { keys, epoch } = sale
    this.#redis
      .evalsha(queueJoin.sha, keys.length, ...keys, epoch, this.#runId, JSON.stringify([account]))
      .then((reply) => this.#answer(reply))
      .catch(() => ({ status: '503 Service Unavailable', body: '{}' }))
      .then(({ status, body }) => {
        if (!isOpen) return
        res.cork(() => {
          res.writeStatus(status).writeHeader('Content-Type', 'application/json').end(body)
        })
      })
      .catch(() => {})
  }

  #answer(reply: unknown): { status: string; body: string } {
    const [place] = reply as unknown[]
    if (!Array.isArray(place)) return { status: '409 Conflict', body: '{}' }
    const [, , ahead, waiting] = place.map(Number)
    const body = {
      ticket: this.#ticket,
      state: 'waiting',
      position: (ahead ?? 0) + 1,
      behind: (waiting ?? 0) - (ahead ?? 0) - 1,
      etaSeconds: ((ahead ?? 0) + 1) * 60,
    }
    return { status: '201 Created', body: JSON.stringify(body) }
  }
}

let bare: BareJoin | undefined

serveParent<BareJoinCalls>({
  listen: async ({ redisUrl, ticketChars }) => {
    const redis = connectRedis({ url: redisUrl, name: 'bench-limit', log: createLog({ level: 'silent' }) })
    const life = new OneRedis(redis)
    await life.connect()
    await redis.script('LOAD', queueJoin.lua)
    bare = new BareJoin(redis, life.runId, ticketChars)
    const app = uws.App().post('/api/v1/sales/:sale/queue', bare.serve)
    return await new Promise((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket) resolve({ port: uws.us_socket_local_port(socket) })
        else reject(new Error('the bare server found no port'))
      })
    })
  },
  know: async ({ sales }) => {
    for (const sale of sales) await bare?.know(sale)
    return undefined
  },
})
