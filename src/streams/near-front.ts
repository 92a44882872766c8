import { etaSeconds } from '../domain/queue/queue-place.ts'
import type { QueueStore } from '../domain/queue/queue-store.ts'
import type { Sale } from '../domain/sales/sale.ts'

/** Accounts named in one call. */
const portion = 500

/** Those who listen here and whose turn comes soon: of them, and only of them, it matters whether they are there. */
export class NearFront {
  readonly #queue: Pick<QueueStore, 'present'>
  readonly #saleId: string
  readonly #accountIds = new Set<string>()

  constructor(options: { queue: Pick<QueueStore, 'present'>; saleId: string }) {
    this.#queue = options.queue
    this.#saleId = options.saleId
  }

  note(accountId: string, isNear: boolean): void {
    if (isNear) this.#accountIds.add(accountId)
    else this.#accountIds.delete(accountId)
  }

  async sayAll(): Promise<void> {
    await this.say([...this.#accountIds])
  }

  /** Says of these accounts that they are there; whoever was set aside is first in line again. */
  async say(accountIds: readonly string[]): Promise<void> {
    for (let at = 0; at < accountIds.length; at += portion) {
      await this.#queue.present(this.#saleId, accountIds.slice(at, at + portion))
    }
  }

  clear(): void {
    this.#accountIds.clear()
  }
}

/**
 * Whether one's turn may come within twice the grace: by the pace that is set, because a gate that waits for room goes on
 * at it as soon as there is some.
 */
export function isNear(ahead: number, { queue }: Sale): boolean {
  return etaSeconds(ahead, queue.ratePerMinute) < 2 * queue.graceSeconds
}
