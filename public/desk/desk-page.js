import { useEffect, useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { PageFrame } from '../shell/page-frame.js'
import { span } from '../shell/said.js'
import { startPage } from '../shell/start-page.js'
import { second } from '../live/server-clock.js'
import { toProblem } from '../live/problem.js'
import { deskWords } from '../words/desk-words.js'
import { problemText } from '../words/problem-words.js'
import { deskCall, deskKey, keepDeskKey } from './desk-key.js'
import { KeyForm } from './key-form.js'
import { FiguresBoard } from './figures-board.js'
import { FiguresFeed } from './figures-feed.js'
import { HistoryChart } from './history-chart.js'
import { SaleControls } from './sale-controls.js'

/** @import { SaleChanges, SalePage, SaleView } from '../../src/domain/sales/sale-messages.ts' */

startPage(DeskPage)

function DeskPage() {
  const words = deskWords.value
  useEffect(() => {
    document.title = `${words.title} · Openrun`
  })
  return html`<${PageFrame} here="desk" wide
    >${deskKey.value === '' ? html`<${KeyForm} />` : html`<${Desk} />`}<//
  >`
}

function Desk() {
  const words = deskWords.value
  const [sales, setSales] = useState(/** @type {readonly SaleView[] | undefined} */ (undefined))
  const [chosen, setChosen] = useState(new URLSearchParams(location.search).get('sale') ?? '')
  const [failure, setFailure] = useState('')
  const read = async () => {
    try {
      /** @type {SalePage} */
      const { items } = await deskCall('/organiser/sales?limit=100')
      setSales(items)
    } catch (thrown) {
      if (toProblem(thrown).status === 401) keepDeskKey('')
      else setFailure(problemText(thrown))
    }
  }
  useEffect(() => void read(), [])
  if (sales === undefined) return html`<div class="card bone" role=${failure && 'alert'}>${failure}</div>`
  const sale =
    sales.find(({ id }) => id === chosen) ?? sales.find(({ status }) => status !== 'closed') ?? sales[0]
  const change = async (/** @type {SaleChanges} */ changes) => {
    /** @type {SaleView} */
    const changed = await deskCall(`/sales/${sale?.id}`, { method: 'PATCH', body: changes })
    setSales(sales.map((one) => (one.id === changed.id ? changed : one)))
  }
  const choose = (/** @type {Event} */ event) => {
    setChosen(/** @type {HTMLSelectElement} */ (event.target).value)
    void read()
  }
  return html`
    <div class="desk-head">
      <h1 class="visually-hidden">${words.title}</h1>
      <label>
        <span class="visually-hidden">${words.sale}</span>
        <select value=${sale?.id} onChange=${choose}>
          ${sales.map(({ id, title, status }) => html`<option value=${id}>${title} · ${words.statuses[status]}</option>`)}
        </select>
      </label>
      <a href="/store-desk">${words.toStores}</a>
      <button type="button" class="quiet small" onClick=${() => keepDeskKey('')}>${words.forget}</button>
    </div>
    ${failure && html`<p class="notice failure" role="alert">${failure}</p>`}
    ${
      sale === undefined
        ? html`<p class="card muted">${words.noSales}</p>`
        : html`<${SaleDesk} key=${sale.id} sale=${sale} change=${change} />`
    }
  `
}

/** @param {{ sale: SaleView, change: (changes: SaleChanges) => Promise<void> }} props */
function SaleDesk({ sale, change }) {
  const words = deskWords.value
  const [feed] = useState(() => new FiguresFeed(sale.id))
  useEffect(() => () => feed.end(), [feed])
  const history = feed.history.value
  const figures = history.at(-1)
  const times = history.map(({ heardMs }) => heardMs)
  return html`
    <${FeedState} feed=${feed} />
    <div class="desk">
      <div class="desk-figures">
        <${FiguresBoard} figures=${figures} />
        <${HistoryChart}
          title=${words.chartLine}
          times=${times}
          curves=${[
            { name: words.waiting, color: 'accent', values: history.map(({ waiting }) => waiting) },
            { name: words.tokens, color: 'warn', values: history.map(({ tokensInUse }) => tokensInUse) },
            {
              name: words.admitted,
              color: 'good',
              values: history.map(({ admittedPerMinute }) => admittedPerMinute),
            },
          ]}
        />
        <${HistoryChart}
          title=${words.chartSold}
          times=${times}
          curves=${[
            { name: words.sold, color: 'accent', values: history.map(({ sold }) => sold) },
            { name: words.holds, color: 'warn', values: history.map(({ holds }) => holds) },
          ]}
        />
      </div>
      <div class="desk-controls">
        <${SaleControls} sale=${{ ...sale, status: figures?.status ?? sale.status }} change=${change} />
      </div>
    </div>
  `
}

/** Whether what is seen is what is. @param {{ feed: FiguresFeed }} props */
function FeedState({ feed }) {
  const words = deskWords.value
  const last = feed.history.value.at(-1)
  const state = feed.state.value
  if (state === 'live' && last?.isStale)
    return html`<p class="notice warning" role="status">${words.stale}</p>`
  if (state === 'live') return html`<p class="pill good" role="status">${words.live}</p>`
  if (state === 'connecting' || last === undefined)
    return html`<p class="pill" role="status">${words.connecting}</p>`
  const ago = span(Math.max(1, Math.round((second.value - last.heardMs) / 1000)))
  return html`<p class="notice warning" role="status">${words.lost(ago)}</p>`
}
