/** By how much the pace has to grow, or the line to shrink, before everybody is told out of turn. */
const paceGrowth = 1.2
const lineShrinkage = 0.8
/** Everybody is told out of turn no more often than this. */
const pauseMs = 1000

/**
 * Notices when waits shrink all at once, because the gate went faster or many have left: what people were told last is
 * then too old for the wait that is left to them.
 */
export class ShrinkingWaits {
  #slowestPace = Infinity
  #longestLine = 0
  #atMs = -Infinity

  /** @param now.pace admissions a minute as they are to be expected */
  haveShrunk(now: { readonly pace: number; readonly waiting: number; readonly nowMs: number }): boolean {
    const { pace, waiting, nowMs } = now
    const grew = pace > this.#slowestPace * paceGrowth || waiting < this.#longestLine * lineShrinkage
    if (!grew) {
      this.#slowestPace = Math.min(this.#slowestPace, pace)
      this.#longestLine = Math.max(this.#longestLine, waiting)
      return false
    }
    if (nowMs - this.#atMs < pauseMs) return false
    this.#slowestPace = pace
    this.#longestLine = waiting
    this.#atMs = nowMs
    return true
  }
}
