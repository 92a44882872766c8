import { useEffect, useState } from '/vendor/preact-hooks.js'
import { call } from '../live/calls.js'
import { serverNow, second } from '../live/server-clock.js'
import { formatLeft } from '../shell/formats.js'
import { html } from '../shell/html.js'
import { number, span } from '../shell/said.js'
import { problemText } from '../words/problem-words.js'
import { saleWords } from '../words/sale-words.js'
import { LeaveButton } from './leave-button.js'
import { isOpenAt } from './line-state.js'
import { NewestOrder } from './newest-order.js'

/** @import { DrawView } from '../../src/domain/queue/draw-messages.ts' */
/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { Place } from './line-state.js' */
/** @import { SaleVisit } from './sale-visit.js' */

/**
 * Whoever has no place: before the opening, and after it.
 * @param {{ visit: SaleVisit, sale: SaleView, place: Place }} props
 */
export function BeforeLine({ visit, sale, place }) {
  const words = saleWords.value
  void second.value
  const isOpen = isOpenAt(sale, serverNow())
  const isDraw = sale.queue.mode === 'lottery' && !isOpen
  const isJoining = place.at === 'joining'
  const isReady = place.at === 'outside' && place.isReady
  return html`<section class="before card">
    ${!isOpen && html`<${Countdown} opensAt=${sale.opensAt} />`}
    <${Problem} place=${place} />
    ${
      isReady
        ? html`<p class="ready" role="status">${words.readyText}</p>
            <button type="button" onClick=${() => visit.notReady()}>${words.notReady}</button>`
        : html`<button type="button" class="primary" disabled=${isJoining} onClick=${() => void visit.join()}>
            ${isJoining ? words.joining : isDraw ? words.enter : isOpen ? words.join : words.joinAtOpening}
          </button>`
    }
    <p class="muted">${isDraw ? words.enterText : words.joinText}</p>
    ${sale.status === 'paused' && html`<p class="notice warning">${words.paused}</p>`}
    ${sale.status === 'soldout' && html`<p class="notice warning">${words.soldout}</p>`}
    ${isDraw && html`<${Commitment} saleId=${sale.id} />`}
    <${Rules} sale=${sale} />
    <${NewestOrder} saleId=${sale.id} />
  </section>`
}

/**
 * Whoever takes part in the draw.
 * @param {{ visit: SaleVisit, sale: SaleView, place: Extract<Place, { at: 'entered' }> }} props
 */
export function Entered({ visit, sale, place }) {
  const words = saleWords.value
  return html`<section class="before card">
    <p class="pill good" role="status">${words.entered}</p>
    <${Countdown} opensAt=${place.opensAt} />
    <p class="muted">${words.entrants(number(place.entrants))} ${words.scheduledText}</p>
    <dl class="proof">
      <dt>${words.yourEntry}</dt>
      <dd><code data-entry>${place.entry}</code></dd>
    </dl>
    <${Commitment} saleId=${sale.id} />
    <${LeaveButton} visit=${visit} isEntry />
  </section>`
}

/** @param {{ opensAt: string }} props */
function Countdown({ opensAt }) {
  const words = saleWords.value
  const leftMs = Date.parse(opensAt) - second.value
  if (leftMs <= 0) return html`<p class="hero-label" role="status">${words.openingNow}</p>`
  const days = Math.floor(leftMs / 86_400_000)
  return html`<div role="timer">
    <p class="hero-label">${words.opensIn}</p>
    ${
      days > 0
        ? html`<p class="countdown-hero figures">${span(days * 86_400)}</p>
            <p class="hero-label figures">${formatLeft(leftMs % 86_400_000)}</p>`
        : html`<p class="countdown-hero figures">${formatLeft(leftMs)}</p>`
    }
  </div>`
}

/** @param {{ place: Place }} props */
function Problem({ place }) {
  const problem = place.at === 'outside' ? place.problem : undefined
  return html`<div role="alert">
    ${problem !== undefined && html`<p class="notice failure">${problemText(problem)}</p>`}
  </div>`
}

/** What the server is bound to, for whoever wants to see it. @param {{ saleId: string }} props */
function Commitment({ saleId }) {
  const words = saleWords.value
  const [draw, setDraw] = useState(/** @type {DrawView | undefined} */ (undefined))
  useEffect(() => {
    /** @type {Promise<DrawView>} */
    const asked = call(`/sales/${saleId}/draw`)
    asked.then(setDraw, () => {})
  }, [saleId])
  if (draw === undefined) return null
  return html`<details class="commitment">
    <summary>${words.commitment}</summary>
    <p class="muted small-text">${words.commitmentText}</p>
    <code data-commitment>${draw.commitment}</code>
  </details>`
}

/** What holds for everybody, so that it is known before. @param {{ sale: SaleView }} props */
function Rules({ sale }) {
  const words = saleWords.value
  const { maxPerAccount, tokenTtlSeconds } = sale.queue
  return html`<ul class="rules muted small-text">
    <li>${words.ruleLimit(number(maxPerAccount))}</li>
    <li>${words.ruleTime(span(tokenTtlSeconds))}</li>
    ${sale.admits === 'verified' && html`<li>${words.ruleVerified}</li>`}
  </ul>`
}
