import { interval, type Subscription } from 'rxjs'
import { levelOfFailure } from '../db/store-away.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { runLatest } from './run-latest.ts'

/** Something to be looked after again and again; doing it twice at once, or in two processes, does no harm. */
export interface Chore {
  readonly name: string
  readonly everyMs: number
  readonly work: () => Promise<unknown>
}

/** Runs chores, each by its own interval; one that fails is tried again at its next turn. */
export class Chores implements Service {
  readonly name = 'chores'
  readonly #chores: readonly Chore[]
  readonly #log: Log
  readonly #failing = new Set<string>()
  readonly #running = new Map<string, Promise<void>>()
  #turns: Subscription | undefined

  constructor(options: { chores: readonly Chore[]; log: Log }) {
    this.#chores = options.chores
    this.#log = options.log
  }

  async run(): Promise<void> {
    const turns = this.#chores.map((chore) =>
      interval(chore.everyMs)
        .pipe(runLatest(() => this.#do(chore)))
        .subscribe(),
    )
    this.#turns = turns.shift()
    for (const turn of turns) this.#turns?.add(turn)
  }

  async stop(): Promise<void> {
    this.#turns?.unsubscribe()
    await Promise.all(this.#running.values())
  }

  #do(chore: Chore): Promise<void> {
    const work = chore
      .work()
      .then(() => void this.#failing.delete(chore.name))
      .catch((error: unknown) => {
        if (!this.#failing.has(chore.name))
          this.#log[levelOfFailure(error)]({ err: error, chore: chore.name }, 'a chore failed')
        this.#failing.add(chore.name)
      })
    this.#running.set(chore.name, work)
    return work
  }
}
