import { useEffect, useRef, useState } from '/vendor/preact-hooks.js'
import { second, serverNow } from '../live/server-clock.js'
import { BestSeats } from '../hall/best-seats.js'
import { classColorToken } from '../hall/hall-colors.js'
import { HallMap } from '../hall/hall-map.js'
import { SeatList } from '../hall/seat-list.js'
import { formatLeft } from '../shell/formats.js'
import { html } from '../shell/html.js'
import { money, number } from '../shell/said.js'
import { SlotsCalendar } from '../slots/slots-calendar.js'
import { hallWords } from '../words/hall-words.js'
import { problemText } from '../words/problem-words.js'
import { tillWords } from '../words/till-words.js'
import { ChoiceCard } from './choice-card.js'
import { HoldCard } from './hold-card.js'
import { OrderCard } from './order-card.js'
import { openPlaces } from './places.js'
import { TillNews } from './till-news.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { FreeSeats } from '../hall/free-seats.js' */
/** @import { HallSeats } from '../hall/hall-seats.js' */
/** @import { Places } from './places.js' */

/**
 * @typedef {object} SalePlacesProps
 * @property {SaleView} sale
 * @property {{ token: string, expiresAt: string } | null} admission null: looking only
 * @property {null | 'expired' | 'fulfilled' | 'closed' | 'soldout'} over why the admission has ended
 * @property {() => void} onFinished there is nothing (more) to show of an admission that has ended
 * @property {() => void} onAdmissionOver the server says that there is no admission
 */

/** The places of a sale, from choosing to the ticket. @param {SalePlacesProps} props */
export function SalePlaces(props) {
  const words = tillWords.value
  const [places, setPlaces] = useState(/** @type {Places | undefined} */ (undefined))
  const [failure, setFailure] = useState(/** @type {unknown} */ (undefined))
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let isOver = false
    /** @type {Places | undefined} */
    let opened
    openPlaces(props.sale).then(
      (found) => {
        opened = found
        if (isOver) found.end()
        else setPlaces(found)
      },
      (thrown) => setFailure(thrown),
    )
    return () => {
      isOver = true
      opened?.end()
    }
  }, [props.sale.id, attempt])
  if (places !== undefined) return html`<${Shop} ...${props} places=${places} />`
  if (failure === undefined)
    return html`<div class="card bone places-bone" role="status">${words.loading}</div>`
  const retry = () => {
    setFailure(undefined)
    setAttempt(attempt + 1)
  }
  return html`<div class="quiet-card" role="alert">
    <p>${words.failed} ${problemText(failure)}</p>
    <button type="button" onClick=${retry}>${words.retry}</button>
  </div>`
}

/** @param {SalePlacesProps & { places: Places }} props */
function Shop({ places, admission, over, onFinished, onAdmissionOver }) {
  const { holds, orders, isRead, isTaking } = places.state.value
  const token = over === null ? admission?.token : undefined
  useEffect(
    () => places.admit({ token, mayChoose: token !== undefined, onAdmissionOver }),
    [token, onAdmissionOver],
  )
  // What is just being asked for may end the admission before its answer is here.
  const isFinished = over !== null && isRead && !isTaking && orders.length === 0 && holds.length === 0
  useEffect(() => {
    if (isFinished) onFinished()
  }, [isFinished])
  useEffect(() => {
    // What was held without an order ends with the admission; the server knows.
    if (over !== null) void places.till.readHolds()
  }, [over])
  const mine = html`<div class="till" tabindex="-1" ref=${useNewsInSight(holds.length + orders.length)}>
    <${TillNews} places=${places} />
    ${orders.map((order) => html`<${OrderCard} key=${order.id} places=${places} order=${order} isOver=${over !== null} />`)}
    ${holds.map((hold) => html`<${HoldCard} key=${hold.id} places=${places} hold=${hold} />`)}
    ${token !== undefined && html`<${ChoiceCard} places=${places} />`}
  </div>`
  if (over !== null) return html`<div class="places over">${mine}</div>`
  return html`
    ${admission === null ? html`<p class="notice looking">${tillWords.value.lookingOnly}</p>` : html`<${TimeToBuy} expiresAt=${admission.expiresAt} />`}
    <div class="places">
      <div class="places-main"><${Offer} places=${places} /></div>
      <div class="places-side">
        ${mine}
        <${Side} places=${places} isBuying=${token !== undefined} />
      </div>
    </div>
  `
}

/**
 * Whoever has reserved or booked something from further down the page is brought to what came of it.
 * @param {number} count of holds and orders
 */
function useNewsInSight(count) {
  const till = useRef(/** @type {HTMLElement | null} */ (null))
  const before = useRef(count)
  useEffect(() => {
    const hasMore = count > before.current
    before.current = count
    if (!hasMore || till.current === null) return
    till.current.focus({ preventScroll: true })
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
    till.current.scrollIntoView({ block: 'nearest', behavior: isCalm ? 'auto' : 'smooth' })
  }, [count])
  return till
}

/** @param {{ places: Places }} props */
function Offer({ places }) {
  const { hall, slots } = places.units
  if (slots) return html`<${SlotsCalendar} places=${places} slots=${slots} />`
  if (!hall || !places.free) return null
  return html`
    <a class="skip-list small-text" href="#seat-list">${hallWords.value.toList}</a>
    <${HallMap} places=${places} hall=${hall} />
    <${Legend} places=${places} hall=${hall} free=${places.free} />
  `
}

/** @param {{ places: Places, isBuying: boolean }} props */
function Side({ places, isBuying }) {
  const { hall } = places.units
  if (!hall || !places.free) return null
  return html`
    ${isBuying && html`<${BestSeats} places=${places} hall=${hall} />`}
    <${SeatList} places=${places} hall=${hall} free=${places.free} />
  `
}

/** @param {{ places: Places, hall: HallSeats, free: FreeSeats }} props */
function Legend({ places, hall, free }) {
  const words = hallWords.value
  void places.pulse.value
  const { currency } = places.sale
  return html`<div class="legend small-text">
    <ul>
      ${hall.priceClasses.map(
        ({ name, priceMinor }, index) =>
          html`<li>
            <span class="class-dot" style=${{ background: classColorToken(index) }}></span>
            <b>${name}</b>
            ${priceMinor === 0 ? tillWords.value.free : money({ amountMinor: priceMinor, currency })}
            <span class="muted figures">${words.freeCount(number(free.byClass[index] ?? 0))}</span>
          </li>`,
      )}
    </ul>
    <ul class="legend-states" aria-hidden="true">
      ${
        /** @type {const} */ (['free', 'held', 'sold', 'chosen', 'mine']).map(
          (state) => html`<li><span class=${`state-dot ${state}`}></span>${words.states[state]}</li>`,
        )
      }
    </ul>
  </div>`
}

/** By the server's clock. @param {{ expiresAt: string }} props */
function TimeToBuy({ expiresAt }) {
  void second.value
  const leftMs = Date.parse(expiresAt) - serverNow()
  return html`<p class=${`time-to-buy ${leftMs < 60_000 ? 'soon' : ''}`}>
    ${tillWords.value.timeToBuy} <b class="figures" role="timer">${formatLeft(leftMs)}</b>
  </p>`
}
