import type { z } from 'zod'
import { generalErrors, Problem } from '../errors.ts'
import type { Caller } from './caller.ts'
import type { Auth, CallerOf } from './route.ts'
import { serverErrors } from './server-errors.ts'

/**
 * What flows over a WebSocket under one prefix: `queue:<sale>` is the channel `queue` of that sale. What is published
 * is validated, and the AsyncAPI document is written, from this.
 */
export function defineChannel<
  A extends Auth,
  E extends Events = Record<never, never>,
  P extends z.ZodType = z.ZodNever,
>(spec: ChannelSpec<A, E, P>): Channel {
  return spec as Channel
}

/** The data of the events, by their type. */
export type Events = Readonly<Record<string, z.ZodType>>

export interface ChannelContext<Who = unknown> {
  /** What stands behind the colon; empty for a channel such as `me`. Chosen by the client: still to be checked. */
  readonly name: string
  readonly caller: Who
  readonly traceId: string
}

export interface SubscribeContext<Who = unknown, Type extends string = string> extends ChannelContext<Who> {
  /** The position after which to go on. */
  readonly since: string | undefined
  /** Sends an event to this client; does nothing once the subscription has ended. */
  readonly send: (type: Type, data: unknown, id?: string) => void
  /** From now on this client is told what is published under the topic, until the subscription ends. */
  readonly join: (topic: string) => void
}

export interface PublishContext<Who = unknown, Data = unknown> extends ChannelContext<Who> {
  readonly data: Data
  /** The very context with which the client has subscribed to the channel, where it has. */
  readonly subscription: SubscribeContext | undefined
}

interface ChannelFacts {
  readonly prefix: string
  /** One sentence for the documents. */
  readonly summary?: string
  /** What the name behind the colon stands for, in one word; absent for a channel without a name. */
  readonly about?: string
}

export interface ChannelSpec<A extends Auth, E extends Events, P extends z.ZodType> extends ChannelFacts {
  readonly auth: A
  readonly events: E
  /** What the client may publish; where it is absent, nothing. */
  readonly publishes?: P
  /**
   * Begins to send. Resolves, when the client may be told that it is subscribed, with what undoes it; that is called
   * exactly once, also when the client has left meanwhile. A Problem is the answer to the client.
   */
  subscribe(context: SubscribeContext<CallerOf<A>, keyof E & string>): Promise<() => void> | (() => void)
  publish?(context: PublishContext<CallerOf<A>, z.output<P>>): Promise<void> | void
}

/** A channel as the gate sees it, its schemas' types forgotten. */
export interface Channel extends ChannelFacts {
  readonly auth: Auth
  readonly events: Events
  readonly publishes?: z.ZodType
  subscribe(context: SubscribeContext): Promise<() => void> | (() => void)
  publish?(context: PublishContext): Promise<void> | void
}

export class ChannelRegistry {
  readonly #channels = new Map<string, Channel>()

  constructor(channels: readonly Channel[]) {
    for (const channel of channels) {
      if (this.#channels.has(channel.prefix))
        throw new TypeError(`The channel ${channel.prefix} is declared twice`)
      if (channel.publish && !channel.publishes)
        throw new TypeError(`The channel ${channel.prefix} must describe what is published to it`)
      this.#channels.set(channel.prefix, channel)
    }
  }

  /** The channel that a full name such as `queue:sal_…` means, for this caller. Throws the Problem that says why not. */
  mustFind(ch: string, caller: Caller | undefined): { readonly channel: Channel; readonly name: string } {
    const colon = ch.indexOf(':')
    const channel = this.#channels.get(colon < 0 ? ch : ch.slice(0, colon))
    if (!channel) throw new Problem(serverErrors.unknown_channel)
    const isOpen = channel.auth === 'public' || channel.auth === 'nobody'
    if (!isOpen && !caller) throw new Problem(generalErrors.unauthenticated)
    if (
      caller &&
      (channel.auth === 'account' || channel.auth === 'organiser') &&
      caller.kind !== channel.auth
    ) {
      throw new Problem(generalErrors.forbidden)
    }
    return { channel, name: colon < 0 ? '' : ch.slice(colon + 1) }
  }
}
