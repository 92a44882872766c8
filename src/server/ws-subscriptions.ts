import { Problem } from '../errors.ts'
import type { Caller } from './caller.ts'
import type { ChannelRegistry } from './channel.ts'
import type { EventFrame } from './protocol/ws-frames.ts'
import { serverErrors } from './server-errors.ts'

export interface SubscriptionsParts {
  readonly channels: ChannelRegistry
  readonly caller: Caller | undefined
  readonly traceId: string
  readonly channelsMax: number
  readonly emit: (frame: EventFrame) => void
  readonly onUndoFailure: (ch: string, error: unknown) => void
}

/**
 * The channels of one connection. A subscription is in the map from the moment it is asked for; one that is ended
 * while it still opens is undone as soon as it has opened.
 */
export class Subscriptions {
  readonly #parts: SubscriptionsParts
  readonly #open = new Map<string, Subscription>()

  constructor(parts: SubscriptionsParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#open.size
  }

  /** Resolves when subscribed; asking again for what one has is fine. Throws the Problem for the client. */
  async add(ch: string, since: string | undefined): Promise<void> {
    const present = this.#open.get(ch)
    if (present) return await present.opened
    const { channels, caller, traceId, channelsMax, emit } = this.#parts
    const { channel, name } = channels.mustFind(ch, caller)
    if (this.#open.size >= channelsMax) throw new Problem(serverErrors.too_many_channels)
    const subscription: Subscription = { isEnded: false, undo: undefined, opened: Promise.resolve() }
    const send = (type: string, data: unknown, id?: string): void => {
      if (!subscription.isEnded) emit(id === undefined ? { ch, type, data } : { ch, type, id, data })
    }
    this.#open.set(ch, subscription)
    subscription.opened = this.#complete(ch, subscription, async () =>
      channel.subscribe({ name, caller, traceId, since, send }),
    )
    await subscription.opened
  }

  remove(ch: string): void {
    const subscription = this.#open.get(ch)
    if (!subscription) return
    this.#open.delete(ch)
    this.#end(ch, subscription)
  }

  clear(): void {
    for (const ch of this.#open.keys()) this.remove(ch)
  }

  async #complete(
    ch: string,
    subscription: Subscription,
    subscribe: () => Promise<() => void>,
  ): Promise<void> {
    try {
      subscription.undo = await subscribe()
    } catch (error) {
      if (this.#open.get(ch) === subscription) this.#open.delete(ch)
      subscription.isEnded = true
      throw error
    }
    if (subscription.isEnded) this.#end(ch, subscription)
  }

  #end(ch: string, subscription: Subscription): void {
    subscription.isEnded = true
    const { undo } = subscription
    subscription.undo = undefined
    try {
      undo?.()
    } catch (error) {
      this.#parts.onUndoFailure(ch, error)
    }
  }
}

interface Subscription {
  isEnded: boolean
  undo: (() => void) | undefined
  opened: Promise<void>
}
