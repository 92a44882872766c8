import { isIPv6 } from 'node:net'
import type { Clock } from '../clock.ts'

export interface Rate {
  readonly perSecond: number
  /** How many may come at once after a pause. */
  readonly burst: number
}

/** Lets through `burst` at once and `perSecond` in the long run. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #filledAtMs: number

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#filledAtMs = nowMs
  }

  /** Takes one token, or says in how many whole seconds there will be one; 0 means taken. */
  take(nowMs: number): number {
    const { perSecond, burst } = this.#rate
    // A clock that was set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs)
    this.#tokens = Math.min(burst, this.#tokens + (elapsedMs * perSecond) / 1000)
    this.#filledAtMs = nowMs
    if (this.#tokens < 1) return Math.max(1, Math.ceil((1 - this.#tokens) / perSecond))
    this.#tokens -= 1
    return 0
  }
}

/** A token bucket for each key, in bounded memory: beyond `keysMax` the key that was idle longest starts afresh. */
export class KeyedLimiter {
  readonly #rate: Rate
  readonly #keysMax: number
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(options: { readonly rate: Rate; readonly keysMax: number; readonly clock: Clock }) {
    this.#rate = options.rate
    this.#keysMax = options.keysMax
    this.#clock = options.clock
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one token of the key's; 0 means taken, else the whole seconds after which to try again. */
  take(key: string): number {
    const nowMs = this.#clock.nowMs()
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, nowMs)
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#keysMax) this.#forgetOldest()
    return bucket.take(nowMs)
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next()
    if (!oldest.done) this.#buckets.delete(oldest.value)
  }
}

/** The key under which an address is limited: an IPv6 network (/64) counts as one, since a household owns all of it. */
export function limitKeyOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length
  const groups = [...front, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...back]
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}
