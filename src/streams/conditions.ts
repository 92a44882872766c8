import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'

interface ConditionText {
  readonly means: string
  /** What whoever runs the server can do about it. */
  readonly advice: string
  readonly level: 'error' | 'warn' | 'info'
}

/** Everything about a process that whoever runs it should know of, by the name that figures and log lines have. */
export const conditionTexts = {
  'postgresql-away': {
    means: 'PostgreSQL does not answer this process',
    advice:
      'Start it, or mend the way to it. Reads go on from memory for a minute, orders are kept while their holds last, other writes are put off; nothing has to be restarted.',
    level: 'error',
  },
  'redis-away': {
    means: 'Redis does not answer this process',
    advice:
      'Start it, or mend the way to it. Reads go on, joins and holds are put off; its state is built anew by itself.',
    level: 'error',
  },
  'redis-node-away': {
    means: 'A node of the Redis cluster does not answer this process, and its sales stand still',
    advice: 'Start it, or have a replica take its place. The sales of the other nodes go on.',
    level: 'error',
  },
  'redis-refuses-writes': {
    means: 'Redis answers and refuses to write',
    advice:
      'By the reason: OOM: raise maxmemory. READONLY: lead the way to the primary. NOREPLICAS: bring its replicas back. MISCONF: make room on its disk.',
    level: 'error',
  },
  'lines-restoring': {
    means: 'Redis had forgotten what it held: lines are put back, and nobody is let in meanwhile',
    advice:
      'Wait: it takes a moment where all edges live, OPENRUN_RESTORE_SECONDS at the most. Where it comes again, look why Redis restarts, and turn on its append-only file.',
    level: 'warn',
  },
  'sale-without-writer': {
    means: 'Nobody lets people in: the writer of a sale is silent',
    advice:
      'Another process takes over within three seconds. Where it lasts, start a process with the role admission.',
    level: 'warn',
  },
  'took-over': {
    means: 'This process took over sales whose writer had fallen silent',
    advice: 'Look why the other process was silent: killed, stopped, or cut off from PostgreSQL.',
    level: 'warn',
  },
  'fell-silent': {
    means: 'Another process took sales over from this one, which had been silent for longer than its lease',
    advice:
      'Look what kept this process from PostgreSQL: a machine that was paused or is too busy, or the network.',
    level: 'warn',
  },
  'payments-late': {
    means: 'Payments have no outcome: their provider did not answer within five seconds, or nobody asks it',
    advice:
      'Look whether the payment provider answers, and whether a process with the role payments runs. Their places stay reserved, and no charge is made twice.',
    level: 'warn',
  },
  'orders-saving': {
    means: 'Orders wait to be written to PostgreSQL',
    advice:
      'Make PostgreSQL answer before their holds end. Do not stop this process meanwhile: what it has not written is abandoned.',
    level: 'warn',
  },
  'outbox-late': {
    means: 'The outbox has entries that are older than five seconds',
    advice:
      'Look whether a process with the role worker runs, and in pg_stat_activity for a transaction that stays open.',
    level: 'warn',
  },
  'slow-clients': {
    means:
      'Live connections were closed in the last half minute because they did not read what they were told',
    advice:
      'Nothing, where they are few: they may resume. Where they are many, look at the network, or raise OPENRUN_STREAM_BUFFER_BYTES.',
    level: 'warn',
  },
  'clock-off': {
    means: 'The clock of this process differs from that of a store by more than a second',
    advice:
      'Set the clocks by NTP. Deadlines are decided by the stores, but tokens and countdowns go by this clock.',
    level: 'warn',
  },
  stopping: {
    means: 'The process was told to stop',
    advice: 'Wait: it answers what is under way, sends its clients elsewhere and ends within five seconds.',
    level: 'info',
  },
} as const satisfies Readonly<Record<string, ConditionText>>

export type ConditionName = keyof typeof conditionTexts

export interface Holding {
  readonly name: ConditionName
  readonly sinceMs: number
}

/** A condition that was not seen for so long is over; what comes and goes is told once. */
const calmMs = 3_000

/**
 * The conditions that hold in a process: each is a figure, stands in /readyz, and is one log line when it begins and one
 * when it is over, however often it is seen.
 */
export class Conditions {
  readonly #log: Log
  readonly #clock: Clock
  readonly #gauge: Gauge
  readonly #begun: Counter
  readonly #holding = new Map<ConditionName, { readonly sinceMs: number; untilMs: number }>()

  constructor(options: { log: Log; clock: Clock; registry: Registry }) {
    this.#log = options.log
    this.#clock = options.clock
    const labelNames = ['name']
    const registers = [options.registry]
    this.#gauge = new Gauge({
      name: 'openrun_condition',
      help: 'Whether a condition holds that an operator should know of',
      labelNames,
      registers,
    })
    this.#begun = new Counter({
      name: 'openrun_conditions_begun_total',
      help: 'How often a condition has begun: some are over before anybody looks',
      labelNames,
      registers,
    })
    for (const name of Object.keys(conditionTexts)) {
      this.#gauge.set({ name }, 0)
      this.#begun.inc({ name }, 0)
    }
  }

  get holding(): Holding[] {
    return [...this.#holding].map(([name, { sinceMs }]) => ({ name, sinceMs }))
  }

  /**
   * It holds now.
   * @param options `detail` for the log; `forMs`: how long it is taken to hold without being seen again
   */
  seen(name: ConditionName, options: { detail?: object; forMs?: number } = {}): void {
    const nowMs = this.#clock.nowMs()
    const untilMs = nowMs + (options.forMs ?? calmMs)
    const known = this.#holding.get(name)
    if (known !== undefined) {
      known.untilMs = Math.max(known.untilMs, untilMs)
      return
    }
    this.#holding.set(name, { sinceMs: nowMs, untilMs })
    this.#gauge.set({ name }, 1)
    this.#begun.inc({ name })
    const { means, advice, level } = conditionTexts[name]
    const since = new Date(nowMs).toISOString()
    this.#log[level]({ condition: name, since, ...options.detail }, `${means}. ${advice}`)
  }

  /** Ends those that were not seen any more. To be called every second or so. */
  look(): void {
    const nowMs = this.#clock.nowMs()
    for (const [name, { sinceMs, untilMs }] of this.#holding) {
      if (untilMs > nowMs) continue
      this.#holding.delete(name)
      this.#gauge.set({ name }, 0)
      const lastedSeconds = Math.round((nowMs - sinceMs) / 1_000)
      this.#log.warn({ condition: name, lastedSeconds }, `Over: ${conditionTexts[name].means}`)
    }
  }
}
