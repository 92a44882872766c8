import { useEffect, useState } from '/vendor/preact-hooks.js'
import { hasAccount } from '../live/account.js'
import { call } from '../live/calls.js'
import { connection, live } from '../live/live.js'
import { html } from '../shell/html.js'
import { PageFrame } from '../shell/page-frame.js'
import { ProblemNotice } from '../shell/problem-notice.js'
import { startPage } from '../shell/start-page.js'
import { orderWords } from '../words/order-words.js'
import { OrderCard } from './order-card.js'

/** @import { OrderMessage } from '../../src/domain/orders/order-messages.ts' */

startPage(OrdersPage)

/** @typedef {{ items: readonly OrderMessage[], next: string | null }} Page */

function OrdersPage() {
  const words = orderWords.value
  const { orders, next, problem, change, more, again } = useOrders()
  useEffect(() => {
    document.title = `${words.title} · Openrun`
  })
  return html`<${PageFrame} here="orders">
    <h1>${words.title}</h1>
    <${ProblemNotice} problem=${problem} again=${again} />
    ${orders === undefined && problem === undefined && html`<div class="orders" aria-busy="true"><div class="card bone tall"></div></div>`}
    ${orders?.length === 0 && html`<${Nothing} />`}
    <ul class="orders">
      ${orders?.map(
        (order) =>
          html`<li key=${order.id}>
            <${OrderCard}
              order=${order}
              onChange=${(/** @type {OrderMessage | undefined} */ now) => change(order.id, now)}
            />
          </li>`,
      )}
    </ul>
    ${next !== null && html`<div class="buttons"><button type="button" onClick=${more}>${words.more}</button></div>`}
  <//>`
}

/** The orders of this browser's account, the newest first, kept up to date. */
function useOrders() {
  const [page, setPage] = useState(/** @type {Page | undefined} */ (undefined))
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const read = async (/** @type {string | null} */ cursor) => {
    // Nobody becomes a guest by looking at what they never ordered.
    if (!hasAccount()) return setPage({ items: [], next: null })
    try {
      /** @type {Page} */
      const { items, next } = await call(
        `/orders${cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`}`,
      )
      setProblem(undefined)
      setPage((before) =>
        cursor === null || before === undefined ? { items, next } : joined(before, { items, next }),
      )
    } catch (thrown) {
      setProblem(thrown)
    }
  }
  const again = () => void read(null)
  useFresh(again, page?.items.some(({ status }) => status === 'pending' || status === 'paying') ?? false)
  const change = (/** @type {string} */ id, /** @type {OrderMessage | undefined} */ now) =>
    setPage(
      (before) =>
        before && {
          ...before,
          items: before.items.flatMap((order) =>
            order.id !== id ? [order] : now === undefined ? [] : [now],
          ),
        },
    )
  const next = page?.next ?? null
  return { orders: page?.items, next, problem, change, again, more: () => void read(next) }
}

/**
 * Reads at the beginning, whenever the server says that an order changed, whenever the connection is back, and now and
 * then while the outcome of a payment is open.
 * @param {() => void} read @param {boolean} isOpenEnded
 */
function useFresh(read, isOpenEnded) {
  useEffect(() => {
    read()
    if (!hasAccount()) return
    let wasTaken = false
    const listening = live.listen('me', {
      onEvent: read,
      onTaken: () => {
        if (wasTaken) read()
        wasTaken = true
      },
    })
    return () => listening.end()
  }, [])
  useEffect(() => {
    if (!isOpenEnded) return
    const timer = setInterval(() => {
      if (connection.value.state !== 'lost') read()
    }, 5000)
    return () => clearInterval(timer)
  }, [isOpenEnded])
}

/** @param {Page} before @param {Page} more @returns {Page} */
function joined(before, { items, next }) {
  const known = new Set(before.items.map(({ id }) => id))
  return { items: [...before.items, ...items.filter(({ id }) => !known.has(id))], next }
}

function Nothing() {
  const words = orderWords.value
  return html`<div class="quiet-card">
    <h2>${words.nothing}</h2>
    <p>${words.nothingText}</p>
    <a class="button primary" href="/">${words.toSales}</a>
  </div>`
}
