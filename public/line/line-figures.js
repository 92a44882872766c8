/** @import { Told } from './line-state.js' */

/** What a waiter was told is never older than this part of the wait that is left. */
const staleness = 0.05

/**
 * The position to show between two words of the server: it goes on at the pace of the gate, and is never further ahead
 * of what was told than a word may be old. Nobody is shown to be next who was not told so, and nobody is moved back
 * because the gate was a little slower than thought.
 * @param {Told} told
 * @param {{ sinceMs: number, isMoving: boolean, shown: number | undefined }} now `shown` until now
 */
export function shownPosition(told, { sinceMs, isMoving, shown }) {
  const least = Math.max(Math.min(told.position, 2), told.position - Math.floor(told.ahead * staleness))
  const gone = isMoving ? (paceOf(told) * Math.max(0, sinceMs)) / 60_000 : 0
  const now = Math.max(least, Math.ceil(told.position - gone))
  return shown !== undefined && shown >= least && shown < now ? shown : now
}

/** How many are really let in in a minute, as far as that is known; never more than the pace set. @param {Told} told */
function paceOf({ ratePerMinute, pacePerMinute }) {
  return pacePerMinute === 0 ? 0 : Math.min(ratePerMinute, pacePerMinute)
}

/**
 * The wait as a range, in seconds: at the pace that is set, and at the one measured within the last minute. What the
 * server expects lies within.
 * @param {Told} told
 * @returns {{ fromSeconds: number, toSeconds: number }}
 */
export function waitRange({ ahead, etaSeconds, ratePerMinute, pacePerMinute }) {
  const best = ratePerMinute === 0 ? etaSeconds : (ahead * 60) / ratePerMinute
  const measured = pacePerMinute === 0 ? etaSeconds : (ahead * 60) / pacePerMinute
  // A minute that has only begun counts few, which says nothing about hours.
  const worst = Math.min(measured, 3 * Math.max(etaSeconds, best))
  return {
    fromSeconds: Math.round(Math.min(best, etaSeconds)),
    toSeconds: Math.round(Math.max(worst, etaSeconds)),
  }
}

/** @typedef {{ unit: 'seconds' | 'minutes' | 'hours', from: number, to: number }} RoundedRange */

/** In whole units, as one would say it: nobody waits 187 to 251 seconds. @param {{ fromSeconds: number, toSeconds: number }} range @returns {RoundedRange} */
export function roundedRange({ fromSeconds, toSeconds }) {
  const [unit, size] =
    toSeconds < 90
      ? /** @type {const} */ (['seconds', 10])
      : toSeconds < 5400
        ? /** @type {const} */ (['minutes', 60])
        : /** @type {const} */ (['hours', 3600])
  const step = unit === 'seconds' ? 10 : 1
  const to = Math.max(1, Math.ceil(toSeconds / size)) * step
  const from = Math.min(to, Math.floor(fromSeconds / size) * step)
  return { unit, from, to }
}

/** How far one has come since joining, from 0 to 1. @param {number} position @param {number} startPosition */
export function progress(position, startPosition) {
  if (startPosition <= 1) return 1
  return Math.min(1, Math.max(0, 1 - (position - 1) / (startPosition - 1)))
}

/**
 * The position that a screen reader last read out, or the one it is to read now: each of the last five, before them
 * only when a quarter of the way is gone.
 * @param {number | undefined} said @param {number} position
 */
export function saidPosition(said, position) {
  if (said === undefined || position > said || position <= 5) return position
  return position <= said * 0.75 ? position : said
}
