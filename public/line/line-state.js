/** @import { QueueEvent, QueueJoined } from '../../src/domain/queue/queue-messages.ts' */
/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { Problem } from '../live/problem.js' */

/**
 * One buyer in one sale. Where they are:
 *
 * | at        | what is true                                                                                  |
 * |-----------|-----------------------------------------------------------------------------------------------|
 * | loading   | the sale, or whether there is a place, is being asked                                         |
 * | missing   | there is no such sale                                                                         |
 * | outside   | no place; `isReady` says that the buyer wants one as soon as the sale opens                   |
 * | joining   | a place, or to take part in the draw, is being asked for                                      |
 * | entered   | takes part in the draw at the opening                                                         |
 * | waiting   | in line; `told` is what the server said last, at `toldAtMs`                                   |
 * | leaving   | the place is being given back on purpose                                                      |
 * | aside     | was away at their turn; being connected brings them back to the front                         |
 * | admitted  | may buy until `admission.expiresAt`                                                           |
 * | expired   | the time to buy is over; `isShopping` while the till has something to show still              |
 * | fulfilled | has all that one account may have; `isShopping` likewise                                      |
 * | closed    | the sale is over                                                                              |
 *
 * Whether the sale is paused or sold out lies over that, as `sale.status`.
 *
 * @typedef {Extract<QueueEvent, { type: 'position' }>['data']} Told
 * @typedef {{ token: string, expiresAt: string, admittedAt: string }} Admission
 * @typedef {{ position: number, atMs: number }} Start where the line was joined, for how far one has come
 *
 * @typedef {{ at: 'loading' | 'missing' | 'joining' | 'leaving' | 'closed' }
 *   | { at: 'outside', isReady: boolean, problem: Problem | undefined }
 *   | { at: 'entered', entry: string, entrants: number, opensAt: string }
 *   | { at: 'waiting', told: Told | undefined, toldAtMs: number, start: Start }
 *   | { at: 'aside', until: string, start: Start | undefined }
 *   | { at: 'admitted', admission: Admission }
 *   | { at: 'expired' | 'fulfilled', admission: Admission | undefined, isShopping: boolean }} Place
 *
 * @typedef {object} LineState
 * @property {SaleView | undefined} sale
 * @property {Place} place
 * @property {Start | undefined} start kept from an earlier visit
 */

/**
 * @typedef {{ type: 'sale', sale: SaleView }
 *   | { type: 'missing' }
 *   | { type: 'stranger' }
 *   | { type: 'join' }
 *   | { type: 'ready', isReady: boolean }
 *   | { type: 'joined', data: QueueJoined, atMs: number }
 *   | { type: 'refused', problem: Problem }
 *   | { type: 'leave' }
 *   | { type: 'left' }
 *   | { type: 'unsure' }
 *   | { type: 'finished' }
 *   | { type: 'told', event: QueueEvent, atMs: number, before: Before }} LineEvent
 * What happens: the buyer, the answers of the server, and (`told`) what flows from it. `unsure`: the server is asked again.
 *
 * @typedef {'waiting' | 'admitted' | undefined} Before what this browser knew of the place when it was last here
 */

/** @param {Start} [start] @returns {LineState} */
export function firstState(start) {
  return { sale: undefined, place: { at: 'loading' }, start }
}

/** @param {LineState} state @param {LineEvent} event @returns {LineState} */
export function nextState(state, event) {
  switch (event.type) {
    case 'sale':
      return withSale(state, event.sale)
    case 'missing':
      return { ...state, place: { at: 'missing' } }
    case 'stranger':
      return state.place.at === 'loading' ? { ...state, place: outside() } : state
    case 'ready':
      return state.place.at === 'outside' ? { ...state, place: outside(event) } : state
    case 'join':
      return mayJoin(state.place) ? { ...state, place: { at: 'joining' }, start: undefined } : state
    case 'joined':
      return joined(state, event)
    case 'refused':
      return state.place.at === 'joining' ? refused(state, event.problem) : state
    case 'leave':
      return { ...state, place: { at: 'leaving' } }
    case 'unsure':
      return { ...state, place: { at: 'loading' } }
    case 'left':
      return { ...state, place: outside(), start: undefined }
    case 'finished':
      return finished(state)
    case 'told':
      return told(state, event)
  }
}

/** Whether the sale lets people join now, by its own time and not only by what was read of it. @param {SaleView} sale @param {number} nowMs */
export function isOpenAt(sale, nowMs) {
  return sale.status !== 'scheduled' ? sale.status !== 'draft' : Date.parse(sale.opensAt) <= nowMs
}

/** @param {{ isReady?: boolean, problem?: Problem }} [how] @returns {Place} */
function outside({ isReady = false, problem } = {}) {
  return { at: 'outside', isReady, problem }
}

/** @param {Place} place */
function mayJoin({ at }) {
  return at === 'outside' || at === 'expired' || at === 'fulfilled' || at === 'loading'
}

/** @param {LineState} state @param {SaleView} sale @returns {LineState} */
function withSale(state, sale) {
  const isOver = sale.status === 'closed' && !isShopping(state.place)
  return { ...state, sale, place: isOver ? { at: 'closed' } : state.place }
}

/** @param {Place} place */
function isShopping(place) {
  return place.at === 'admitted' || ('isShopping' in place && place.isShopping)
}

/** @param {LineState} state @param {Extract<LineEvent, { type: 'joined' }>} event @returns {LineState} */
function joined(state, { data, atMs }) {
  // What flows may have been quicker than the answer, and is newer then.
  if (state.place.at !== 'joining') return state
  if (data.state === 'entered') {
    const { entry, entrants, opensAt } = data
    return { ...state, place: { at: 'entered', entry, entrants, opensAt } }
  }
  if (data.state === 'admitted') return { ...state, place: { at: 'admitted', admission: admissionOf(data) } }
  const start = state.start ?? { position: data.position, atMs }
  const { position, behind, etaSeconds } = data
  const { ratePerMinute = 0 } = state.sale?.queue ?? {}
  const ahead = position - 1
  const known = { position, ahead, behind, etaSeconds, ratePerMinute, pacePerMinute: 0, left: -1 }
  return { ...state, start, place: { at: 'waiting', told: known, toldAtMs: atMs, start } }
}

/** @param {LineState} state @param {Problem} problem @returns {LineState} */
function refused(state, problem) {
  if (problem.code === 'sale_closed') return { ...state, place: { at: 'closed' } }
  if (problem.code === 'no_such_sale') return { ...state, place: { at: 'missing' } }
  if (problem.code !== 'limit_reached') return { ...state, place: outside({ problem }) }
  return { ...state, place: { at: 'fulfilled', admission: undefined, isShopping: false } }
}

/** @param {LineState} state @returns {LineState} */
function finished(state) {
  const { place } = state
  if (!('isShopping' in place)) return state
  return { ...state, place: { ...place, isShopping: false } }
}

/** @param {LineState} state @param {Extract<LineEvent, { type: 'told' }>} event @returns {LineState} */
function told(state, { event, atMs, before }) {
  switch (event.type) {
    case 'position': {
      const start = startOf(state, event.data.position, atMs)
      return { ...state, start, place: { at: 'waiting', told: event.data, toldAtMs: atMs, start } }
    }
    case 'admitted':
      return { ...state, place: { at: 'admitted', admission: admissionOf(event.data) } }
    case 'entered':
      return { ...state, place: { at: 'entered', ...event.data } }
    case 'aside':
      return { ...state, place: { at: 'aside', until: event.data.until, start: state.start } }
    case 'expired':
    case 'fulfilled':
      return { ...state, place: ended(state.place, event.type) }
    case 'absent':
      return absent(state, before)
    case 'notice':
      return withNotice(state, event.data)
    case 'paused':
    case 'soldout':
      return withStatus(state, event.type)
    case 'resumed':
      return withStatus(state, 'open')
    case 'closed':
      return {
        ...withStatus(state, 'closed'),
        place: isShopping(state.place) ? ended(state.place, 'expired') : { at: 'closed' },
      }
  }
}

/** Whoever was put back further behind begins anew, so that nobody has come less far than nothing. @param {LineState} state @param {number} position @param {number} atMs @returns {Start} */
function startOf({ start }, position, atMs) {
  return start === undefined || start.position < position ? { position, atMs } : start
}

/** @param {Place} place @param {'expired' | 'fulfilled'} at @returns {Place} */
function ended(place, at) {
  const admission = 'admission' in place ? place.admission : undefined
  return { at, admission, isShopping: isShopping(place) }
}

/**
 * The server knows no place of ours. Whoever was in line asks for it again, with the ticket; whoever was let in has
 * had their time; everybody else may join.
 * @param {LineState} state @param {Before} before @returns {LineState}
 */
function absent(state, before) {
  const { place } = state
  if (place.at === 'waiting' || place.at === 'aside' || place.at === 'entered')
    return { ...state, place: { at: 'joining' } }
  if (place.at === 'admitted') return { ...state, place: ended(place, 'expired') }
  if (place.at === 'leaving') return { ...state, place: outside(), start: undefined }
  if (place.at !== 'loading') return state
  if (before === 'waiting') return { ...state, place: { at: 'joining' } }
  if (before === 'admitted') return { ...state, place: ended(place, 'expired') }
  return { ...state, place: outside() }
}

/** @param {LineState} state @param {SaleView['status']} status @returns {LineState} */
function withStatus(state, status) {
  return state.sale === undefined ? state : { ...state, sale: { ...state.sale, status } }
}

/** @param {LineState} state @param {{ text: string, at: string }} notice @returns {LineState} */
function withNotice(state, notice) {
  if (state.sale === undefined) return state
  return { ...state, sale: { ...state.sale, notice: notice.text === '' ? null : notice } }
}

/** @param {{ purchaseToken: string, expiresAt: string, admittedAt: string }} told @returns {Admission} */
function admissionOf({ purchaseToken, expiresAt, admittedAt }) {
  return { token: purchaseToken, expiresAt, admittedAt }
}
