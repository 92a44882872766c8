import { useRef, useState } from '/vendor/preact-hooks.js'
import { connection } from '../live/live.js'
import { second } from '../live/server-clock.js'
import { html } from '../shell/html.js'
import { number, span } from '../shell/said.js'
import { SalePlaces } from '../till/sale-places.js'
import { saleWords } from '../words/sale-words.js'
import { LeaveButton } from './leave-button.js'
import { progress, roundedRange, saidPosition, shownPosition, waitRange } from './line-figures.js'
import { TurnCall } from './turn-call.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { Place, Told } from './line-state.js' */
/** @import { SaleVisit } from './sale-visit.js' */

/**
 * Where one waits: the position first, then how long, then everything else.
 * @param {{ visit: SaleVisit, sale: SaleView, place: Extract<Place, { at: 'waiting' | 'aside' }> }} props
 */
export function WaitingRoom({ visit, sale, place }) {
  const words = saleWords.value
  return html`<section class="room" aria-labelledby="place-label">
    ${sale.status === 'paused' && html`<p class="notice warning" role="status">${words.paused}</p>`}
    ${sale.status === 'soldout' && html`<p class="notice warning" role="status">${words.soldout}</p>`}
    ${
      place.at === 'aside'
        ? html`<p class="notice" role="status" id="place-label">${words.aside}</p>`
        : place.told !== undefined &&
          html`<${Standing} told=${place.told} place=${place} isMoving=${sale.status === 'open'} />`
    }
    <${Line} />
    <div class="room-foot"><${TurnCall} /><${LeaveButton} visit=${visit} /></div>
    <${Meanwhile} sale=${sale} />
  </section>`
}

/** @param {{ told: Told, place: Extract<Place, { at: 'waiting' }>, isMoving: boolean }} props */
function Standing({ told, place, isMoving }) {
  const words = saleWords.value
  void second.value
  const shown = useRef(/** @type {number | undefined} */ (undefined))
  const said = useRef(/** @type {number | undefined} */ (undefined))
  const isLive = connection.value.state === 'open'
  const position = shownPosition(told, {
    sinceMs: Date.now() - place.toldAtMs,
    isMoving: isMoving && isLive,
    shown: shown.current,
  })
  shown.current = position
  said.current = saidPosition(said.current, told.position)
  const digits = number(position)
  const done = progress(position, place.start.position)
  return html`
    <p class="hero-label" id="place-label">${words.yourPlace}</p>
    <p
      class=${isLive ? 'hero figures' : 'hero figures old'}
      data-position=${position}
      data-digits=${digits.length}
    >
      ${digits}
    </p>
    <p class="muted">${told.ahead === 0 ? words.next : words.behind(number(told.behind))}</p>
    <progress class="way" max="1" value=${done} aria-label=${words.progress}></progress>
    <dl class="facts">
      <div class="fact wide">
        <dt>${words.wait}</dt>
        <dd><${Wait} told=${{ ...told, ahead: position - 1 }} isMoving=${isMoving} /></dd>
      </div>
      <div class="fact">
        <dt>${words.pace}</dt>
        <dd class="figures">${number(told.pacePerMinute)}</dd>
      </div>
      <div class="fact">
        <dt>${words.left}</dt>
        <dd class="figures">${told.left < 0 ? '–' : number(told.left)}</dd>
      </div>
    </dl>
    <p class="visually-hidden" aria-live="polite">${words.yourPlace}: ${number(said.current)}</p>
  `
}

/** @param {{ told: Told, isMoving: boolean }} props */
function Wait({ told, isMoving }) {
  const words = saleWords.value
  if (!isMoving) return html`<span class="muted">${words.standsStill}</span>`
  if (told.etaSeconds < 5 && told.ahead < 5) return words.soon
  const { unit, from, to } = roundedRange(waitRange(told))
  const seconds = { seconds: 1, minutes: 60, hours: 3600 }[unit]
  if (from === 0) return words.within(span(to * seconds))
  return from === to ? words.about(span(to * seconds)) : words.range(number(from), span(to * seconds))
}

/** Whether what is seen is what is. */
function Line() {
  const words = saleWords.value
  const isLive = connection.value.state === 'open'
  return html`<p class=${isLive ? 'line-state live' : 'line-state'} data-connection=${connection.value.state}>
    <span class="dot" aria-hidden="true"></span>${isLive ? words.connected : words.reconnecting}
  </p>`
}

/** The hall or the slots, to look at meanwhile. @param {{ sale: SaleView }} props */
function Meanwhile({ sale }) {
  const [isShown, setShown] = useState(false)
  const words = saleWords.value
  const toggle = (/** @type {Event} */ event) =>
    setShown(/** @type {HTMLDetailsElement} */ (event.target).open)
  return html`<details class="meanwhile" onToggle=${toggle}>
    <summary>${words.look}</summary>
    ${isShown && html`<${SalePlaces} sale=${sale} admission=${null} over=${null} onFinished=${nothing} onAdmissionOver=${nothing} />`}
  </details>`
}

const nothing = () => {}
