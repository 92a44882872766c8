import { interval, Observable, share } from 'rxjs'
import type { Clock } from '../clock.ts'
import { figuresOf, type SaleFigures } from '../domain/queue/desk-messages.ts'
import { headUpdate, type HeadUpdate } from '../domain/queue/queue-messages.ts'
import { saleChannels } from '../domain/sale-state/sale-keys.ts'
import type { Broker } from './broker.ts'

const everyMs = 1000
/** The head of a line is told once a second; so long without it, and nobody works the gate. */
const staleMs = 3000

/** The figures of sales for their organisers: one subscription a sale, however many desks watch it. */
export class SaleDesk {
  readonly #broker: Pick<Broker, 'messages'>
  readonly #clock: Clock
  readonly #figures = new Map<string, Observable<SaleFigures>>()

  constructor(options: { broker: Pick<Broker, 'messages'>; clock: Clock }) {
    this.#broker = options.broker
    this.#clock = options.clock
  }

  /** Once a second, from the first that are heard on. */
  figures(saleId: string): Observable<SaleFigures> {
    const known = this.#figures.get(saleId)
    if (known !== undefined) return known
    const figures$ = this.#read(saleId).pipe(share())
    this.#figures.set(saleId, figures$)
    return figures$
  }

  #read(saleId: string): Observable<SaleFigures> {
    return new Observable((listener) => {
      let latest: { readonly head: HeadUpdate; readonly heardMs: number } | undefined
      const heads = this.#broker.messages(saleChannels.line(saleId), headUpdate).subscribe((head) => {
        const isFirst = latest === undefined
        latest = { head, heardMs: this.#clock.nowMs() }
        if (isFirst) listener.next(figuresOf(head, false))
      })
      const rounds = interval(everyMs).subscribe(() => {
        if (latest !== undefined)
          listener.next(figuresOf(latest.head, this.#clock.nowMs() - latest.heardMs > staleMs))
      })
      return () => {
        heads.unsubscribe()
        rounds.unsubscribe()
        this.#figures.delete(saleId)
      }
    })
  }
}
