import { Counter, Gauge, type Registry } from 'prom-client'
import type { GateReport } from '../domain/queue/admission-gate.ts'

/** The figures of the gates this process works, for Prometheus. */
export class GateMetrics {
  readonly #admitted: Counter
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
    this.#figures = [
      [gauge('openrun_waiting', 'People in the line'), (report) => report.waiting],
      [gauge('openrun_admissions_active', 'Purchase tokens that are valid'), (report) => report.active],
      [gauge('openrun_places_free', 'Places neither held nor sold'), (report) => report.free],
      [gauge('openrun_places_sold', 'Places sold'), (report) => report.sold],
    ]
  }

  note(saleId: string, report: GateReport): void {
    if (report.told > 0) this.#admitted.inc({ sale: saleId }, report.told)
    for (const [gauge, figure] of this.#figures) {
      if (report.over) gauge.remove({ sale: saleId })
      else gauge.set({ sale: saleId }, figure(report))
    }
  }
}
