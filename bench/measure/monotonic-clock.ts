import { performance } from 'node:perf_hooks'

/** Reading the clock of the machine itself costs more than can be spent on every frame that arrives. */
const aheadMicros = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000

/** Microseconds of the machine's monotonic clock, the same in all its processes. */
export function monotonicMicros(): number {
  return performance.now() * 1000 + aheadMicros
}
