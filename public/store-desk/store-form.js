import { useState } from '/vendor/preact-hooks.js'
import { deskCall } from '../desk/desk-key.js'
import { newKey } from '../live/calls.js'
import { html } from '../shell/html.js'
import { storeDeskWords } from '../words/store-desk-words.js'
import { FormProblem } from './form-field.js'
import { hoursOfLines, linksOfLines, textsOf } from './store-draft.js'
import { StoreFacts, StoreTexts } from './store-fields.js'

/** @import { StoreView } from '../../src/domain/stores/store-messages.ts' */

/** Registers a store, or changes the one that is given. @param {{ store?: StoreView, onSaved: (store: StoreView) => unknown }} props */
export function StoreForm({ store, onSaved }) {
  const words = storeDeskWords.value
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const [state, setState] = useState(/** @type {'' | 'saving' | 'saved'} */ (''))
  // However often it is sent, it is one store.
  const [key] = useState(newKey)
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    setState('saving')
    const body = bodyOf(new FormData(/** @type {HTMLFormElement} */ (event.target)))
    try {
      /** @type {StoreView} */
      const saved =
        store === undefined
          ? await deskCall('/stores', {
              method: 'POST',
              key,
              body: { ...body, maxPerAccount: body.maxPerAccount ?? undefined },
            })
          : await deskCall(`/stores/${store.id}`, { method: 'PATCH', body })
      setProblem(undefined)
      setState('saved')
      onSaved(saved)
    } catch (thrown) {
      setProblem(thrown)
      setState('')
    }
  }
  return html`<form class="card store-form" onSubmit=${submit} onInput=${() => setState('')}>
    <h2>${store === undefined ? words.newStore : words.change}</h2>
    <${StoreFacts} store=${store} problem=${problem} />
    <${StoreTexts} store=${store} problem=${problem} />
    <${FormProblem} problem=${problem} />
    <div class="buttons">
      <button type="submit" class="primary" disabled=${state === 'saving'}>
        ${store === undefined ? words.register : words.save}
      </button>
      <span class="muted small-text" role="status">${state === 'saved' ? words.saved : ''}</span>
    </div>
  </form>`
}

/** @param {FormData} form */
function bodyOf(form) {
  const text = textsOf(form)
  return {
    name: text('name'),
    category: text('category'),
    address: text('address'),
    latitude: Number(text('latitude')),
    longitude: Number(text('longitude')),
    opensAt: new Date(text('opensAt')).toISOString(),
    closesAt: new Date(text('closesAt')).toISOString(),
    description: text('description'),
    openingHours: hoursOfLines(text('openingHours')),
    links: linksOfLines(text('links')),
    maxPerAccount: text('maxPerAccount') === '' ? null : Number(text('maxPerAccount')),
  }
}
