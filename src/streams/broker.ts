import { mergeMap, Observable, Subject } from 'rxjs'
import type { z } from 'zod'
import type { RedisSubscriber } from '../db/redis-servers.ts'
import type { Log } from '../log.ts'

/**
 * Redis pub/sub as observables: one SUBSCRIBE per channel and process, however many listen. Messages may be lost at
 * any time; `lost$` says when that is likely, and whoever keeps a state then reads it anew.
 */
export class Broker {
  readonly #subscriber: RedisSubscriber
  readonly #log: Log
  readonly #channels = new Map<string, Subject<string>>()
  readonly #lost$ = new Subject<void>()
  /** Emits when the connection came back after a cut. */
  readonly lost$: Observable<void> = this.#lost$.asObservable()

  constructor(options: { subscriber: RedisSubscriber; log: Log }) {
    this.#subscriber = options.subscriber
    this.#log = options.log
    this.#subscriber.on('ready', () => void this.#subscribeAgain())
    this.#subscriber.on('message', (channel: string, message: string) =>
      this.#channels.get(channel)?.next(message),
    )
  }

  /** Messages of a channel from the moment of subscription on; unsubscribed with the last listener. */
  channel(name: string): Observable<string> {
    return new Observable((listener) => {
      const subscription = this.#open(name).subscribe(listener)
      return () => {
        subscription.unsubscribe()
        this.#closeUnused(name)
      }
    })
  }

  /** The messages of a channel that have this shape. Others are passed over: a newer version may say more than we know. */
  messages<T>(name: string, schema: z.ZodType<T>): Observable<T> {
    return this.channel(name).pipe(
      mergeMap((text) => {
        const parsed = schema.safeParse(jsonOf(text))
        if (parsed.success) return [parsed.data]
        this.#log.warn({ channel: name, text: text.slice(0, 200) }, 'a message of unknown shape')
        return []
      }),
    )
  }

  #open(name: string): Subject<string> {
    const known = this.#channels.get(name)
    if (known !== undefined) return known
    const fresh = new Subject<string>()
    this.#channels.set(name, fresh)
    void this.#subscribe([name])
    return fresh
  }

  /** After a cut every channel is subscribed anew, also those whose first SUBSCRIBE the cut has swallowed. */
  async #subscribeAgain(): Promise<void> {
    const subscribed = await this.#subscribe([...this.#channels.keys()])
    if (subscribed) this.#lost$.next()
  }

  async #subscribe(names: readonly string[]): Promise<boolean> {
    try {
      if (names.length > 0) await this.#subscriber.subscribe(...names)
      return true
    } catch (error) {
      // The connection went; when it is back all of them are subscribed.
      this.#log.debug({ err: error, channels: names }, 'subscribe')
      return false
    }
  }

  #closeUnused(name: string): void {
    const subject = this.#channels.get(name)
    if (subject === undefined || subject.observed) return
    this.#channels.delete(name)
    this.#subscriber.unsubscribe(name).catch(() => {
      // Gone with the connection.
    })
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
