/**
 * How far the server's clock is ahead of ours. Of what a request takes, an unknown part lies between the server's
 * looking at its clock and our hearing of it: the quickest request is wrong by the least.
 */
export class ClockReadings {
  #aheadMs = 0
  #wrongByMs = Infinity

  get aheadMs() {
    return this.#aheadMs
  }

  /** At the most, in either direction; infinite before the first reading. */
  get wrongByMs() {
    return this.#wrongByMs
  }

  /** @param {{ sentMs: number, heardMs: number, serverMs: number }} reading all but `serverMs` by our clock */
  add({ sentMs, heardMs, serverMs }) {
    const wrongByMs = (heardMs - sentMs) / 2
    if (wrongByMs < 0 || wrongByMs >= this.#wrongByMs) return
    this.#wrongByMs = wrongByMs
    this.#aheadMs = serverMs - (sentMs + heardMs) / 2
  }

  /** What was read before says little now: the device slept, or its clock was set. */
  forget() {
    this.#wrongByMs = Infinity
  }
}
