import { signal } from '/vendor/signals.js'
import { backOffMs } from '../live/back-off.js'
import { pause } from '../live/calls.js'
import { readEvents } from '../live/event-stream.js'
import { serverNow } from '../live/server-clock.js'
import { toProblem } from '../live/problem.js'
import { deskHeaders } from './desk-key.js'

/** @import { SaleFigures } from '../../src/domain/queue/desk-messages.ts' */
/** @typedef {SaleFigures & { heardMs: number }} HeardFigures */

/** Minutes of history that the charts show: one point a second. */
const historyMax = 600

/** The figures of one sale as they come, with those of the last minutes; comes back by itself. */
export class FiguresFeed {
  /** @type {import('/vendor/signals.js').Signal<readonly HeardFigures[]>} the newest last */
  history = signal([])
  /** @type {import('/vendor/signals.js').Signal<'connecting' | 'live' | 'lost' | 'refused'>} */
  state = signal('connecting')
  #end = new AbortController()

  /** @param {string} sale */
  constructor(sale) {
    void this.#follow(sale)
  }

  end() {
    this.#end.abort()
  }

  /** @param {string} sale */
  async #follow(sale) {
    const { signal: ended } = this.#end
    for (let attempt = 1; !ended.aborted; attempt++) {
      try {
        await readEvents(`/api/v1/sales/${encodeURIComponent(sale)}/desk/stream`, {
          signal: ended,
          headers: deskHeaders(),
          onEvent: ({ type, data }) => {
            attempt = 1
            if (type === 'figures') this.#take(/** @type {SaleFigures} */ (data))
          },
        })
      } catch (thrown) {
        if (ended.aborted) return
        if ([401, 403, 404].includes(toProblem(thrown).status)) {
          this.state.value = 'refused'
          return
        }
      }
      this.state.value = 'lost'
      await pause(backOffMs(attempt, Math.random), ended)
    }
  }

  /** @param {SaleFigures} figures */
  #take(figures) {
    this.state.value = 'live'
    const heard = { ...figures, heardMs: serverNow() }
    this.history.value = [...this.history.value.slice(1 - historyMax), heard]
  }
}
