import { LiveClient, type LiveEvent, type LiveListener, type LiveTarget } from './live-client.ts'

const lineEnd = Buffer.from('\r\n')
const eventEnd = Buffer.from('\n\n')

/** Server-sent events, which come in chunks of HTTP. */
export class StreamClient extends LiveClient {
  readonly #lastEventId: string | undefined
  #retryMs: number | undefined
  /** The beginning of an event whose end has not come. */
  #begun: Buffer | undefined

  constructor(target: LiveTarget & { readonly lastEventId?: string | undefined }, listener: LiveListener) {
    super(target, listener, 200)
    this.#lastEventId = target.lastEventId
  }

  /** How long the server asks to wait before connecting again. */
  get retryMs(): number | undefined {
    return this.#retryMs
  }

  decode(bytes: Buffer): LiveEvent {
    const event = { type: '', id: '', data: undefined as unknown }
    for (const line of bytes.toString().split('\n')) {
      if (line.startsWith('event: ')) event.type = line.slice(7)
      else if (line.startsWith('id: ')) event.id = line.slice(4)
      else if (line.startsWith('data: ')) event.data = JSON.parse(line.slice(6))
    }
    return event
  }

  protected headers(): Readonly<Record<string, string>> {
    const resumed: Record<string, string> =
      this.#lastEventId === undefined ? {} : { 'Last-Event-ID': this.#lastEventId }
    return { Accept: 'text/event-stream', ...resumed }
  }

  protected opened(): void {}

  /** The web server ends the line of a chunk only when it begins the next one: a chunk is heard when its bytes are there. */
  protected consume(bytes: Buffer): number {
    for (let at = 0; ;) {
      const from = bytes.indexOf(lineEnd, at) === at ? at + lineEnd.length : at
      const sizeEnd = bytes.indexOf(lineEnd, from)
      if (sizeEnd < 0) return at
      const size = Number.parseInt(bytes.toString('latin1', from, sizeEnd), 16)
      const start = sizeEnd + lineEnd.length
      if (size === 0) {
        this.fail('the stream has ended')
        return bytes.length
      }
      if (bytes.length < start + size) return at
      this.#hear(bytes.subarray(start, start + size))
      at = start + size
    }
  }

  #hear(chunk: Buffer): void {
    const bytes = this.#begun === undefined ? chunk : Buffer.concat([this.#begun, chunk])
    this.#begun = undefined
    let at = 0
    for (let end = bytes.indexOf(eventEnd); end >= 0; end = bytes.indexOf(eventEnd, at)) {
      const event = bytes.subarray(at, end)
      at = end + eventEnd.length
      // Comments begin otherwise.
      if (event.subarray(0, 6).equals(eventField)) this.listener.onEvent(event)
      else if (event.subarray(0, 6).equals(retryField)) this.#retryMs = Number(event.subarray(6).toString())
    }
    if (at < bytes.length) this.#begun = Buffer.from(bytes.subarray(at))
  }
}

const eventField = Buffer.from('event:')
const retryField = Buffer.from('retry:')
