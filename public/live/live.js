import { signal } from '/vendor/signals.js'
import { becomeGuest } from './account.js'
import { call } from './calls.js'
import { readEvents } from './event-stream.js'
import { LiveLink } from './live-link.js'
import { SocketWire } from './socket-wire.js'
import { StreamWire } from './stream-wire.js'

/** @import { Connection } from './live-link.js' */

/** How the page is connected; what shows it reads it and is drawn anew. */
export const connection = signal(
  /** @type {Connection} */ ({ state: 'idle', via: 'socket', heardAtMs: 0, nextTryAtMs: 0 }),
)

const timers = {
  nowMs: () => Date.now(),
  /** @param {() => void} work @param {number} ms */
  after: (work, ms) => {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  },
}

/** The live connection of this page. */
export const live = new LiveLink({
  timers,
  random: Math.random,
  renewAccount: () => becomeGuest({ instead: true }),
  isReachable: () =>
    call('/time', { withinMs: 0 }).then(
      () => true,
      () => false,
    ),
  wire: (kind, events) =>
    kind === 'socket'
      ? new SocketWire(events, {
          timers,
          open: () => new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`),
        })
      : new StreamWire(events, { timers, pathOf: streamPath, read: readEvents }),
  onChange: (now) => (connection.value = now),
})

globalThis.addEventListener('online', () => live.wake())
// A page that comes out of the back/forward cache may find its socket gone without a word.
globalThis.addEventListener('pageshow', () => live.wake())
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') live.wake()
})

/** Where a channel is streamed; `me` is not, so its pages look now and then. @param {string} ch @param {unknown} said */
function streamPath(ch, said) {
  const [prefix, name = ''] = ch.split(':')
  if (prefix === 'queue') return `/api/v1/sales/${name}/queue/stream`
  if (prefix === 'chat') return `/api/v1/stores/${name}/messages/stream`
  if (prefix !== 'units') return undefined
  const { watch = [] } = /** @type {{ watch?: string[] }} */ (said ?? {})
  const query = watch.length === 0 ? '' : `?watch=${watch.map(encodeURIComponent).join(',')}`
  return `/api/v1/sales/${name}/availability/stream${query}`
}
