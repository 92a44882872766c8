import type { WriteStream } from 'node:tty'
import { progressLine, progressLines, type Titled } from './progress-table.ts'
import type { Tally } from './tally.ts'

type Screen = Pick<WriteStream, 'write' | 'isTTY' | 'columns'>

/** Shows how far the crowd has come: a table that is rewritten in place, or a line now and then. */
export class ProgressDisplay {
  readonly #out: Screen
  readonly #startedMs: number
  readonly #nowMs: () => number
  #timer: NodeJS.Timeout | undefined
  #linesShown = 0

  constructor(options: { out: Screen; nowMs: () => number }) {
    this.#out = options.out
    this.#nowMs = options.nowMs
    this.#startedMs = options.nowMs()
  }

  say(line: string): void {
    this.#out.write(`${line}\n`)
    this.#linesShown = 0
  }

  start(offers: readonly Titled[], tally: Tally): void {
    const show = (): void => this.#show(offers, tally)
    this.#timer = setInterval(show, this.#out.isTTY ? 250 : 5_000)
    if (this.#out.isTTY) show()
  }

  /** Shows where things stand once more, and leaves that on the screen. */
  stop(offers: readonly Titled[], tally: Tally): void {
    clearInterval(this.#timer)
    this.#show(offers, tally)
    this.#linesShown = 0
  }

  #show(offers: readonly Titled[], tally: Tally): void {
    const elapsedMs = this.#nowMs() - this.#startedMs
    if (!this.#out.isTTY) {
      this.#out.write(`${progressLine(tally, elapsedMs)}\n`)
      return
    }
    // A line that the terminal breaks in two could not be rewritten.
    const width = this.#out.columns
    const lines = progressLines(offers, tally, elapsedMs).map((line) => line.slice(0, width))
    const back = this.#linesShown > 0 ? `\u001b[${this.#linesShown}A\u001b[J` : ''
    this.#out.write(`${back}${lines.join('\n')}\n`)
    this.#linesShown = lines.length
  }
}
