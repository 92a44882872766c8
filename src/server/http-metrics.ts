import { Gauge, type Metric, type Registry } from 'prom-client'

/** Counts and times the answers of one endpoint. */
export interface EndpointMeter {
  record(status: number, elapsedMs: number): void
}

export class HttpMetrics {
  readonly #registry: Registry
  readonly #series: Series[] = []
  readonly #meters = new Map<string, EndpointMeter>()

  constructor(registry: Registry) {
    this.#registry = registry
    // A histogram of the library looks its series up by a text made of the labels, at each request: a twentieth of
    // what a request costs. Ours are kept with the endpoints, and the library is told of them when it asks.
    const metric = {
      ...described,
      get: async () => ({ ...described, values: this.#series.flatMap(valuesOf) }),
    }
    registry.registerMetric(metric as unknown as Metric)
  }

  /** The same one for the same labels: a scrape that tells a series twice is refused as a whole. */
  meter(method: string, route: string): EndpointMeter {
    const name = `${method} ${route}`
    const known = this.#meters.get(name)
    if (known) return known
    const byStatus = new Map<number, Series>()
    const meter: EndpointMeter = {
      record: (status, elapsedMs) => {
        const series = byStatus.get(status) ?? this.#begin(byStatus, { method, route, status })
        observe(series, elapsedMs / 1000)
      },
    }
    this.#meters.set(name, meter)
    return meter
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

  #begin(byStatus: Map<number, Series>, labels: Series['labels']): Series {
    const series = { labels, buckets: Array<number>(bounds.length).fill(0), count: 0, sumSeconds: 0 }
    byStatus.set(labels.status, series)
    this.#series.push(series)
    return series
  }
}

interface Series {
  readonly labels: { readonly method: string; readonly route: string; readonly status: number }
  /** How many fell into each bucket, not added up. */
  readonly buckets: number[]
  count: number
  sumSeconds: number
}

const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

const described = {
  name: 'openrun_http_request_duration_seconds',
  help: 'Time from the head of a request to its answer, by route pattern and status; its count is the number of requests',
  type: 'histogram',
  aggregator: 'sum',
}

function observe(series: Series, seconds: number): void {
  series.count++
  series.sumSeconds += seconds
  for (let index = 0; index < bounds.length; index++) {
    if (seconds > (bounds[index] ?? 0)) continue
    series.buckets[index] = (series.buckets[index] ?? 0) + 1
    return
  }
}

function valuesOf({ labels, buckets, count, sumSeconds }: Series): object[] {
  let total = 0
  const counted = bounds.map((le, index) => {
    total += buckets[index] ?? 0
    return { labels: { le, ...labels }, value: total, metricName: `${described.name}_bucket` }
  })
  return [
    ...counted,
    { labels: { le: '+Inf', ...labels }, value: count, metricName: `${described.name}_bucket` },
    { labels, value: sumSeconds, metricName: `${described.name}_sum` },
    { labels, value: count, metricName: `${described.name}_count` },
  ]
}
