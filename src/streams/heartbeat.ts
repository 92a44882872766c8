import { interval, type Subscription } from 'rxjs'
import type { Sql } from '../db/postgres.ts'
import { levelOfFailure } from '../db/store-away.ts'
import { beat, sayGoodbye, type Role } from '../domain/processes/process-store.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { runLatest } from './run-latest.ts'

/** How often a process says that it lives; after three seconds of silence it is taken for dead. */
const beatMs = 1000

/** Lets the other processes know that this one lives, and which roles it has. */
export class Heartbeat implements Service {
  readonly name = 'heartbeat'
  readonly #sql: Sql
  readonly #process: { id: string; roles: readonly Role[] }
  readonly #log: Log
  #beats: Subscription | undefined

  constructor(options: { sql: Sql; processId: string; roles: readonly Role[]; log: Log }) {
    this.#sql = options.sql
    this.#process = { id: options.processId, roles: options.roles }
    this.#log = options.log
  }

  async run(): Promise<void> {
    await beat(this.#sql, this.#process)
    this.#beats = interval(beatMs)
      .pipe(runLatest(() => this.#beat()))
      .subscribe()
  }

  async stop(): Promise<void> {
    this.#beats?.unsubscribe()
    await sayGoodbye(this.#sql, this.#process.id).catch(() => {
      // PostgreSQL is away: silence says the same, later.
    })
  }

  #beat(): Promise<void> {
    return beat(this.#sql, this.#process).catch((error: unknown) =>
      this.#log[levelOfFailure(error)]({ err: error }, 'heartbeat'),
    )
  }
}
