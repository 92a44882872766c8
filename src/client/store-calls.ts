import type { z } from 'zod'
import { chatEntry, chatPage, type ChatEntry } from '../domain/chat/chat-messages.ts'
import { salePage, type SalePage } from '../domain/sales/sale-messages.ts'
import {
  storePage,
  storeView,
  type newStore,
  type storeChanges,
  type storeQuery,
  type StorePage,
  type StoreView,
} from '../domain/stores/store-messages.ts'
import { path } from './call-path.ts'
import type { Call } from './http-calls.ts'

export type ChatHistory = z.infer<typeof chatPage>

/** What can be asked of pop-up stores and said in their rooms. */
export class StoreCalls {
  readonly #send: <T>(call: Call<T>) => Promise<T>

  constructor(send: <T>(call: Call<T>) => Promise<T>) {
    this.#send = send
  }

  find(query: Partial<z.input<typeof storeQuery>> = {}): Promise<StorePage> {
    return this.#send({
      method: 'GET',
      path: '/stores',
      query: query as Record<string, string>,
      answer: storePage,
    })
  }

  get(store: string): Promise<StoreView> {
    return this.#send({ method: 'GET', path: path`/stores/${store}`, answer: storeView })
  }

  sales(store: string, query: { cursor?: string; limit?: number } = {}): Promise<SalePage> {
    return this.#send({ method: 'GET', path: path`/stores/${store}/sales`, query, answer: salePage })
  }

  /** For organisers; its room opens with it. */
  register(body: z.input<typeof newStore>): Promise<StoreView> {
    return this.#send({ method: 'POST', path: '/stores', body, answer: storeView, once: true })
  }

  /** For organisers; with `status` it closes for good. */
  change(store: string, body: z.input<typeof storeChanges>): Promise<StoreView> {
    return this.#send({ method: 'PATCH', path: path`/stores/${store}`, body, answer: storeView })
  }

  /** Says something in the room; what it resolves to stands there, once, however often the call was repeated. */
  say(
    store: string,
    text: string,
    options: { replyTo?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<ChatEntry> {
    const { replyTo, signal } = options
    const body = { text, ...(replyTo === undefined ? {} : { replyTo }) }
    const call = { path: path`/stores/${store}/messages`, body, answer: chatEntry, once: true, signal }
    return this.#send({ method: 'POST', ...call })
  }

  /** What was said in the room, newest first; with `q` only what has that in its text. */
  said(store: string, query: { cursor?: string; limit?: number; q?: string } = {}): Promise<ChatHistory> {
    return this.#send({ method: 'GET', path: path`/stores/${store}/messages`, query, answer: chatPage })
  }
}
