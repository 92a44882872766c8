import { WebSocket } from 'ws'
import type { ChatEntry } from '../../src/domain/chat/chat-messages.ts'
import { until } from './until.ts'

interface Frame {
  readonly ref?: number
  readonly ok?: true
  readonly error?: { readonly code: string; readonly retryable: boolean }
  readonly type?: string
  readonly id?: string
  readonly data?: {
    readonly prev?: number
    readonly gap?: true
    readonly entries?: readonly ChatEntry[]
  }
}

/**
 * Somebody in a room who goes by the rules of the protocol and nothing else: applies what follows, asks again with their
 * position when something does not, comes back when they are cut off, and sends again under the same id what was not
 * answered.
 */
export class ChatMember {
  readonly entries: ChatEntry[] = []
  readonly types: string[] = []
  position = ''
  gaps = 0
  /** Ids of what the server said it has written. */
  readonly written = new Set<string>()
  /** Codes it has refused something with for good. */
  readonly refused: string[] = []
  #url: string
  readonly #ch: string
  readonly #token: string
  readonly #unanswered = new Map<string, { readonly text: string; sentAtMs: number }>()
  readonly #refs = new Map<number, string>()
  #ref = 0
  #socket: WebSocket | undefined
  #isStopped = false

  constructor(options: { readonly url: string; readonly store: string; readonly token: string }) {
    this.#url = options.url
    this.#ch = `chat:${options.store}`
    this.#token = options.token
    this.#connect()
  }

  talk(id: string, text: string): void {
    this.#unanswered.set(id, { text, sentAtMs: 0 })
    this.#send(id)
  }

  /** Resolves when all that was said was answered; what was refused for the moment is said again. */
  async answered(): Promise<void> {
    const isAnswered = (): boolean => {
      const longAgoMs = performance.now() - 300
      for (const [id, { sentAtMs }] of this.#unanswered) if (sentAtMs < longAgoMs) this.#send(id)
      return this.#unanswered.size === 0
    }
    await until('all is answered', isAnswered)
  }

  cut(): void {
    this.#socket?.terminate()
  }

  /** From now on they come back to another server. */
  moveTo(url: string): void {
    this.#url = url
    this.cut()
  }

  stop(): void {
    this.#isStopped = true
    this.cut()
  }

  #send(id: string): void {
    const said = this.#unanswered.get(id)
    if (said === undefined || this.#socket?.readyState !== WebSocket.OPEN) return
    said.sentAtMs = performance.now()
    const ref = ++this.#ref
    this.#refs.set(ref, id)
    const talk = { id, text: said.text }
    this.#socket.send(JSON.stringify({ op: 'publish', ch: this.#ch, ref, data: { talk } }))
  }

  #connect(): void {
    const socket = new WebSocket(`${this.#url.replace(/^http/, 'ws')}/ws`, {
      headers: { authorization: `Bearer ${this.#token}` },
    })
    this.#socket = socket
    socket.on('open', () => {
      this.#ask()
      for (const id of this.#unanswered.keys()) this.#send(id)
    })
    socket.on('message', (text: Buffer) => this.#heed(JSON.parse(text.toString()) as Frame))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#refs.clear()
      if (!this.#isStopped) setImmediate(() => this.#connect())
    })
  }

  #ask(): void {
    const since = this.position === '' ? {} : { since: this.position }
    this.#socket?.send(JSON.stringify({ op: 'subscribe', ch: this.#ch, ref: 0, ...since }))
  }

  #heed({ ref, ok, error, type = '', id = '', data = {} }: Frame): void {
    if (type === '') return this.#heedReply(ref ?? 0, ok === true, error)
    this.types.push(type)
    if (type === 'joined') {
      if (data.gap === true) this.gaps++
    } else if (type !== 'entries') return
    else if (`${id.split(':')[0]}:${data.prev}` !== this.position) return this.#ask()
    // Two answers may tell the same, when it was asked for twice.
    const known = Number(this.position.split(':')[1] ?? 0)
    this.entries.push(...(data.entries ?? []).filter(({ seq }) => seq > known))
    this.position = id
  }

  #heedReply(ref: number, ok: boolean, error: Frame['error']): void {
    // A room that could not be joined is asked for again.
    if (ref === 0) return void (ok || setTimeout(() => this.#ask(), 50))
    const id = this.#refs.get(ref)
    this.#refs.delete(ref)
    if (id === undefined) return
    if (ok) this.written.add(id)
    if (error?.retryable === true) return
    if (error !== undefined) this.refused.push(error.code)
    this.#unanswered.delete(id)
  }
}
