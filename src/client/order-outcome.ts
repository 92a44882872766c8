import type { Observable } from 'rxjs'
import type { OrderMessage } from '../domain/orders/order-messages.ts'
import type { Time } from './client-ports.ts'

/** Orders of which more will be heard. */
const openStatuses: ReadonlySet<string> = new Set<OrderMessage['status']>(['saving', 'pending', 'paying'])

/** Whether more will be heard of an order. */
export function isOpen({ status }: Pick<OrderMessage, 'status'>): boolean {
  return openStatuses.has(status)
}

/** Reads an order until nothing more will be heard of it: ever more slowly, and at once when a notice of it comes. */
export async function orderOutcome(
  parts: {
    readonly read: () => Promise<OrderMessage>
    readonly mine$: Observable<unknown>
    readonly time: Time
    readonly random: () => number
  },
  signal?: AbortSignal,
): Promise<OrderMessage> {
  const { read, mine$, time, random } = parts
  let nudge = new AbortController()
  const onAbort = (): void => nudge.abort()
  signal?.addEventListener('abort', onAbort, { once: true })
  // Without notices the order is read all the same.
  const notices = mine$.subscribe({ next: () => nudge.abort(), error: () => undefined })
  try {
    for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 1.6, 4_000)) {
      const now = await read()
      if (!isOpen(now) || signal?.aborted === true) return now
      await time.wait(pauseMs * (0.75 + random() / 2), nudge.signal)
      nudge = new AbortController()
    }
  } finally {
    notices.unsubscribe()
    signal?.removeEventListener('abort', onAbort)
  }
}
