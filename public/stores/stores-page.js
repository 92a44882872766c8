import { useEffect, useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { PageFrame } from '../shell/page-frame.js'
import { usePaged } from '../shell/paged.js'
import { ProblemNotice } from '../shell/problem-notice.js'
import { startPage } from '../shell/start-page.js'
import { storeWords } from '../words/store-words.js'
import { StoreCard } from './store-card.js'
import { StoreFinder } from './store-finder.js'
import { anything, isNarrowed, queryOf } from './store-wish.js'

/** @import { StoreItem } from '../../src/domain/stores/store-messages.ts' */

startPage(StoresPage)

function StoresPage() {
  const words = storeWords.value
  const [wish, setWish] = useState(anything)
  /** @type {import('../shell/paged.js').Paged<StoreItem>} */
  const { items: stores, more, problem, again } = usePaged(`/stores?${queryOf(wish)}`)
  useEffect(() => {
    document.title = `${words.title} · Openrun`
  })
  return html`<${PageFrame} here="stores" wide>
    <h1>${words.title}</h1>
    <${StoreFinder} wish=${wish} onWish=${setWish} />
    <${ProblemNotice} problem=${problem} again=${again} />
    ${stores === undefined && problem === undefined && html`<div class="stores" aria-busy="true"><${Bones} /></div>`}
    ${
      stores?.length === 0 &&
      html`<div class="quiet-card" role="status">
        <h2>${isNarrowed(wish) ? words.noneFound : words.nothing}</h2>
        <p>${isNarrowed(wish) ? words.noneFoundText : words.nothingText}</p>
      </div>`
    }
    <ul class="stores">
      ${stores?.map((store) => html`<li key=${store.id}><${StoreCard} store=${store} /></li>`)}
    </ul>
    ${more && html`<div class="buttons"><button type="button" onClick=${more}>${words.more}</button></div>`}
  <//>`
}

function Bones() {
  return [1, 2, 3].map((nth) => html`<div class="card bone store-bone" key=${nth}></div>`)
}
