import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'

/** After so many looks without an answer to a question nothing more is hoped for. */
const looksMax = 20

/** Of one connection, in looks. */
interface Talk {
  /** When that was asked which has had no answer; undefined where nothing is awaited. */
  asked: number | undefined
  /** When something came last. */
  heard: number
  /** What came last. */
  last: Buffer
}

/** How the message ReadyForQuery begins; one letter follows, for the state of the transaction. */
const ready = Buffer.from([0x5a, 0, 0, 0, 5])
const readyLength = ready.length + 1

/**
 * A machine that loses its power, or a way that is broken, closes nothing: the operating system would go on believing in its
 * connections for long, while a new one would work at once. So a connection in which an answer is overdue is cut, and with
 * it all others of its pool in which nothing has come since it was asked, for each of them would be found out alone, one after
 * another. Looks are counted and no time is measured: a process that stood still finds at the next look what had arrived
 * meanwhile.
 */
export class PostgresSilence {
  readonly #lookMs: number
  readonly #clock: Clock
  readonly #talks = new Map<Duplex, Talk>()
  #looks = 0
  /** Aborted when there is no connection left to look at. */
  #looking: AbortController | undefined

  /** @param withinMs an answer to any question comes so soon, be it an error; Infinity where statements may take any time */
  constructor(withinMs: number, clock: Clock) {
    this.#lookMs = withinMs / looksMax
    this.#clock = clock
  }

  /** Watches a connection until it is closed. */
  watch(socket: Duplex): Talk {
    const talk: Talk = { asked: undefined, heard: this.#looks, last: Buffer.alloc(0) }
    if (!Number.isFinite(this.#lookMs)) return talk
    this.#talks.set(socket, talk)
    if (this.#looking === undefined) void this.#lookOn((this.#looking = new AbortController()).signal)
    return talk
  }

  asks(talk: Talk): void {
    talk.asked ??= this.#looks
  }

  /** An answer is whole when it ends in "ready for the next question"; before that more of it is awaited. */
  hears(talk: Talk, chunk: Buffer): void {
    talk.heard = this.#looks
    if (talk.asked === undefined) return
    talk.last = chunk.length >= readyLength ? chunk : Buffer.concat([talk.last, chunk])
    talk.last = talk.last.subarray(-readyLength)
    talk.asked = talk.last.indexOf(ready) === 0 ? undefined : this.#looks
  }

  forget(socket: Duplex): void {
    this.#talks.delete(socket)
    if (this.#talks.size > 0) return
    this.#looking?.abort()
    this.#looking = undefined
  }

  async #lookOn(isOver: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.wait(this.#lookMs, isOver)
      if (isOver.aborted) return
      this.#look()
    }
  }

  #look(): void {
    this.#looks++
    const overdue = [...this.#talks.values()].flatMap(({ asked }) =>
      asked !== undefined && this.#looks - asked > looksMax ? [asked] : [],
    )
    if (overdue.length === 0) return
    const since = Math.max(...overdue)
    for (const [socket, { heard }] of this.#talks) if (heard <= since) socket.destroy()
  }
}
