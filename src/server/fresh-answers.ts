import type { Clock } from '../clock.ts'
import { RecentMap } from '../domain/sales/recent-map.ts'
import { encodedAnswer, type EncodedAnswer } from './encoded-answers.ts'

interface Kept {
  readonly name: string
  readonly answer: EncodedAnswer
  readonly readAtMs: number
}

/** How old an answer may be before it is read again; as with a single store. */
const freshMs = 1_000
/** Of an answer beside its body and its name: the tag, and what the maps take for themselves. */
const bytesBeside = 400

/**
 * Answers that are the same for everybody, as bytes, for one second: however many ask the same, it is read once and
 * written once. Nothing that depends on who asks may come in here. What fails is not kept.
 */
export class FreshAnswers {
  readonly #clock: Clock
  readonly #kept: RecentMap<Kept>
  readonly #reading = new Map<string, Promise<EncodedAnswer>>()

  constructor(options: { clock: Clock; bytesMax: number }) {
    this.#clock = options.clock
    this.#kept = new RecentMap({
      weightMax: options.bytesMax,
      weigh: ({ name, answer }) => answer.body.byteLength + 2 * name.length + bytesBeside,
    })
  }

  get size(): number {
    return this.#kept.size
  }

  /** @param read rejects with whatever `get` is to reject with */
  get(name: string, read: () => Promise<object>): Promise<EncodedAnswer> | EncodedAnswer {
    const known = this.#kept.get(name)
    if (known !== undefined && this.#clock.nowMs() - known.readAtMs < freshMs) return known.answer
    return this.#reading.get(name) ?? this.#read(name, read)
  }

  /** Something changed that any of them may tell of: whoever asks from now on gets what is written now. */
  forgetAll(): void {
    this.#kept.clear()
    // Whoever waits for one of these asked before the change; nobody joins them any more, and it is not kept.
    this.#reading.clear()
  }

  #read(name: string, read: () => Promise<object>): Promise<EncodedAnswer> {
    // As old as the moment before it was read, whatever the database took to answer.
    const readAtMs = this.#clock.nowMs()
    const isStill = (): boolean => this.#reading.get(name) === reading
    const reading: Promise<EncodedAnswer> = read()
      .then((view) => {
        const answer = encodedAnswer(view)
        if (isStill()) this.#kept.set(name, { name, answer, readAtMs })
        return answer
      })
      .finally(() => {
        if (isStill()) this.#reading.delete(name)
      })
    this.#reading.set(name, reading)
    return reading
  }
}
