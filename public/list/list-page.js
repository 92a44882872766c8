import { useEffect, useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { PageFrame } from '../shell/page-frame.js'
import { ProblemNotice } from '../shell/problem-notice.js'
import { startPage } from '../shell/start-page.js'
import { usePaged } from '../shell/paged.js'
import { saleWords } from '../words/sale-words.js'
import { SaleCard } from './sale-card.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */

startPage(ListPage)

function ListPage() {
  const words = saleWords.value
  const [text, setText] = useState('')
  const query = new URLSearchParams(text.trim() === '' ? {} : { q: text.trim() })
  /** @type {import('../shell/paged.js').Paged<SaleView>} */
  const { items: sales, more, problem, again } = usePaged(`/sales?${query}`)
  useEffect(() => {
    document.title = `${words.title} · Openrun`
  })
  return html`<${PageFrame} here="sales">
    <h1>${words.title}</h1>
    <search class="find">
      <input
        type="search"
        placeholder=${words.search}
        aria-label=${words.search}
        value=${text}
        onInput=${(/** @type {Event} */ event) => setText(/** @type {HTMLInputElement} */ (event.target).value)}
      />
    </search>
    <${ProblemNotice} problem=${problem} again=${again} />
    ${sales === undefined && problem === undefined && html`<div class="sales" aria-busy="true"><${Bones} /></div>`}
    ${
      sales?.length === 0 &&
      html`<div class="quiet-card">
        <h2>${text === '' ? words.nothing : words.noneFound}</h2>
        ${text === '' && html`<p>${words.nothingText}</p>`}
      </div>`
    }
    <ul class="sales">
      ${sales?.map((sale) => html`<li key=${sale.id}><${SaleCard} sale=${sale} /></li>`)}
    </ul>
    ${more && html`<div class="buttons"><button type="button" onClick=${more}>${words.more}</button></div>`}
  <//>`
}

function Bones() {
  return html`<div class="card bone tall"></div>
    <div class="card bone tall"></div>`
}
