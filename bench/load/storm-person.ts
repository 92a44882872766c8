import { Observable, type Subscription } from 'rxjs'
import { ConnectionError } from '../../src/client/api-error.ts'
import { systemRandom, systemTime } from '../../src/client/client-ports.ts'
import { reconnecting } from '../../src/client/reconnecting.ts'
import { defaultRetryPolicy } from '../../src/client/retry.ts'
import type { LiveClient, LiveEvent, LiveListener } from './live-client.ts'
import type { Opening } from './open-all.ts'
import { StreamClient } from './stream-client.ts'

/** What somebody listens to, and what they know of it. */
export interface Interest {
  /** Connects, after what is known already. */
  open(listener: LiveListener): LiveClient
  /** Whether it is known now how things stand. Throws a ConnectionError when something before it is missing. */
  hear(event: LiveEvent, atMs: number): boolean
}

/**
 * Somebody with one live connection, who comes back when it is cut as our clients do: with their code, after the pause
 * that they make. States: not begun; knowing how things stand; away, from a cut until it is known again.
 */
export class Person {
  readonly interest: Interest
  #client: LiveClient | undefined
  #following: Subscription | undefined
  #isAway = false
  /** Since it was asked to watch out: whether there was a cut, when it was known again, connections made meanwhile. */
  #since = { wasCut: false, backAtMs: Number.NaN, connections: 0 }

  constructor(interest: Interest) {
    this.interest = interest
  }

  get wasCut(): boolean {
    return this.#since.wasCut
  }

  /** NaN of whom is not back. */
  get backAtMs(): number {
    return this.#since.backAtMs
  }

  get connections(): number {
    return this.#since.connections
  }

  begin({ heard, failed }: Opening): LiveClient {
    this.#following = reconnecting(() => this.#events(), {
      time: systemTime,
      random: systemRandom,
      policy: defaultRetryPolicy,
      hintMs: () => (this.#client instanceof StreamClient ? this.#client.retryMs : undefined),
      onCut: () => {
        this.#isAway = true
        this.#since.wasCut = true
      },
    }).subscribe({
      next: () => {
        heard()
        if (this.#isAway) this.#since.backAtMs = Date.now()
        this.#isAway = false
      },
      error: (error: unknown) => failed(String(error)),
    })
    if (this.#client === undefined) throw new Error('nothing was opened')
    return this.#client
  }

  watchOut(): void {
    this.#since = { wasCut: false, backAtMs: Number.NaN, connections: 0 }
  }

  cut(): void {
    this.#client?.cut()
  }

  leave(): void {
    this.#following?.unsubscribe()
  }

  /** Each event after which it is known how things stand. */
  #events(): Observable<void> {
    return new Observable((listener) => {
      const hear = (bytes: Buffer): void => {
        try {
          if (this.interest.hear(client.decode(bytes), Date.now())) listener.next()
        } catch (error) {
          listener.error(error)
        }
      }
      const client = this.interest.open({
        onEvent: hear,
        onEnd: (reason) => listener.error(new ConnectionError(reason)),
      })
      this.#client = client
      this.#since.connections++
      return () => client.close()
    })
  }
}
