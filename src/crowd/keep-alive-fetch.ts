import http from 'node:http'
import https from 'node:https'
import type { Fetch, FetchInit, FetchResponse } from '../client/client-ports.ts'

export interface KeepAliveOptions {
  readonly connectionsMax: number
  /** Whether what was sent over a kept connection that the server had just closed is sent again; true unless told. */
  readonly sendsAgain?: boolean
}

/**
 * `fetch` for a crowd in one process: short calls share a few connections that are kept, each stream has its own. It
 * needs less than half of the processor time that the global one does with its web streams.
 */
export function keepAliveFetch(options: KeepAliveOptions): { fetch: Fetch; close: () => void } {
  const { connectionsMax, sendsAgain = true } = options
  const kept = { keepAlive: true, maxSockets: connectionsMax, scheduling: 'lifo' } as const
  const agents = {
    'http:': { short: new http.Agent(kept), stream: new http.Agent({ keepAlive: false }) },
    'https:': { short: new https.Agent(kept), stream: new https.Agent({ keepAlive: false }) },
  }
  const fetch: Fetch = async (url, init) => {
    const target = new URL(url)
    const protocol = target.protocol === 'https:' ? 'https:' : 'http:'
    const isStream = init.headers['accept'] === 'text/event-stream'
    const agent = agents[protocol][isStream ? 'stream' : 'short']
    return await send(target, init, agent).catch((error: unknown) => {
      // A kept connection that the server had just closed: nothing was lost but time.
      if (sendsAgain && isStale(error) && init.signal?.aborted !== true) return send(target, init, agent)
      throw error
    })
  }
  const close = (): void => {
    for (const { short, stream } of Object.values(agents)) {
      short.destroy()
      stream.destroy()
    }
  }
  return { fetch, close }
}

class StaleConnectionError extends Error {}

function isStale(error: unknown): boolean {
  return error instanceof StaleConnectionError
}

function send(target: URL, init: FetchInit, agent: http.Agent): Promise<FetchResponse> {
  const { method, headers, body, signal } = init
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const request = (target.protocol === 'https:' ? https : http).request(target, {
    method,
    headers: { ...headers, ...length },
    agent,
    ...(signal === undefined ? {} : { signal }),
  })
  return new Promise((resolve, reject) => {
    request.on('response', (response) => resolve(asResponse(response)))
    request.on('error', (error: NodeJS.ErrnoException) => {
      const isStaleNow = request.reusedSocket && error.code === 'ECONNRESET'
      reject(isStaleNow ? new StaleConnectionError(error.message, { cause: error }) : error)
    })
    request.end(body)
  })
}

function asResponse(response: http.IncomingMessage): FetchResponse {
  return {
    status: response.statusCode ?? 0,
    headers: {
      get: (name) => {
        const value = response.headers[name.toLowerCase()]
        return Array.isArray(value) ? value.join(', ') : (value ?? null)
      },
    },
    body: response,
    text: async () => {
      const pieces: Buffer[] = []
      for await (const piece of response) pieces.push(piece as Buffer)
      return Buffer.concat(pieces).toString()
    },
  }
}
