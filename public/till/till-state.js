/** @import { OrderMessage } from '../../src/domain/orders/order-messages.ts' */
/** @import { HoldView } from '../../src/domain/units/unit-messages.ts' */

/**
 * What a buyer has in one sale, in three steps: units that are chosen (nobody else knows of it), holds (theirs for some
 * minutes), orders (theirs as soon as they are paid). A unit is in one of them.
 *
 * @typedef {HoldView['hold'] & { busy: '' | 'ordering' | 'extending' | 'releasing' }} Held
 *
 * @typedef {object} TillState
 * @property {ReadonlyMap<string, number>} chosen how many places of each unit, by code
 * @property {boolean} isTaking what is chosen is just being held
 * @property {readonly Held[]} holds the one that ends first comes first
 * @property {readonly OrderMessage[]} orders made here or found unfinished; the newest first
 * @property {readonly string[]} standing units of this account's other orders in this sale, once for each place
 * @property {TillNews | undefined} news what the buyer has to be told
 * @property {boolean} isRead whether the server was asked for what was there before
 *
 * @typedef {object} TillNews
 * @property {string} code of a problem, or `lost` (others were quicker), `hold_ended`, `hold_extended`, `released`
 * @property {readonly string[]} units that it is about
 * @property {readonly string[]} [nearest] units to choose instead
 */

/** @type {TillState} */
export const emptyTill = {
  chosen: new Map(),
  isTaking: false,
  holds: [],
  orders: [],
  standing: [],
  news: undefined,
  isRead: false,
}

/** How many places more this account may choose. @param {TillState} state @param {number} maxPerAccount */
export function placesLeft(state, maxPerAccount) {
  const held = state.holds.reduce((sum, { units }) => sum + placesOf(units), 0)
  const ordered = state.orders.reduce((sum, order) => sum + standingUnits(order).length, 0)
  const chosen = [...state.chosen.values()].reduce((sum, quantity) => sum + quantity, 0)
  return Math.max(0, maxPerAccount - state.standing.length - held - ordered - chosen)
}

/**
 * Chooses a unit, or not any more with quantity 0.
 * @param {TillState} state
 * @param {{ code: string, quantity: number, maxPerAccount: number, isOnly?: boolean }} choice `isOnly` unchooses all others
 * @returns {TillState}
 */
export function choose(state, { code, quantity, maxPerAccount, isOnly = false }) {
  if (state.isTaking) return state
  const others = new Map(isOnly ? [] : [...state.chosen].filter(([other]) => other !== code))
  if (quantity === 0) return { ...state, chosen: others, news: undefined }
  const room = placesLeft({ ...state, chosen: others }, maxPerAccount)
  if (quantity > room) return { ...state, news: { code: 'limit_reached', units: [] } }
  return { ...state, chosen: others.set(code, quantity), news: undefined }
}

/** What others have taken meanwhile is not chosen any more. @param {TillState} state @param {(code: string) => number} leftOf @returns {TillState} */
export function withoutTaken(state, leftOf) {
  // While the hold is being asked for, it is our own hand that takes them.
  if (state.isTaking) return state
  const lost = [...state.chosen].filter(([code, quantity]) => leftOf(code) < quantity).map(([code]) => code)
  return lost.length === 0 ? state : { ...without(state, lost), news: { code: 'lost', units: lost } }
}

/** @param {TillState} state @returns {TillState} */
export function taking(state) {
  return { ...state, isTaking: true, news: undefined }
}

/** @param {TillState} state @param {HoldView['hold']} hold @returns {TillState} */
export function taken(state, hold) {
  return { ...withHold(state, hold), isTaking: false, chosen: new Map() }
}

/** What is told of units that cannot be had, so that they are chosen no longer. */
const lostCodes = new Set(['unit_taken', 'fully_booked', 'already_booked', 'already_held'])

/** @param {TillState} state @param {TillNews} news @returns {TillState} */
export function notTaken(state, news) {
  const rest = lostCodes.has(news.code) ? without(state, news.units) : state
  return { ...rest, isTaking: false, news }
}

/** A hold is there, or has changed. @param {TillState} state @param {HoldView['hold']} hold @returns {TillState} */
export function withHold(state, hold) {
  const others = state.holds.filter(({ id }) => id !== hold.id)
  const holds = [...others, { ...hold, busy: /** @type {const} */ ('') }]
  return { ...state, holds: holds.toSorted((a, b) => Date.parse(a.expiresAt) - Date.parse(b.expiresAt)) }
}

/** @param {TillState} state @param {string} holdId @param {Held['busy']} busy @returns {TillState} */
export function busyWith(state, holdId, busy) {
  const holds = state.holds.map((hold) => (hold.id === holdId ? { ...hold, busy } : hold))
  return { ...state, holds, news: undefined }
}

/** @param {TillState} state @param {string} holdId @param {string} code why @returns {TillState} */
export function withoutHold(state, holdId, code) {
  const gone = state.holds.find(({ id }) => id === holdId)
  if (gone === undefined) return state
  const holds = state.holds.filter((hold) => hold !== gone)
  return { ...state, holds, news: { code, units: codesOf(gone.units) } }
}

/** What the server says is held; what is just being ordered may be missing there already. @param {TillState} state @param {readonly HoldView['hold'][]} items @returns {TillState} */
export function holdsRead(state, items) {
  const there = new Set(items.map(({ id }) => id))
  const gone = state.holds.filter(({ id, busy }) => !there.has(id) && busy === '')
  const all = items.reduce(
    (now, hold) =>
      now.holds.some(({ id, busy }) => id === hold.id && busy !== '') ? now : withHold(now, hold),
    state,
  )
  return gone.reduce((now, { id }) => withoutHold(now, id, 'hold_ended'), all)
}

/** @param {TillState} state @param {{ order: OrderMessage, holdId?: string }} made @returns {TillState} */
export function ordered(state, { order, holdId }) {
  const holds = state.holds.filter(({ id }) => id !== holdId)
  return withOrder(
    { ...state, holds, isTaking: false, chosen: holdId === undefined ? new Map() : state.chosen },
    order,
  )
}

/** An order is there, or has changed. An ended one never goes back: an answer may be older than what is known. @param {TillState} state @param {OrderMessage} order @returns {TillState} */
export function withOrder(state, order) {
  const known = state.orders.find(({ id }) => id === order.id)
  if (known === undefined) return { ...state, orders: [order, ...state.orders] }
  if (!isUnfinished(known) && isUnfinished(order)) return state
  return { ...state, orders: state.orders.map((other) => (other === known ? order : other)) }
}

/** What this account had ordered before. @param {TillState} state @param {readonly OrderMessage[]} orders of this sale @returns {TillState} */
export function ordersRead(state, orders) {
  const known = new Set(state.orders.map(({ id }) => id))
  const others = orders.filter(({ id }) => !known.has(id))
  const unfinished = others.filter(isUnfinished)
  const standing = others.filter((order) => !isUnfinished(order)).flatMap(standingUnits)
  return unfinished.reduceRight(withOrder, { ...state, standing, isRead: true })
}

/** The buyer has seen how an order ended. @param {TillState} state @param {string} orderId @returns {TillState} */
export function withoutOrder(state, orderId) {
  const order = state.orders.find(({ id }) => id === orderId)
  if (order === undefined || isUnfinished(order)) return state
  const orders = state.orders.filter((other) => other !== order)
  return { ...state, orders, standing: [...state.standing, ...standingUnits(order)] }
}

/** It is not known yet what becomes of it. @param {OrderMessage} order */
export function isUnfinished({ status }) {
  return status === 'saving' || status === 'pending' || status === 'paying'
}

/** @param {readonly { unit: string }[]} units */
export function codesOf(units) {
  return units.map(({ unit }) => unit)
}

/** @param {TillState} state @param {readonly string[]} codes @returns {TillState} */
function without(state, codes) {
  return { ...state, chosen: new Map([...state.chosen].filter(([code]) => !codes.includes(code))) }
}

/** @param {readonly { quantity: number }[]} units */
function placesOf(units) {
  return units.reduce((sum, { quantity }) => sum + quantity, 0)
}

/** Whether a booking of the unit stands. @param {TillState} state @param {string} code */
export function hasBooked({ standing, orders }, code) {
  return standing.includes(code) || orders.some((order) => standingUnits(order).includes(code))
}

/** @param {OrderMessage} order */
function standingUnits({ bookings }) {
  return codesOf(bookings.filter(stands))
}

/** @param {OrderMessage['bookings'][number]} booking */
function stands({ status }) {
  return status === 'pending' || status === 'booked'
}
