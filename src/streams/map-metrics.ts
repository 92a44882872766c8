import { Counter, type Registry } from 'prom-client'

/** What an edge does for those who watch maps, for Prometheus. */
export class MapMetrics {
  readonly #frames: Counter
  readonly #read: Counter

  constructor(registry: Registry) {
    const registers = [registry]
    this.#frames = new Counter({
      name: 'openrun_map_frames_total',
      help: 'Frames of maps, each told to all who watch the sale',
      registers,
    })
    this.#read = new Counter({
      name: 'openrun_map_readings_total',
      help: 'Maps read as a whole, at first or because a delta was lost',
      registers,
    })
  }

  frameTold(): void {
    this.#frames.inc()
  }

  mapRead(): void {
    this.#read.inc()
  }
}
