import type { RushStages } from './rush-calls.ts'

/**
 * When requests are due that come at a growing rate, a steady one and a falling one. Nothing that is answered late puts
 * off what comes after it: a crowd does not wait for its server.
 */
export class RushSchedule {
  readonly total: number
  readonly seconds: number
  readonly #stages: RushStages
  readonly #perSecond: number

  constructor(stages: RushStages, perSecond: number) {
    const { up, hold, down } = stages
    this.#stages = stages
    this.#perSecond = perSecond
    this.seconds = up + hold + down
    this.total = Math.floor(perSecond * (up / 2 + hold + down / 2))
  }

  /** Of the request with this number, from 0, in seconds. */
  dueAt(number: number): number {
    const { up, hold } = this.#stages
    const rate = this.#perSecond
    const [first, steady] = [(rate * up) / 2, rate * hold]
    if (number < first) return Math.sqrt((2 * number * up) / rate)
    if (number < first + steady) return up + (number - first) / rate
    return this.seconds - Math.sqrt((2 * (this.total - number) * this.#stages.down) / rate)
  }

  /** The part of the crowd that is there at a time. */
  shareAt(seconds: number): number {
    const { up, down } = this.#stages
    return Math.max(0, Math.min(1, seconds / up, (this.seconds - seconds) / down))
  }

  isPlateau(seconds: number): boolean {
    const { up, hold } = this.#stages
    return seconds >= up && seconds < up + hold
  }
}
