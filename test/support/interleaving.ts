import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import type { Test } from 'tap'
import type { Sql } from '../../src/db/postgres.ts'
import type { Redis } from '../../src/db/redis.ts'

/** `FUZZ_SEED` repeats a run. */
const seed = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))

/** So long a failure is made smaller, and so long one run may take, at the most: it hangs then. */
const [searchMs, runMs] = [60_000, 30_000]

/** Tries a property so often. What fails names the seed and the path that repeat it. */
export async function explore<Values extends [unknown, ...unknown[]]>(
  t: Test,
  numRuns: number,
  property: fc.IAsyncProperty<Values>,
): Promise<void> {
  t.comment(`FUZZ_SEED=${seed}`)
  const plugins = [fc.interruptAfterTimeLimit(searchMs), fc.timeout(runMs)]
  await t.resolves(fc.assert(property, { numRuns, seed, plugins }))
}

/** What becomes of a call: all is well, it never arrives, or it is done and its answer is lost. */
export type CallFate = 'is answered' | 'is lost' | 'answer is lost'

export const callFate = fc.constantFrom<CallFate>(
  'is answered',
  'is answered',
  'is answered',
  'is lost',
  'answer is lost',
)

/**
 * The turns of one run: whatever waits for one goes on when the scheduler says so, and what takes real time is over
 * before the next one has its turn. So the same seed brings the same order of things.
 */
export class Turns {
  readonly #scheduler: fc.Scheduler
  readonly #underWay = new Set<PromiseLike<unknown>>()

  constructor(scheduler: fc.Scheduler) {
    this.#scheduler = scheduler
  }

  turn(label: string): Promise<void> {
    return this.#scheduler.schedule(Promise.resolve(), label)
  }

  /** Something in the hands of nobody here, such as a statement that PostgreSQL carries out. */
  async real<T>(work: () => PromiseLike<T>): Promise<T> {
    const done = work()
    this.#underWay.add(done)
    try {
      return await done
    } finally {
      this.#underWay.delete(done)
    }
  }

  /** Does each step at a turn of its own, whole; what it only begins goes on beside the next ones. */
  async inOrder(steps: readonly (readonly [label: string, step: () => unknown])[]): Promise<void> {
    for (const [label, step] of steps) {
      await this.turn(label)
      await this.real(async () => await step())
    }
  }

  /** Gives turns until nothing waits for one. */
  async play(): Promise<void> {
    for (;;) {
      await this.#isStill()
      if (this.#scheduler.count() === 0) return
      await this.#scheduler.waitNext(1)
    }
  }

  async #isStill(): Promise<void> {
    for (let stillFor = 0; stillFor < 4; stillFor++) {
      await nextTurn()
      if (this.#underWay.size === 0) continue
      await Promise.allSettled(this.#underWay)
      stillFor = 0
    }
  }
}

/** What arrives in the order in which it was sent, unless the way is cut before. To arrive must not throw. */
export class Way {
  readonly #turns: Turns
  readonly #label: string
  #last: Promise<void> = Promise.resolve()
  #cuts = 0

  constructor(turns: Turns, label: string) {
    this.#turns = turns
    this.#label = label
  }

  send(arrive: () => void): void {
    const cuts = this.#cuts
    this.#last = this.#last.then(async () => {
      await this.#turns.turn(this.#label)
      if (cuts === this.#cuts) arrive()
    })
  }

  /** What is on its way is lost. */
  cut(): void {
    this.#cuts++
  }
}

/** Calls to stores that wait for their turn twice: before they arrive, and before their answer is heard. */
export class Calls {
  readonly #turns: Turns
  readonly #fates: CallFate[]
  /** Told of each statement before its fate is drawn; those it says no to are answered. */
  readonly #mayFail: (label: string) => boolean
  /** One connection to Redis: what is sent first arrives first, and is answered first. */
  #arrived: Promise<unknown> = Promise.resolve()
  #answered: Promise<unknown> = Promise.resolve()

  /** @param fates of the first calls; all after them are answered */
  constructor(
    turns: Turns,
    fates: readonly CallFate[] = [],
    mayFail: (label: string) => boolean = () => true,
  ) {
    this.#turns = turns
    this.#fates = [...fates]
    this.#mayFail = mayFail
  }

  /** Everything goes well from now on. */
  heal(): void {
    this.#fates.length = 0
  }

  sql(sql: Sql): Sql {
    return new Proxy(sql, {
      apply: (target, self, asked: unknown[]) => {
        const query = Reflect.apply(target, self, asked) as Promise<unknown>
        const [text] = asked
        if (!Array.isArray(text) || !('raw' in text)) return query
        return this.#sentWhenAwaited((text as string[]).join('?').trim().slice(0, 40), query)
      },
      get: (target, name) => {
        if (name !== 'begin') return Reflect.get(target, name) as unknown
        return (...asked: Parameters<Sql['begin']>) => this.#call('transaction', () => target.begin(...asked))
      },
    })
  }

  redis(redis: Redis): Redis {
    return new Proxy(redis, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        const command = value.bind(target) as (...asked: unknown[]) => Promise<unknown>
        if (name !== 'evalsha' && name !== 'eval' && name !== 'hget') return command
        return (...asked: unknown[]) => this.#callInOrder(name, () => command(...asked))
      },
    })
  }

  /** A statement is sent when it is awaited; one that is a part of another never is. */
  #sentWhenAwaited(label: string, query: Promise<unknown>): Promise<unknown> {
    const send = () => new Promise((resolve, reject) => void query.then(resolve, reject))
    return new Proxy(query, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        if (name !== 'then') return value.bind(target) as unknown
        return (...ends: Parameters<typeof query.then>) => this.#call(label, send).then(...ends)
      },
    })
  }

  async #call<T>(label: string, work: () => PromiseLike<T>): Promise<T> {
    const fate = this.#fateOf(label)
    await this.#turns.turn(`${label} arrives`)
    const outcome = await this.#done(fate, work)
    await this.#turns.turn(`${label} ${fate}`)
    return outcome(Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' }))
  }

  async #callInOrder<T>(label: string, work: () => PromiseLike<T>): Promise<T> {
    const fate = this.#fateOf(label)
    const arrived = this.#arrived.then(async () => {
      await this.#turns.turn(`${label} arrives`)
      return await this.#done(fate, work)
    })
    this.#arrived = arrived
    const answered = Promise.all([arrived, this.#answered]).then(async ([outcome]) => {
      await this.#turns.turn(`${label} ${fate}`)
      return outcome
    })
    this.#answered = answered
    return (await answered)(new Error('Connection is closed.'))
  }

  #fateOf(label: string): CallFate {
    return (this.#mayFail(label) ? this.#fates.shift() : undefined) ?? 'is answered'
  }

  /** Resolves to what the caller gets, which throws the error of a lost call. */
  async #done<T>(fate: CallFate, work: () => PromiseLike<T>): Promise<(lost: Error) => T> {
    const thrower = (lost: Error): never => {
      throw lost
    }
    if (fate === 'is lost') return thrower
    try {
      const answer = await this.#turns.real(work)
      return fate === 'is answered' ? () => answer : thrower
    } catch (error) {
      return () => thrower(error as Error)
    }
  }
}
