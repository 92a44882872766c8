import { Counter, Gauge, type Registry } from 'prom-client'
import type { GateReport } from '../domain/queue/admission-gate.ts'

/** The figures of the gates this process works, for Prometheus. */
export class GateMetrics {
  readonly #admitted: Counter
  readonly #setAside: Counter
  readonly #noShows: Counter
  readonly #figures: readonly (readonly [Gauge, (report: GateReport) => number])[]

  constructor(registry: Registry) {
    const registers = [registry]
    const labelNames = ['sale']
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, labelNames, registers })
    this.#admitted = new Counter({
      name: 'openrun_admitted_total',
      help: 'People let in, each made durable before it was told',
      labelNames,
      registers,
    })
    this.#setAside = new Counter({
      name: 'openrun_set_aside_total',
      help: 'People who were away at their turn; who comes back in time is first again',
      labelNames,
      registers,
    })
    this.#noShows = new Counter({
      name: 'openrun_no_shows_total',
      help: 'People who lost their place because they stayed away',
      labelNames,
      registers,
    })
    this.#figures = [
      [gauge('openrun_waiting', 'People in the line'), (report) => report.waiting],
      [gauge('openrun_admissions_active', 'Purchase tokens that are valid'), (report) => report.active],
      [gauge('openrun_places_free', 'Places neither held nor sold'), (report) => report.free],
      [gauge('openrun_places_sold', 'Places sold'), (report) => report.sold],
    ]
  }

  note(saleId: string, report: GateReport): void {
    if (report.told > 0) this.#admitted.inc({ sale: saleId }, report.told)
    if (report.setAside > 0) this.#setAside.inc({ sale: saleId }, report.setAside)
    const noShows = report.closings.filter(({ reason }) => reason === 'no_show').length
    if (noShows > 0) this.#noShows.inc({ sale: saleId }, noShows)
    for (const [gauge, figure] of this.#figures) {
      if (report.over) gauge.remove({ sale: saleId })
      else gauge.set({ sale: saleId }, figure(report))
    }
  }
}
