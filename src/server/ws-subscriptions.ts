import { Problem } from '../errors.ts'
import type { Caller } from './caller.ts'
import type { ChannelRegistry, SubscribeContext } from './channel.ts'
import type { EventFrame } from './protocol/ws-frames.ts'
import { serverErrors } from './server-errors.ts'
import type { Topics } from './topics.ts'

export interface SubscriptionsParts {
  readonly channels: ChannelRegistry
  readonly caller: Caller | undefined
  readonly traceId: string
  readonly channelsMax: number
  readonly topics: Topics
  readonly emit: (frame: EventFrame) => void
  /** An event that is encoded already. */
  readonly emitEncoded: (text: Uint8Array) => void
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

  /**
   * Resolves when subscribed; asking again for what one has is fine, and with a position begins anew after it. Throws
   * the Problem for the client.
   */
  async add(ch: string, since: string | undefined): Promise<void> {
    const present = this.#open.get(ch)
    if (present && since === undefined) return await present.opened
    const { channels, caller, traceId, channelsMax } = this.#parts
    const { channel, name } = channels.mustFind(ch, caller)
    this.remove(ch)
    if (this.#open.size >= channelsMax) throw new Problem(serverErrors.too_many_channels)
    const subscription: Subscription = {
      isEnded: false,
      undo: undefined,
      leave: [],
      opened: Promise.resolve(),
      context: { name, caller, traceId, since, ...this.#waysOut(ch, () => subscription) },
    }
    this.#open.set(ch, subscription)
    subscription.opened = this.#complete(ch, subscription, async () =>
      channel.subscribe(subscription.context),
    )
    await subscription.opened
  }

  contextOf(ch: string): SubscribeContext | undefined {
    return this.#open.get(ch)?.context
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

  #waysOut(ch: string, of: () => Subscription): Pick<SubscribeContext, 'send' | 'join'> {
    const { topics, emit, emitEncoded } = this.#parts
    return {
      send: (type, data, id) => {
        if (!of().isEnded) emit(id === undefined ? { ch, type, data } : { ch, type, id, data })
      },
      join: (topic) => {
        const { isEnded, leave } = of()
        if (!isEnded) leave.push(topics.join(topic, { sort: 'socket', sendEncoded: emitEncoded }))
      },
    }
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
      this.#end(ch, subscription)
      throw error
    }
    if (subscription.isEnded) this.#end(ch, subscription)
  }

  #end(ch: string, subscription: Subscription): void {
    subscription.isEnded = true
    for (const leave of subscription.leave.splice(0)) leave()
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
  /** How to leave the topics that were joined. */
  readonly leave: (() => void)[]
  opened: Promise<void>
  readonly context: SubscribeContext
}
