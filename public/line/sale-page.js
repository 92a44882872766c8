import { useEffect, useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { PageFrame } from '../shell/page-frame.js'
import { moment } from '../shell/said.js'
import { startPage } from '../shell/start-page.js'
import { SalePlaces } from '../till/sale-places.js'
import { saleWords } from '../words/sale-words.js'
import { BeforeLine, Entered } from './before-line.js'
import { Ending, Missing } from './line-endings.js'
import { SaleVisit } from './sale-visit.js'
import { useTitle } from './turn-call.js'
import { WaitingRoom } from './waiting-room.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { Place } from './line-state.js' */

startPage(SalePage)

function SalePage() {
  const [visit] = useState(() => new SaleVisit(new URLSearchParams(location.search).get('sale') ?? ''))
  useEffect(() => void visit.begin(), [])
  const { sale, place } = visit.state.value
  useTitle(sale, place)
  if (place.at === 'missing') return html`<${PageFrame} here="sale"><${Missing} /><//>`
  if (sale === undefined) return html`<${PageFrame} here="sale"><${Bones} /><//>`
  const over = overOf(place)
  if (over !== undefined && 'admission' in place) {
    return html`<${PageFrame} here="sale" wide>
      <${SaleTitle} sale=${sale} isSmall />
      <${Notice} sale=${sale} />
      <${SalePlaces}
        sale=${sale}
        admission=${place.admission ?? null}
        over=${over}
        onFinished=${() => visit.finish()}
        onAdmissionOver=${() => visit.lookAgain()}
      />
    <//>`
  }
  return html`<${PageFrame} here="sale">
    <${SaleTitle} sale=${sale} isSmall=${place.at === 'waiting' || place.at === 'aside'} />
    <${Notice} sale=${sale} />
    <${PlaceView} visit=${visit} sale=${sale} place=${place} />
  <//>`
}

/** Why buying is over, null while it is not; undefined where nobody buys. @param {Place} place */
function overOf(place) {
  if (place.at === 'admitted') return null
  return 'isShopping' in place && place.isShopping ? place.at : undefined
}

/** @param {{ visit: SaleVisit, sale: SaleView, place: Place }} props */
function PlaceView({ visit, sale, place }) {
  switch (place.at) {
    case 'outside':
    case 'joining':
      return html`<${BeforeLine} visit=${visit} sale=${sale} place=${place} />`
    case 'entered':
      return html`<${Entered} visit=${visit} sale=${sale} place=${place} />`
    case 'waiting':
    case 'aside':
      return html`<${WaitingRoom} visit=${visit} sale=${sale} place=${place} />`
    case 'expired':
    case 'fulfilled':
    case 'closed':
      return html`<${Ending} visit=${visit} sale=${sale} at=${place.at} />`
    default:
      return html`<${Bones} />`
  }
}

/** @param {{ sale: SaleView, isSmall?: boolean }} props */
function SaleTitle({ sale, isSmall }) {
  const words = saleWords.value
  const { status, opensAt, closesAt } = sale
  const mood = { open: 'good', scheduled: 'accent', paused: 'warn' }[String(status)] ?? ''
  return html`<header class=${isSmall ? 'sale-title compact' : 'sale-title'}>
    ${
      sale.store !== null &&
      html`<p class="small-text"><a href=${`/store?store=${sale.store}`}>${words.toStore}</a></p>`
    }
    <h1>${sale.title}</h1>
    <p class="tags">
      <span class=${`pill ${mood}`} data-status=${status}>${words.statuses[status]}</span>
      ${sale.queue.mode === 'lottery' && html`<span class="pill">${words.lottery}</span>`}
      <span class="muted small-text">
        ${status === 'scheduled' ? words.opens(moment(opensAt)) : words.until(moment(closesAt))}
      </span>
    </p>
  </header>`
}

/** @param {{ sale: SaleView }} props */
function Notice({ sale }) {
  const words = saleWords.value
  const { notice } = sale
  return html`<div role="status">
    ${
      notice !== null &&
      html`<p class="notice organiser-notice">
        <strong>${words.fromOrganiser}</strong><span>${notice.text}</span>
      </p>`
    }
  </div>`
}

function Bones() {
  return html`<div class="bones" aria-busy="true">
    <div class="bone"></div>
    <div class="bone tall"></div>
  </div>`
}
