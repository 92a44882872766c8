import { useState } from '/vendor/preact-hooks.js'
import { deskCall } from '../desk/desk-key.js'
import { newKey } from '../live/calls.js'
import { html } from '../shell/html.js'
import { storeDeskWords } from '../words/store-desk-words.js'
import { Field, FormProblem } from './form-field.js'
import { exceptionsOfLines, localTime, textsOf } from './store-draft.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { StoreView } from '../../src/domain/stores/store-messages.ts' */

/** Opens the booking of a store's hours. @param {{ store: StoreView }} props */
export function SlotsForm({ store }) {
  const words = storeDeskWords.value
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const [made, setMade] = useState(/** @type {SaleView | undefined} */ (undefined))
  const [key, setKey] = useState(newKey)
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    const body = bodyOf(new FormData(/** @type {HTMLFormElement} */ (event.target)), store)
    try {
      setMade(await deskCall('/sales', { method: 'POST', key, body }))
      setProblem(undefined)
    } catch (thrown) {
      setProblem(thrown)
    }
    // What is sent next is another sale, or this one mended.
    setKey(newKey())
  }
  return html`<form class="card store-form" onSubmit=${submit}>
    <h2>${words.slots}</h2>
    <p class="muted small-text">${words.slotsText}</p>
    <${SlotsFields} store=${store} problem=${problem} />
    <${FormProblem} problem=${problem} />
    <div class="buttons">
      <button type="submit" class="primary">${words.openBooking}</button>
      ${
        made &&
        html`<span role="status">
          ${words.made} <a href=${`/sale?sale=${made.id}`}>${made.title}</a> ·
          <a href=${`/desk?sale=${made.id}`}>${words.toDesk}</a>
        </span>`
      }
    </div>
  </form>`
}

/** @param {{ store: StoreView, problem: unknown }} props */
function SlotsFields({ store, problem }) {
  const words = storeDeskWords.value
  const days = { from: localTime(store.opensAt).slice(0, 10), to: localTime(store.closesAt).slice(0, 10) }
  return html`<${Field}
      name="title"
      problem=${problem}
      label=${words.saleTitle}
      value=${store.name}
      required
      maxlength="200"
    />
    <div class="field-row">
      <${Field}
        name="slots.dates.from"
        problem=${problem}
        label=${words.firstDay}
        type="date"
        value=${days.from}
        required
      />
      <${Field}
        name="slots.dates.to"
        problem=${problem}
        label=${words.lastDay}
        type="date"
        value=${days.to}
        required
      />
    </div>
    <${Field}
      name="slots.closedDates"
      problem=${problem}
      label=${words.closedDays}
      help=${words.closedDaysHelp}
    />
    <${Field}
      name="slots.hours"
      problem=${problem}
      label=${words.hours}
      help=${words.hoursListHelp}
      value="11:00, 12:00, 13:00, 14:00, 15:00, 16:00, 17:00, 18:00"
      required
    />
    <${Field}
      name="slots.exceptions"
      problem=${problem}
      label=${words.exceptions}
      help=${words.exceptionsHelp}
      rows="2"
    />
    <div class="field-row">
      <${Field}
        name="slots.capacity"
        problem=${problem}
        label=${words.capacity}
        type="number"
        min="1"
        value="10"
        required
      />
      <${Field}
        name="opensAt"
        problem=${problem}
        label=${words.bookingOpens}
        type="datetime-local"
        value=${localTime(new Date().toISOString())}
        required
      />
    </div>`
}

/** @param {FormData} form @param {StoreView} store */
function bodyOf(form, store) {
  const text = textsOf(form)
  const words = (/** @type {string} */ name) =>
    text(name)
      .split(/[\s,]+/)
      .filter((word) => word !== '')
  return {
    kind: 'slots',
    store: store.id,
    title: text('title'),
    currency: 'KRW',
    opensAt: new Date(text('opensAt')).toISOString(),
    closesAt: store.closesAt,
    slots: {
      dates: { from: text('slots.dates.from'), to: text('slots.dates.to') },
      closedDates: words('slots.closedDates'),
      exceptions: exceptionsOfLines(text('slots.exceptions')),
      hours: words('slots.hours'),
      capacity: Number(text('slots.capacity')),
      priceMinor: 0,
    },
  }
}
