import { generalErrors, Problem } from '../errors.ts'
import type { Caller } from './caller.ts'
import type { Auth, CallerOf } from './route.ts'
import { serverErrors } from './server-errors.ts'

/** What flows over a WebSocket under one prefix: `queue:<sale>` is the channel `queue` of that sale. */
export function defineChannel<A extends Auth>(spec: ChannelSpec<A>): Channel {
  return spec as Channel
}

export interface ChannelContext<Who = unknown> {
  /** What stands behind the colon; empty for a channel such as `me`. Chosen by the client: still to be checked. */
  readonly name: string
  readonly caller: Who
  readonly traceId: string
}

export interface SubscribeContext<Who = unknown> extends ChannelContext<Who> {
  /** The position after which to go on. */
  readonly since: string | undefined
  /** Sends an event to this client; does nothing once the subscription has ended. */
  readonly send: (type: string, data: unknown, id?: string) => void
}

export interface PublishContext<Who = unknown> extends ChannelContext<Who> {
  readonly data: unknown
}

export interface ChannelSpec<A extends Auth> {
  readonly prefix: string
  /** One sentence for the documents. */
  readonly summary?: string
  readonly auth: A
  /**
   * Begins to send. Resolves, when the client may be told that it is subscribed, with what undoes it; that is called
   * exactly once, also when the client has left meanwhile. A Problem is the answer to the client.
   */
  subscribe(context: SubscribeContext<CallerOf<A>>): Promise<() => void> | (() => void)
  publish?(context: PublishContext<CallerOf<A>>): Promise<void> | void
}

export interface Channel {
  readonly prefix: string
  readonly summary?: string
  readonly auth: Auth
  subscribe(context: SubscribeContext): Promise<() => void> | (() => void)
  publish?(context: PublishContext): Promise<void> | void
}

export class ChannelRegistry {
  readonly #channels = new Map<string, Channel>()

  constructor(channels: readonly Channel[]) {
    for (const channel of channels) {
      if (this.#channels.has(channel.prefix))
        throw new TypeError(`The channel ${channel.prefix} is declared twice`)
      this.#channels.set(channel.prefix, channel)
    }
  }

  /** The channel that a full name such as `queue:sal_…` means, for this caller. Throws the Problem that says why not. */
  mustFind(ch: string, caller: Caller | undefined): { readonly channel: Channel; readonly name: string } {
    const colon = ch.indexOf(':')
    const channel = this.#channels.get(colon < 0 ? ch : ch.slice(0, colon))
    if (!channel) throw new Problem(serverErrors.unknown_channel)
    if (channel.auth !== 'public' && !caller) throw new Problem(generalErrors.unauthenticated)
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
