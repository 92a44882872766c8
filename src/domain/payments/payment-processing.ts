import type { Clock } from '../../clock.ts'
import type { Sql } from '../../db/postgres.ts'
import { levelOfFailure } from '../../db/store-away.ts'
import type { Log } from '../../log.ts'
import type { Service } from '../../service.ts'
import type { Hurry } from '../orders/order-outbox.ts'
import { orAborted } from './or-aborted.ts'
import { backoffMs, callTimeoutMs, type ClaimedPayment } from './payment.ts'
import { claimPayments, recordOutcome, recordRefunded, recordUnknown } from './payment-store.ts'
import type { ChargeOutcome, PaymentProvider } from './provider.ts'

export interface PaymentProcessingOptions {
  readonly sql: Sql
  readonly provider: PaymentProvider
  readonly clock: Clock
  readonly log: Log
  readonly hurry: Hurry
  /** A call to the provider had no outcome, for this reason. */
  readonly onUnheard: (error: unknown) => void
  /** Between 0 and 1; spreads the repetitions. */
  readonly random: () => number
  /** Calls to the provider that may be open at once. */
  readonly concurrencyMax?: number
  /** A call that takes longer counts as unheard. */
  readonly timeoutMs?: number
  /** How long to wait for `wake` before looking for work all the same. */
  readonly pollMs?: number
}

const claimMax = 50

/**
 * Carries payments through: takes due rows, calls the provider, writes down what came of it. Several processes share
 * the rows; one that dies leaves its rows to the others. `wake` only hurries, the rows themselves are the work.
 */
export class PaymentProcessing implements Service {
  readonly name = 'payments'
  readonly #options: PaymentProcessingOptions
  readonly #draining = new AbortController()
  readonly #open = new Set<Promise<void>>()
  readonly #calls = new Set<AbortController>()
  #alarm = new AbortController()
  #stopped = false
  #loop: Promise<void> | undefined

  constructor(options: PaymentProcessingOptions) {
    this.#options = options
  }

  run(): Promise<void> {
    this.#loop = this.#work()
    return Promise.resolve()
  }

  /** There may be work: look now. */
  wake(): void {
    this.#alarm.abort()
  }

  async drain(): Promise<void> {
    this.#draining.abort()
    this.wake()
    await this.#loop
    await Promise.all(this.#open)
  }

  /** Stops listening to open calls; their payments are asked about by whoever takes them up next. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const call of this.#calls) call.abort(new Error('the process stops'))
    await this.drain()
  }

  async #work(): Promise<void> {
    const { clock, log, pollMs = 500 } = this.#options
    while (!this.#draining.signal.aborted) {
      // Made before looking, so that a wake that comes during the look is not lost.
      this.#alarm = new AbortController()
      const alarm = this.#alarm.signal
      const begun = await this.#begin().catch((error: unknown) => {
        log[levelOfFailure(error)]({ err: error }, 'payments could not be taken up')
        return 0
      })
      if (begun === 0 && !this.#draining.signal.aborted) await clock.wait(pollMs, alarm)
    }
  }

  /** Takes up as many payments as there is room for; answers how many rows that moved. */
  async #begin(): Promise<number> {
    const room = Math.min(claimMax, (this.#options.concurrencyMax ?? 100) - this.#open.size)
    if (room <= 0) return 0
    const { claimed, voided } = await claimPayments(this.#options.sql, room)
    for (const payment of claimed) this.#carry(payment)
    return claimed.length + voided
  }

  #carry(payment: ClaimedPayment): void {
    const { log } = this.#options
    const carried = this.#carryThrough(payment)
      .catch((error: unknown) =>
        log[levelOfFailure(error)]({ err: error, payment: payment.id }, 'payment not recorded'),
      )
      .finally(() => {
        this.#open.delete(carried)
        // There is room again, and a refund that follows from this is due at once.
        this.wake()
      })
    this.#open.add(carried)
  }

  /** Rejects only when the outcome could not be written down; then the claim runs out and somebody asks again. */
  async #carryThrough(payment: ClaimedPayment): Promise<void> {
    const { sql, log, random, hurry } = this.#options
    try {
      if (payment.state === 'refunding') return await this.#refund(payment)
      const outcome = await this.#outcome(payment)
      const entry = await recordOutcome(sql, payment, outcome)
      if (entry !== undefined) hurry(entry)
    } catch (error) {
      if (this.#stopped) return
      const delayMs = backoffMs(payment.attempts, random())
      // How many there are is said once, by a condition.
      log.debug(
        { err: error, payment: payment.id, order: payment.orderId, delayMs },
        'payment outcome not known',
      )
      await recordUnknown(sql, payment, delayMs)
    }
  }

  /** Asks before charging again: the provider knows best what became of the call whose answer was lost. */
  async #outcome(payment: ClaimedPayment): Promise<ChargeOutcome> {
    const { provider } = this.#options
    const { chargeKey: key, orderId, amountMinor, currency, method } = payment
    if (payment.state === 'unknown') {
      const found = await this.#call((signal) => provider.lookup({ orderId, key }, signal))
      if (found.outcome !== 'none') return found
    }
    return this.#call((signal) => provider.charge({ key, orderId, amountMinor, currency, method }, signal))
  }

  async #refund(payment: ClaimedPayment): Promise<void> {
    const { refundKey: key, chargeKey, amountMinor } = payment
    await this.#call((signal) => this.#options.provider.refund({ key, chargeKey, amountMinor }, signal))
    await recordRefunded(this.#options.sql, payment)
  }

  /** Rejects after the time-out also when the provider ignores its signal. */
  async #call<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, onUnheard, timeoutMs = callTimeoutMs } = this.#options
    const call = new AbortController()
    const answered = new AbortController()
    this.#calls.add(call)
    void clock.wait(timeoutMs, answered.signal).then(() => {
      if (!answered.signal.aborted) call.abort(new Error(`no answer within ${timeoutMs} ms`))
    })
    try {
      return await orAborted(work(call.signal), call.signal)
    } catch (error) {
      if (!this.#stopped) onUnheard(error)
      throw error
    } finally {
      answered.abort()
      this.#calls.delete(call)
    }
  }
}
