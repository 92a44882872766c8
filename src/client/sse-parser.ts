/** An event of a stream, as the HTML standard reads it. */
export interface SseEvent {
  readonly event: string
  readonly data: string
  /** What to send as `Last-Event-ID`; empty when the stream has named none. */
  readonly lastEventId: string
}

/** Reads server-sent events from pieces of text that are cut anywhere. */
export class SseParser {
  readonly #onEvent: (event: SseEvent) => void
  #rest = ''
  #afterReturn = false
  #isFirst = true
  #event = ''
  #data: string[] = []
  #lastEventId = ''
  /** How long the server asks to wait before connecting again, in milliseconds. */
  retryMs: number | undefined

  constructor(onEvent: (event: SseEvent) => void, lastEventId = '') {
    this.#onEvent = onEvent
    this.#lastEventId = lastEventId
  }

  get lastEventId(): string {
    return this.#lastEventId
  }

  push(piece: string): void {
    let text = piece
    // A line feed that begins a piece belongs to the return that ended the one before.
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1)
    if (piece !== '') this.#afterReturn = piece.endsWith('\r')
    const lines = (this.#rest + text).split(/\r\n|\n|\r/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  #line(line: string): void {
    const clean = this.#isFirst ? line.replace(/^\uFEFF/, '') : line
    this.#isFirst = false
    if (clean === '') return this.#dispatch()
    const colon = clean.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? clean : clean.slice(0, colon)
    const value = colon === -1 ? '' : clean.slice(colon + 1).replace(/^ /, '')
    this.#field(field, value)
  }

  #field(field: string, value: string): void {
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#lastEventId = value
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value)
  }

  #dispatch(): void {
    const [event, data] = [this.#event, this.#data]
    this.#event = ''
    this.#data = []
    if (data.length === 0) return
    this.#onEvent({ event: event || 'message', data: data.join('\n'), lastEventId: this.#lastEventId })
  }
}
