import { html } from '../shell/html.js'
import { saleWords } from '../words/sale-words.js'
import { problemText } from '../words/problem-words.js'
import { Problem } from '../live/problem.js'
import { NewestOrder } from './newest-order.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { SaleVisit } from './sale-visit.js' */

/** @param {{ visit: SaleVisit, sale: SaleView, at: 'expired' | 'fulfilled' | 'closed' }} props */
export function Ending({ visit, sale, at }) {
  const words = saleWords.value
  const again = html`<button type="button" class="primary" onClick=${() => void visit.join()}>
    ${words.joinAgain}
  </button>`
  const orders = html`<a class="button primary" href="/orders">${words.toOrders}</a>`
  const list = html`<a class="button" href="/">${words.back}</a>`
  return html`<section class="card quiet-card" role="status">
    <h2>${words[at]}</h2>
    ${at === 'expired' && html`<p>${words.expiredText}</p>`}
    <div class="buttons centered">${at === 'expired' ? again : at === 'fulfilled' ? orders : list}</div>
    ${at !== 'fulfilled' && html`<${NewestOrder} saleId=${sale.id} />`}
  </section>`
}

export function Missing() {
  const words = saleWords.value
  return html`<section class="card quiet-card">
    <h1>${problemText(new Problem({ code: 'no_such_sale' }))}</h1>
    <a class="button primary" href="/">${words.back}</a>
  </section>`
}
