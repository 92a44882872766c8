import { useEffect, useState } from '/vendor/preact-hooks.js'
import { ChatPanel } from '../chat/chat-panel.js'
import { SaleCard } from '../list/sale-card.js'
import { call } from '../live/calls.js'
import { toProblem } from '../live/problem.js'
import { html } from '../shell/html.js'
import { PageFrame } from '../shell/page-frame.js'
import { usePaged } from '../shell/paged.js'
import { ProblemNotice } from '../shell/problem-notice.js'
import { startPage } from '../shell/start-page.js'
import { OpenPill } from '../stores/store-card.js'
import { saleWords } from '../words/sale-words.js'
import { storeWords } from '../words/store-words.js'
import { StoreFacts } from './store-facts.js'
import { StorePictures } from './store-pictures.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { StoreView } from '../../src/domain/stores/store-messages.ts' */

const storeId = new URLSearchParams(location.search).get('store') ?? ''

startPage(StorePage)

function StorePage() {
  const words = storeWords.value
  const { store, problem, again } = useStore()
  useEffect(() => {
    document.title = `${store?.name ?? words.title} · Openrun`
  })
  const isGone = problem !== undefined && toProblem(problem).status === 404
  return html`<${PageFrame} here="store" wide>
    <p class="small-text way-back"><a href="/stores">← ${words.back}</a></p>
    ${isGone ? html`<div class="quiet-card"><h1>${words.gone}</h1></div>` : html`<${ProblemNotice} problem=${problem} again=${again} />`}
    ${store === undefined && problem === undefined && html`<${Bones} />`}
    ${store && html`<${Store} store=${store} />`}
  <//>`
}

/** @param {{ store: StoreView }} props */
function Store({ store }) {
  const words = storeWords.value
  const { name, category, descriptionHtml, pictures } = store
  return html`<article class="store">
    <div class="store-about">
      <header>
        <p class="tags">
          <${OpenPill} store=${store} />
          <span class="pill">${words.categories[category]}</span>
        </p>
        <h1>${name}</h1>
      </header>
      ${pictures.length > 0 && html`<${StorePictures} pictures=${pictures} />`}
      <${StoreFacts} store=${store} />
      ${
        descriptionHtml !== '' &&
        html`<div class="store-text" dangerouslySetInnerHTML=${{ __html: descriptionHtml }}></div>`
      }
      <${StoreSales} store=${store} />
    </div>
    <${ChatPanel} storeId=${store.id} />
  </article>`
}

/** What can be booked in the store. @param {{ store: StoreView }} props */
function StoreSales({ store: { id, maxPerAccount } }) {
  const words = storeWords.value
  /** @type {import('../shell/paged.js').Paged<SaleView>} */
  const { items: sales, more, problem, again } = usePaged(`/stores/${id}/sales?limit=20`)
  return html`<section aria-labelledby="store-sales">
    <h2 id="store-sales">${words.sales}</h2>
    ${maxPerAccount !== null && html`<p class="muted small-text">${words.limit(maxPerAccount)}</p>`}
    <${ProblemNotice} problem=${problem} again=${again} />
    ${sales?.length === 0 && html`<p class="muted">${words.noSales}</p>`}
    <ul class="sales">
      ${sales?.map((sale) => html`<li key=${sale.id}><${SaleCard} sale=${sale} /></li>`)}
    </ul>
    ${more && html`<div class="buttons"><button type="button" onClick=${more}>${saleWords.value.more}</button></div>`}
  </section>`
}

function useStore() {
  const [store, setStore] = useState(/** @type {StoreView | undefined} */ (undefined))
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const read = async () => {
    try {
      setStore(await call(`/stores/${encodeURIComponent(storeId)}`))
      setProblem(undefined)
    } catch (thrown) {
      setProblem(thrown)
    }
  }
  useEffect(() => void read(), [])
  return { store, problem, again: () => void read() }
}

function Bones() {
  return html`<div class="store" aria-busy="true">
    <div class="store-about">
      <div class="bone"></div>
      <div class="bone store-bone"></div>
    </div>
    <div class="card bone store-bone"></div>
  </div>`
}
