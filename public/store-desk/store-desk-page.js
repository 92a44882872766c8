import { useEffect, useState } from '/vendor/preact-hooks.js'
import { deskCall, deskKey, keepDeskKey } from '../desk/desk-key.js'
import { KeyForm } from '../desk/key-form.js'
import { html } from '../shell/html.js'
import { PageFrame } from '../shell/page-frame.js'
import { ProblemNotice } from '../shell/problem-notice.js'
import { startPage } from '../shell/start-page.js'
import { storeDeskWords } from '../words/store-desk-words.js'
import { ClosingCard } from './closing-card.js'
import { PicturesCard } from './pictures-card.js'
import { SlotsForm } from './slots-form.js'
import { StoreForm } from './store-form.js'

/** @import { StoreItem, StorePage as Page, StoreView } from '../../src/domain/stores/store-messages.ts' */

startPage(StoreDeskPage)

function StoreDeskPage() {
  const words = storeDeskWords.value
  useEffect(() => {
    document.title = `${words.title} · Openrun`
  })
  return html`<${PageFrame} here="desk" wide>
    ${deskKey.value === '' ? html`<${KeyForm} />` : html`<${StoreDesk} />`}
  <//>`
}

function StoreDesk() {
  const words = storeDeskWords.value
  const { stores, problem, read } = useOwnStores()
  const [chosen, setChosen] = useState(new URLSearchParams(location.search).get('store') ?? '')
  const choose = (/** @type {Event} */ event) =>
    setChosen(/** @type {HTMLSelectElement} */ (event.target).value)
  const made = async (/** @type {StoreView} */ store) => {
    await read()
    setChosen(store.id)
  }
  return html`
    <div class="desk-head">
      <h1 class="visually-hidden">${words.title}</h1>
      <label>
        <span class="visually-hidden">${words.store}</span>
        <select value=${chosen} onChange=${choose}>
          <option value="">${words.newStore}</option>
          ${stores?.map(({ id, name, status }) => html`<option key=${id} value=${id}>${name}${status === 'closed' ? ` · ${words.closed}` : ''}</option>`)}
        </select>
      </label>
      <a href="/desk">${words.toSales}</a>
      <button type="button" class="quiet small" onClick=${() => keepDeskKey('')}>${words.forget}</button>
    </div>
    <${ProblemNotice} problem=${problem} again=${() => void read()} />
    ${chosen === '' ? html`<${StoreForm} key="new" onSaved=${made} />` : html`<${OneStore} key=${chosen} id=${chosen} onChanged=${read} />`}
  `
}

/** @param {{ id: string, onChanged: () => Promise<void> }} props */
function OneStore({ id, onChanged }) {
  const words = storeDeskWords.value
  const [store, setStore] = useState(/** @type {StoreView | undefined} */ (undefined))
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const read = async () => {
    try {
      setStore(await deskCall(`/stores/${id}`))
      setProblem(undefined)
    } catch (thrown) {
      setProblem(thrown)
    }
  }
  useEffect(() => void read(), [id])
  const saved = async (/** @type {StoreView} */ now) => {
    setStore(now)
    await onChanged()
  }
  if (store === undefined) {
    return problem === undefined
      ? html`<div class="card bone" aria-busy="true"></div>`
      : html`<${ProblemNotice} problem=${problem} again=${() => void read()} />`
  }
  return html`<div class="store-desk">
    <p><a href=${`/store?store=${id}`}>${words.toStore}</a></p>
    ${store.status === 'closed' ? html`<p class="card muted">${words.isClosed}</p>` : html`<${StoreForm} store=${store} onSaved=${saved} />`}
    <${PicturesCard} store=${store} onChanged=${read} />
    ${
      store.status === 'open' &&
      html`<${SlotsForm} store=${store} /> <${ClosingCard} store=${store} onClosed=${saved} />`
    }
  </div>`
}

function useOwnStores() {
  const [stores, setStores] = useState(/** @type {readonly StoreItem[] | undefined} */ (undefined))
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const read = async () => {
    try {
      /** @type {StoreItem[]} */
      const all = []
      /** @type {string | null} */
      let next = ''
      // An organiser has tens of them; who has hundreds finds the newest.
      for (let pages = 0; next !== null && pages < 5; pages++) {
        /** @type {Page} */
        const page = await deskCall(
          `/organiser/stores?limit=100${next && `&cursor=${encodeURIComponent(next)}`}`,
        )
        all.push(...page.items)
        next = page.next
      }
      setStores(all)
      setProblem(undefined)
    } catch (thrown) {
      setProblem(thrown)
    }
  }
  useEffect(() => void read(), [])
  return { stores, problem, read }
}
