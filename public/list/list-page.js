import { useEffect, useRef, useState } from '/vendor/preact-hooks.js'
import { call } from '../live/calls.js'
import { second } from '../live/server-clock.js'
import { formatLeft } from '../shell/formats.js'
import { html } from '../shell/html.js'
import { PageFrame } from '../shell/page-frame.js'
import { moment, number } from '../shell/said.js'
import { startPage } from '../shell/start-page.js'
import { problemText } from '../words/problem-words.js'
import { saleWords } from '../words/sale-words.js'
import { shellWords } from '../words/shell-words.js'

/** @import { SalePage, SaleView } from '../../src/domain/sales/sale-messages.ts' */

startPage(ListPage)

function ListPage() {
  const words = saleWords.value
  const [text, setText] = useState('')
  const { sales, next, problem, more, again } = useSales(text)
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
    ${
      problem !== undefined &&
      html`<div class="notice failure" role="alert">
        <span>${problemText(problem)}</span>
        <button type="button" class="small" onClick=${again}>${shellWords.value.tryAgain}</button>
      </div>`
    }
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
    ${next !== null && html`<div class="buttons"><button type="button" onClick=${more}>${words.more}</button></div>`}
  <//>`
}

/** The pages of the list so far, for what is searched. @param {string} text */
function useSales(text) {
  const [sales, setSales] = useState(/** @type {readonly SaleView[] | undefined} */ (undefined))
  const [next, setNext] = useState(/** @type {string | null} */ (null))
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const latest = useRef(0)
  const read = async (/** @type {string | null} */ cursor) => {
    const turn = ++latest.current
    const query = new URLSearchParams({
      ...(text.trim() !== '' && { q: text.trim() }),
      ...(cursor !== null && { cursor }),
    })
    try {
      /** @type {SalePage} */
      const page = await call(`/sales?${query}`)
      if (turn !== latest.current) return
      setProblem(undefined)
      setSales(cursor === null ? page.items : [...(sales ?? []), ...page.items])
      setNext(page.next)
    } catch (thrown) {
      if (turn === latest.current) setProblem(thrown)
    }
  }
  useEffect(() => {
    // Not at every letter.
    const timer = setTimeout(() => void read(null), text === '' ? 0 : 250)
    return () => clearTimeout(timer)
  }, [text])
  useEffect(() => {
    const timer = setInterval(() => void read(null), 30_000)
    return () => clearInterval(timer)
  }, [text])
  return { sales, next, problem, more: () => void read(next), again: () => void read(null) }
}

/** @param {{ sale: SaleView }} props */
function SaleCard({ sale }) {
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

function Bones() {
  return html`<div class="card bone tall"></div>
    <div class="card bone tall"></div>`
}
