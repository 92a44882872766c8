import type { CallOptions, Calls } from './calls.ts'
import { api, at, textAt, type Answer, type Body } from './contract.ts'
import type { SseReader, WsReader } from './events.ts'
import { until } from './until.ts'

/** Somebody who buys, at one server. */
export class Buyer {
  readonly calls: Calls
  readonly token: string
  readonly id: string

  constructor(calls: Calls, account: { token: string; id: string }) {
    this.calls = calls
    this.token = account.token
    this.id = account.id
  }

  /** The same account at another server. */
  at(calls: Calls): Buyer {
    return new Buyer(calls, this)
  }

  call(method: string, path: string, options: Omit<CallOptions, 'token'> = {}): Promise<Answer> {
    return this.calls.call(method, path, { ...options, token: this.token })
  }

  /** Waits while the line of a new sale is being made, as a client does. */
  async join(saleId: string, ticket?: string): Promise<Answer> {
    const join = () =>
      this.call('POST', `${api}/sales/${saleId}/queue`, { body: ticket === undefined ? {} : { ticket } })
    let answer = await join()
    await until(
      'the line stands',
      async () => answer.status !== 503 || (answer = await join()).status !== 503,
    )
    return answer
  }

  stream(saleId: string): Promise<SseReader> {
    return this.calls.sse(`${api}/sales/${saleId}/queue/stream`, this.token)
  }

  ws(): Promise<WsReader> {
    return this.calls.ws(this.token)
  }

  /** Joins and waits for the purchase token. */
  async letIn(saleId: string): Promise<string> {
    const joined = await this.join(saleId)
    if (joined.body['state'] === 'admitted') return textAt(joined.body, 'purchaseToken')
    const stream = await this.stream(saleId)
    const { data } = await stream.events.next('admitted')
    stream.close()
    return textAt(data, 'purchaseToken')
  }

  hold(
    saleId: string,
    purchaseToken: string,
    body: Body,
    headers: CallOptions['headers'] = {},
  ): Promise<Answer> {
    const all = { 'purchase-token': purchaseToken, ...headers }
    return this.call('POST', `${api}/sales/${saleId}/holds`, { body, headers: all })
  }

  book(
    saleId: string,
    purchaseToken: string,
    body: Body,
    headers: CallOptions['headers'] = {},
  ): Promise<Answer> {
    const all = { 'purchase-token': purchaseToken, ...headers }
    return this.#saved(this.call('POST', `${api}/sales/${saleId}/bookings`, { body, headers: all }))
  }

  order(holdId: string, method?: string): Promise<Answer> {
    return this.#saved(this.orderAtOnce(holdId, method))
  }

  /** The first answer, which may be that the order is being saved. */
  orderAtOnce(holdId: string, method?: string): Promise<Answer> {
    const payment = method === undefined ? {} : { payment: { method } }
    return this.call('POST', `${api}/orders`, { body: { hold: holdId, ...payment } })
  }

  /** What became of an order, where PostgreSQL took its time. */
  async #saved(asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked
    if (answer.status !== 202) return answer
    const orderId = textAt(answer.body, 'order.id')
    let saved = answer
    await until('the order is saved', async () => {
      saved = await this.get(orderId)
      return saved.status === 200 && textAt(saved.body, 'order.status') !== 'saving'
    })
    return { ...saved, status: 201 }
  }

  get(orderId: string): Promise<Answer> {
    return this.call('GET', `${api}/orders/${orderId}`)
  }

  cancel(orderId: string): Promise<Answer> {
    return this.call('POST', `${api}/orders/${orderId}/cancel`)
  }

  /** Joins, waits, holds these units and orders them. Resolves with the order's id. */
  async buy(saleId: string, units: readonly string[], method?: string): Promise<string> {
    const purchaseToken = await this.letIn(saleId)
    const held = await this.hold(saleId, purchaseToken, unitsOf(...units))
    if (held.status !== 201) throw new Error(`no hold: ${held.bytes.toString()}`)
    const ordered = await this.order(textAt(held.body, 'hold.id'), method)
    if (ordered.status !== 201) throw new Error(`no order: ${ordered.bytes.toString()}`)
    return textAt(ordered.body, 'order.id')
  }

  /** Resolves when an order has this status. */
  async became(orderId: string, status: string): Promise<void> {
    await until(
      `the order is ${status}`,
      async () => at((await this.get(orderId)).body, 'order.status') === status,
    )
  }
}

/** The body of a hold for one place in each of these units. */
export function unitsOf(...units: readonly string[]): Body {
  return { units: units.map((unit) => ({ unit })) }
}
