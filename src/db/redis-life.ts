import { systemClock, type Clock } from '../clock.ts'
import { generalErrors, Problem } from '../errors.ts'
import type { Redis } from './redis.ts'

const askAgainMs = 200
/** How often it is asked whether the server is still who it was. */
const lookMs = 1000
/** A server that does not say who it is for so long is not believed meanwhile. */
const doubtMs = 1000

/**
 * Knows which life of a Redis server a connection talks to. Between a cut and the next answer it knows nothing, and
 * no script may be sent: a server that came back from its append-only file, or a replica that was promoted, has
 * forgotten up to a second, or more.
 *
 * A life is named by the run_id of the server, which every process has its own of. A master that was made a replica
 * and then a master again has kept its run_id and perhaps lost something in between: so a server that was promoted is
 * named by the history that began with its promotion, too. Its past would not do: that of two promotions may be the same.
 */
export class RedisLife {
  readonly #redis: Redis
  readonly #clock: Clock
  #runId: string | undefined
  /** It answers, and says that it is a copy. */
  #isReplica = false
  /** We left it, for it may be a master by the time we come back; aborted when we have heard what it is now. */
  #comingBack: AbortController | undefined
  #gone = new AbortController()
  #asking: Promise<void> = Promise.resolve()

  constructor(redis: Redis, clock: Clock = systemClock) {
    this.#redis = redis
    this.#clock = clock
    redis.on('ready', () => this.#begin())
    redis.on('close', () => this.#close())
    redis.on('end', () => this.#comingBack?.abort())
    if (redis.status === 'ready') this.#begin()
  }

  /** Resolves when the server behind the present connection was asked. */
  async known(): Promise<void> {
    await this.#asking
  }

  get isKnown(): boolean {
    return this.#runId !== undefined
  }

  /** It answered when it was asked last, and is no master. */
  get isReplica(): boolean {
    return this.#isReplica
  }

  /** The life of the server behind the connection. Throws `unavailable` while it is not known. */
  get runId(): string {
    if (this.#runId === undefined) throw new Problem(generalErrors.unavailable, { retryAfterSeconds: 1 })
    return this.#runId
  }

  /** Nothing is believed before the server was asked again. */
  doubt(): void {
    if (this.#redis.status === 'ready') this.#begin()
  }

  #close(): void {
    this.#forget()
    // A copy that is gone says nothing any more, not even that.
    if (this.#comingBack === undefined) this.#isReplica = false
  }

  #forget(): void {
    this.#runId = undefined
    this.#gone.abort()
  }

  #begin(): void {
    this.#forget()
    this.#gone = new AbortController()
    const gone = this.#gone.signal
    this.#asking = this.#ask(gone).then((runId) => {
      if (gone.aborted) return
      this.#comingBack?.abort()
      this.#comingBack = undefined
      this.#runId = runId
      this.#isReplica = runId === undefined
      if (runId?.includes('.') === true) this.#keepPromotion()
      if (runId === undefined) void this.#connectAnew(gone)
      else void this.#watch(runId, gone)
    })
  }

  /**
   * A promoted server that nobody follows for an hour forgets that it was promoted, unless it is told not to: nothing would be
   * lost, and yet everybody would take it for another. Where it may not be configured that costs a rebuild.
   */
  #keepPromotion(): void {
    this.#redis.config('SET', 'repl-backlog-ttl', 0).catch(() => {})
  }

  /** Perhaps to another server, but not before a moment has passed. */
  async #connectAnew(gone: AbortSignal): Promise<void> {
    await this.#clock.wait(lookMs, gone)
    if (gone.aborted) return
    this.#comingBack = new AbortController()
    const heard = this.#comingBack.signal
    this.#redis.disconnect(true)
    await this.#clock.wait(doubtMs, heard)
    if (heard.aborted) return
    // Nobody is there, or somebody who hangs.
    this.#comingBack = undefined
    this.#isReplica = false
  }

  /** Asks until there is an answer, or the connection is cut because nothing comes. Undefined: no master. */
  async #ask(gone: AbortSignal): Promise<string | undefined> {
    while (!gone.aborted) {
      try {
        const [server, replication] = await Promise.all([
          this.#redis.info('server'),
          this.#redis.info('replication'),
        ])
        return lifeOf(server, replication)
      } catch {
        await this.#clock.wait(askAgainMs, gone)
      }
    }
    return undefined
  }

  /** Whoever waits for one that hangs would wait for nothing: until it answers it is not known. */
  async #askSoon(gone: AbortSignal): Promise<string | undefined> {
    const answered = new AbortController()
    void this.#clock.wait(doubtMs, AbortSignal.any([answered.signal, gone])).then(() => {
      if (!answered.signal.aborted && !gone.aborted) this.#runId = undefined
    })
    try {
      return await this.#ask(gone)
    } finally {
      answered.abort()
    }
  }

  /** A server that is not who it was is connected to anew, so that whoever it was asked for hears of it. */
  async #watch(runId: string, gone: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.wait(lookMs, gone)
      const now = await this.#askSoon(gone)
      if (gone.aborted) return
      if (now === runId) {
        this.#runId = runId
        continue
      }
      this.#forget()
      this.#redis.disconnect(true)
      return
    }
  }
}

/** What INFO says; undefined of a server that is no master, because nothing may be believed of a copy. */
function lifeOf(server: string, replication: string): string | undefined {
  const runId = /^run_id:(\w+)/m.exec(server)?.[1]
  const isMaster = /^role:master/m.test(replication)
  if (runId === undefined || !isMaster) return undefined
  const before = /^master_replid2:(\w+)/m.exec(replication)?.[1] ?? ''
  // Without a past it was never promoted, and its history gets another name when the first replica comes.
  if (/^0*$/.test(before)) return runId
  return `${runId}.${/^master_replid:(\w+)/m.exec(replication)?.[1] ?? ''}`
}
