import { useEffect, useState } from '/vendor/preact-hooks.js'
import { call } from '../live/calls.js'
import { html } from '../shell/html.js'
import { orderWords } from '../words/order-words.js'
import { problemText } from '../words/problem-words.js'
import { shellWords } from '../words/shell-words.js'

/** @import { BookingMessage } from '../../src/domain/orders/order-messages.ts' */

/**
 * A ticket: what it is for, and the code that opens the door. The QR code comes as an image, so that nothing in it can
 * ever be more than a picture.
 * @param {{ booking: BookingMessage, title: string }} props
 */
export function TicketCard({ booking, title }) {
  const words = orderWords.value
  const [svg, setSvg] = useState('')
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const read = () => {
    setProblem(undefined)
    /** @type {Promise<{ svg: string }>} */
    const asked = call(`/bookings/${booking.id}/ticket`)
    asked.then((ticket) => setSvg(ticket.svg), setProblem)
  }
  useEffect(read, [booking.id])
  const isUsed = booking.checkedInAt !== null
  return html`<figure class=${isUsed ? 'ticket used' : 'ticket'}>
    <div class="qr">
      ${svg !== '' && html`<img data-qr src=${`data:image/svg+xml,${encodeURIComponent(svg)}`} alt=${words.qr(booking.unit)} />`}
      ${svg === '' && problem === undefined && html`<div class="bone"></div>`}
      ${
        problem !== undefined &&
        html`<p role="alert">${problemText(problem)}</p>
          <button type="button" class="small" onClick=${read}>${shellWords.value.tryAgain}</button>`
      }
    </div>
    <figcaption>
      <span class="muted small-text">${title}</span>
      <strong class="figures">${booking.unit}</strong>
      <span class="muted small-text">${booking.priceClass}</span>
      ${isUsed && html`<span class="pill">${words.used}</span>`}
    </figcaption>
  </figure>`
}
