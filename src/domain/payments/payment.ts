/**
 * The payment of an order, one row each, which is also the work of whoever holds the role `payments`:
 *
 * | state     | what is true                                                        | goes on to                     |
 * |-----------|---------------------------------------------------------------------|--------------------------------|
 * | queued    | the provider was never asked                                        | calling, void                  |
 * | calling   | a charge was sent, or is about to be; the order is `paying`         | approved, refused, unknown     |
 * | unknown   | a charge was sent and its outcome was not heard                     | approved, refused              |
 * | approved  | the money is ours and the order is `booked`                         | refunding                      |
 * | refused   | no money moved and the order is `refused`                           |                                |
 * | void      | never asked: the order had ended first                              |                                |
 * | refunding | the money is ours and must go back                                  | refunded                       |
 * | refunded  | the money is back                                                   |                                |
 *
 * `calling` and `unknown` go to `refunding` at once when the charge turns out approved for an order that has ended.
 * A `calling` row nobody finishes in time belonged to a process that died, and counts as `unknown`. Keys for charge
 * and refund are stored before the first call, so each call can be repeated by anybody without doing it twice.
 */
export type PaymentState =
  | 'queued'
  | 'calling'
  | 'unknown'
  | 'approved'
  | 'refused'
  | 'void'
  | 'refunding'
  | 'refunded'

/** A row taken up by one process, which has `claimMs` to finish before another may take it. */
export interface ClaimedPayment {
  readonly id: string
  readonly orderId: string
  readonly state: 'calling' | 'unknown' | 'refunding'
  readonly method: string
  readonly amountMinor: number
  readonly currency: string
  readonly chargeKey: string
  readonly refundKey: string
  /** Raised by each claim; a process that was away too long is known by it. */
  readonly attempts: number
}

/** Longer than a look-up and a charge may take together. */
export const claimMs = 15_000
export const callTimeoutMs = 5000

const backoffFirstMs = 500
const backoffMostMs = 60_000

/** The pause after the n-th attempt (from 1): doubling from half a second to a minute, spread by up to a half. */
export function backoffMs(attempts: number, random: number): number {
  const full = Math.min(backoffMostMs, backoffFirstMs * 2 ** Math.min(attempts - 1, 20))
  return Math.round(full * (0.5 + random / 2))
}
