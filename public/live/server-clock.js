import { signal } from '/vendor/signals.js'
import { call } from './calls.js'
import { ClockReadings } from './clock-readings.js'

/** Milliseconds since 1970 by the server's clock, as well as we know it. */
export function serverNow() {
  return ownNow() + readings.aheadMs
}

/** The server's time, told each second; what shows a countdown reads it and is drawn anew. */
export const second = signal(0)

/** Begins to keep the server's time. To be called once by a page. */
export function keepServerTime() {
  second.value = serverNow()
  // Shortly after each full second, so that a countdown never shows a second twice.
  const tick = () => {
    second.value = serverNow()
    setTimeout(tick, 1010 - (second.value % 1000))
  }
  tick()
  void readClock()
  setInterval(() => void readClock(), againMs)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void readClock()
  })
}

const readings = new ClockReadings()
const againMs = 5 * 60_000

/** Does not jump when somebody sets the clock of the device. */
const ownNow = () => performance.timeOrigin + performance.now()

async function readClock() {
  readings.forget()
  for (let reading = 0; reading < 3; reading++) {
    try {
      const sentMs = ownNow()
      /** @type {{ now: string }} */
      const { now } = await call('/time', { withinMs: 0 })
      readings.add({ sentMs, heardMs: ownNow(), serverMs: Date.parse(now) })
    } catch {
      return // Counted on from what was read before.
    }
  }
  second.value = serverNow()
}
