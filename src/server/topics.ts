import type { EventFrame } from './protocol/ws-frames.ts'

/** A connection as far as a topic knows it. Sending may end it, and with it its membership. */
export interface Listener {
  /** The same bytes go to all listeners of a sort. */
  readonly sort: 'socket' | 'stream'
  /** @param text as UTF-8; nobody writes to it */
  sendEncoded(text: Uint8Array): void
}

/**
 * What is told to many at once: an event is encoded once for all WebSockets and once for all event streams that have
 * joined its topic, down to the bytes, since a string would be made into bytes for each of them. Each connection is sent to on its own, by the way of everything else that it is sent. So the order
 * between what one alone and what all are told is kept, and whoever does not read is closed at its budget: no event is
 * left out of a connection that goes on.
 */
export class Topics {
  readonly #listeners = new Map<string, Set<Listener>>()

  /** Returns how to leave; leaving twice is fine. */
  join(topic: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(topic) === listeners) this.#listeners.delete(topic)
    }
  }

  /** How many connections would be told. */
  size(topic: string): number {
    return this.#listeners.get(topic)?.size ?? 0
  }

  publish(topic: string, frame: EventFrame): void {
    const encoded: { socket?: Uint8Array; stream?: Uint8Array } = {}
    for (const listener of this.#listeners.get(topic) ?? []) {
      const bytes = encoded[listener.sort] ?? Buffer.from(encoders[listener.sort](frame))
      encoded[listener.sort] = bytes
      listener.sendEncoded(bytes)
    }
  }
}

/** An event as it stands in a stream of server-sent events. */
export function eventText({ type, id, data }: Omit<EventFrame, 'ch'>): string {
  const position = id === undefined ? '' : `id: ${id}\n`
  return `event: ${type}\n${position}data: ${JSON.stringify(data)}\n\n`
}

const encoders = { socket: (frame: EventFrame) => JSON.stringify(frame), stream: eventText } as const
