import { Counter, type Registry } from 'prom-client'

/** What an edge does for those who wait, for Prometheus. */
export class LineMetrics {
  readonly #told: Counter
  readonly #read: Counter
  readonly #heads: Counter

  constructor(registry: Registry) {
    const registers = [registry]
    this.#told = new Counter({
      name: 'openrun_positions_told_total',
      help: 'Positions told to waiters',
      registers,
    })
    this.#read = new Counter({
      name: 'openrun_line_readings_total',
      help: 'Lines read as a whole, at first or because an update was lost',
      registers,
    })
    this.#heads = new Counter({
      name: 'openrun_line_updates_total',
      help: 'Head updates of lines that were heard',
      registers,
    })
  }

  positionsTold(count: number): void {
    this.#told.inc(count)
  }

  updateHeard(): void {
    this.#heads.inc()
  }

  lineRead(): void {
    this.#read.inc()
  }
}
