import { useEffect, useRef, useState } from '/vendor/preact-hooks.js'
import { call } from '../live/calls.js'
import { AskFirst } from '../shell/ask-first.js'
import { html } from '../shell/html.js'
import { clock, moment, money, number } from '../shell/said.js'
import { orderWords } from '../words/order-words.js'
import { problemText } from '../words/problem-words.js'
import { saleTitle } from './sale-titles.js'
import { TicketCard } from './ticket-card.js'

/** @import { OrderMessage } from '../../src/domain/orders/order-messages.ts' */

/**
 * One order with its tickets. `onChange` is told the order as it is now; undefined when it was taken from the list.
 * @param {{ order: OrderMessage, onChange: (order: OrderMessage | undefined) => void }} props
 */
export function OrderCard({ order, onChange }) {
  const words = orderWords.value
  const title = saleTitle(order.sale)
  const card = useRef(/** @type {HTMLElement | null} */ (null))
  const isAskedFor = location.hash === `#${order.id}`
  useEffect(() => {
    if (isAskedFor) card.current?.scrollIntoView()
  }, [])
  const paid = order.total.amountMinor === 0 ? words.free : money(order.total)
  return html`<article class="card order" id=${order.id} ref=${card} data-order=${order.status}>
    <header>
      <p class="tags">
        <span class=${`pill ${moods[order.status]}`}>${words.statuses[order.status]}</span>
        ${order.refund !== 'none' && html`<span class="muted small-text">${words.refunds[order.refund]}</span>`}
      </p>
      <h2><a href=${`/sale?sale=${order.sale}`}>${title ?? '…'}</a></h2>
      <p class="muted small-text">${words.ordered(moment(order.createdAt))} · ${paid}</p>
    </header>
    <p class="units figures">
      ${order.bookings.map(({ unit }) => html`<span class="pill" key=${unit}>${unit}</span> `)}
    </p>
    ${words.meanings[order.status] !== '' && html`<p class="muted small-text">${words.meanings[order.status]}</p>`}
    ${order.status === 'pending' && order.payBy !== null && html`<p class="small-text">${words.payBy(clock(order.payBy))}</p>`}
    <${Tickets} order=${order} title=${title ?? ''} isOpenAtFirst=${isAskedFor} />
    <${OrderDeeds} order=${order} onChange=${onChange} />
    <p class="muted order-id">${words.number} <code>${order.id}</code></p>
  </article>`
}

/** @type {Readonly<Record<OrderMessage['status'], string>>} */
const moods = {
  saving: 'accent',
  pending: 'accent',
  paying: 'accent',
  booked: 'good',
  refused: 'bad',
  expired: '',
  cancelled: '',
  abandoned: '',
}

/** @param {{ order: OrderMessage, title: string, isOpenAtFirst: boolean }} props */
function Tickets({ order, title, isOpenAtFirst }) {
  const words = orderWords.value
  const [isShown, setShown] = useState(isOpenAtFirst)
  const good = order.bookings.filter(({ status }) => status === 'booked')
  if (good.length === 0) return null
  return html`<div class="buttons">
      <button type="button" class="primary" aria-expanded=${isShown} onClick=${() => setShown(!isShown)}>
        ${isShown ? words.hideTickets : words.showTickets(number(good.length))}
      </button>
      ${isShown && html`<button type="button" onClick=${() => print()}>${words.print}</button>`}
    </div>
    ${
      isShown &&
      html`<ul class="tickets">
        ${good.map((booking) => html`<li key=${booking.id}><${TicketCard} booking=${booking} title=${title} /></li>`)}
      </ul>`
    }`
}

/** What may be done with it: cancel while it stands, take it from the list when it has ended. @param {{ order: OrderMessage, onChange: (order: OrderMessage | undefined) => void }} props */
function OrderDeeds({ order, onChange }) {
  const words = orderWords.value
  const [isAsking, setAsking] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const doing = async (/** @type {() => Promise<OrderMessage | undefined>} */ deed) => {
    setAsking(false)
    setBusy(true)
    try {
      onChange(await deed())
      setProblem(undefined)
    } catch (thrown) {
      setProblem(thrown)
    }
    setBusy(false)
  }
  const cancel = () =>
    doing(async () => {
      /** @type {{ order: OrderMessage }} */
      const answer = await call(`/orders/${order.id}/cancel`, { method: 'POST', repeatable: true })
      return answer.order
    })
  const hide = () => doing(() => call(`/orders/${order.id}`, { method: 'DELETE' }))
  const stands = order.status === 'booked' || order.status === 'pending'
  const isUsed = order.bookings.some(({ checkedInAt }) => checkedInAt !== null)
  return html`<div class="deeds">
    ${problem !== undefined && html`<p class="notice failure" role="alert">${problemText(problem)}</p>`}
    ${
      stands &&
      !isUsed &&
      html`<button type="button" class="quiet" disabled=${isBusy} onClick=${() => setAsking(true)}>
        ${words.cancel}
      </button>`
    }
    ${
      !stands &&
      order.status !== 'paying' &&
      html`<button type="button" class="quiet" disabled=${isBusy} onClick=${hide}>${words.hide}</button>`
    }
    ${
      isAsking &&
      html`<${AskFirst}
        title=${words.cancelTitle}
        text=${words.cancelText}
        yes=${words.cancel}
        no=${words.keep}
        onYes=${cancel}
        onNo=${() => setAsking(false)}
      />`
    }
  </div>`
}
