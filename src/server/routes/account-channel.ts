import { Subject } from 'rxjs'
import type { Broker } from '../../streams/broker.ts'
import {
  accountChannel,
  accountNotice,
  accountNotices,
  type AccountNotice,
} from '../../streams/house-channels.ts'
import { defineChannel, type Channel } from '../channel.ts'

/** What happens to the caller's own orders, over a WebSocket. A lost notice is repaired by reading the order. */
export function meChannel({ broker }: { broker: Broker }): Channel {
  const listeners = new Map<string, Subject<AccountNotice>>()
  broker
    .messages(accountChannel, accountNotices)
    .subscribe((notices) => notices.forEach((notice) => listeners.get(notice.account)?.next(notice)))
  return defineChannel({
    prefix: 'me',
    summary: 'The outcome of my orders, as it happens. What was missed is found by reading the order.',
    auth: 'account',
    events: { order: accountNotice.shape.data.meta({ id: 'OrderNotice' }) },
    subscribe({ caller: { accountId }, send }) {
      const notices = listeners.get(accountId) ?? new Subject<AccountNotice>()
      listeners.set(accountId, notices)
      const subscription = notices.subscribe(({ type, data }) => send(type, data))
      return () => {
        subscription.unsubscribe()
        if (!notices.observed) listeners.delete(accountId)
      }
    },
  })
}
