import { Gauge, Histogram, type Registry } from 'prom-client'

/** Counts and times the answers of one endpoint. */
export interface EndpointMeter {
  record(status: number, elapsedMs: number): void
}

export class HttpMetrics {
  readonly #registry: Registry
  readonly #durations: Histogram<'method' | 'route' | 'status'>

  constructor(registry: Registry) {
    this.#registry = registry
    this.#durations = new Histogram({
      name: 'openrun_http_request_duration_seconds',
      help: 'Time from the head of a request to its answer, by route pattern and status; its count is the number of requests',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [registry],
    })
  }

  meter(method: string, route: string): EndpointMeter {
    const children = new Map<number, Histogram.Internal<'method' | 'route' | 'status'>>()
    return {
      record: (status, elapsedMs) => {
        let child = children.get(status)
        if (!child) {
          child = this.#durations.labels({ method, route, status })
          children.set(status, child)
        }
        child.observe(elapsedMs / 1000)
      },
    }
  }

  /** A number that is asked for when the metrics are read. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read())
      },
    })
  }
}
