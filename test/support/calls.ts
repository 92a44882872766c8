import { Buyer } from './buyer.ts'
import { api, textAt, type Answer, type Body, type Contract } from './contract.ts'
import { openSse, WsReader, type OpenOptions, type SseReader } from './events.ts'
import type { LiveContract } from './live-contract.ts'
import type { Scope } from './stores.ts'

export interface CallOptions {
  /** An access token or an organiser's key. */
  readonly token?: string
  /** Sent as JSON; a string or bytes as they are. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface CallsOptions {
  readonly port: number
  readonly organiserKey: string
  readonly contract: Contract
  readonly live: LiveContract
}

/** Calls one server, and holds each answer against what the server says of itself. */
export class Calls {
  readonly port: number
  readonly organiserKey: string
  /** Answers that were not as documented; `call` throws for each of them. */
  readonly #contract: Contract
  readonly #t: Scope

  readonly #live: LiveContract

  constructor(t: Scope, options: CallsOptions) {
    this.#t = t
    this.port = options.port
    this.organiserKey = options.organiserKey
    this.#contract = options.contract
    this.#live = options.live
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Throws when the answer is not one that the API's description allows. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.callFreely(method, path, options)
    const faults = this.#contract.faults(method, path, answer)
    if (faults.length > 0) throw new Error(faults.join('\n'))
    return answer
  }

  async callFreely(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { token, body, headers } = options
    const isRaw = typeof body === 'string' || body instanceof Uint8Array
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && bytes.length > 0
    const parsed = isJson ? (JSON.parse(bytes.toString()) as Body) : {}
    return { status: response.status, headers: response.headers, body: parsed, bytes }
  }

  async guest(): Promise<Buyer> {
    const { body } = await this.call('POST', `${api}/auth/guest`, { token: this.organiserKey })
    return new Buyer(this, { token: textAt(body, 'accessToken'), id: textAt(body, 'user.id') })
  }

  guests(count: number): Promise<Buyer[]> {
    return Promise.all(Array.from({ length: count }, () => this.guest()))
  }

  /** Creates a sale that is open at once; `changes` replaces members of the body. */
  async sale(changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const answer = await this.call('POST', `${api}/sales`, {
      token: this.organiserKey,
      body: newSale(changes),
    })
    if (answer.status !== 201) throw new Error(`no sale: ${answer.bytes.toString()}`)
    return textAt(answer.body, 'id')
  }

  /** Changes a sale and answers what it has become. */
  async change(saleId: string, changes: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.call('PATCH', `${api}/sales/${saleId}`, { token: this.organiserKey, body: changes })
  }

  sse(path: string, token: string): Promise<SseReader> {
    return openSse(this.#t, this.url + path, this.#opening(token))
  }

  /** Without a token, as somebody whom nobody knows. */
  ws(token: string): Promise<WsReader> {
    return WsReader.open(this.#t, this.port, this.#opening(token))
  }

  #opening(token: string): OpenOptions {
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
    return { headers, contract: this.#live }
  }
}

const wide = { ratePerMinute: 60_000, maxActive: 100 }

/** The body of POST /sales: a row of 20 seats at 1,000 KRW, A-01-01 to A-01-20; with `slots`, a sale of slots. */
export function newSale({ queue, ...changes }: Readonly<Record<string, unknown>> = {}): Body {
  const row = {
    kind: 'seats',
    hall: {
      priceClasses: [{ name: 'Regular', priceMinor: 1000 }],
      sections: [{ code: 'A', rows: 1, seatsPerRow: 20, priceClass: 'Regular' }],
    },
  }
  return {
    title: 'A sale',
    currency: 'KRW',
    opensAt: new Date(Date.now() - 1000).toISOString(),
    closesAt: new Date(Date.now() + 3_600_000).toISOString(),
    queue: { ...wide, ...(queue as object | undefined) },
    ...('slots' in changes ? { kind: 'slots' } : row),
    ...changes,
  }
}

/** Members of the body of POST /sales: free slots at 10:00, 11:00 and so on. */
export function freeSlots(hours: number, capacity = 10): Body {
  const names = Array.from({ length: hours }, (_, hour) => `${10 + hour}:00`)
  return { slots: { dates: ['2027-03-01'], hours: names, capacity, priceMinor: 0 } }
}
