import { second } from '../live/server-clock.js'
import { formatLeft } from '../shell/formats.js'
import { html } from '../shell/html.js'
import { moment, number } from '../shell/said.js'
import { saleWords } from '../words/sale-words.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */

/** A sale in a list, and the way to it. @param {{ sale: SaleView }} props */
export function SaleCard({ sale }) {
  const words = saleWords.value
  const { id, title, status, kind, placeCount, opensAt, closesAt, queue } = sale
  const opensInMs = Date.parse(opensAt) - second.value
  const isAhead = status === 'scheduled' && opensInMs > 0
  const mood =
    status === 'open' ? 'good' : status === 'scheduled' ? 'accent' : status === 'paused' ? 'warn' : ''
  return html`<a class="card sale-card" href=${`/sale?sale=${id}`}>
    <span class="tags">
      <span class=${`pill ${mood}`}>${words.statuses[status]}</span>
      ${queue.mode === 'lottery' && html`<span class="pill">${words.lottery}</span>`}
    </span>
    <h2>${title}</h2>
    <p class="muted small-text">
      ${kind === 'seats' ? words.seats : words.slots} · ${words.places(number(placeCount))} ·${' '}
      ${isAhead ? words.opens(moment(opensAt)) : words.until(moment(closesAt))}
    </p>
    ${
      isAhead &&
      opensInMs < 86_400_000 &&
      html`<p class="countdown figures">
        <span class="muted small-text">${words.opensIn}</span> ${formatLeft(opensInMs)}
      </p>`
    }
  </a>`
}
