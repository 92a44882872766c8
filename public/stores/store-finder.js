import { useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { storeWords } from '../words/store-words.js'

/** @import { StoreCategory } from '../../src/domain/stores/store-messages.ts' */
/** @import { StoreWish } from './store-wish.js' */

/** Where one says what one looks for. @param {{ wish: StoreWish, onWish: (wish: StoreWish) => void }} props */
export function StoreFinder({ wish, onWish }) {
  const words = storeWords.value
  const take = (/** @type {keyof StoreWish} */ field) => (/** @type {Event} */ event) =>
    onWish({ ...wish, [field]: /** @type {HTMLInputElement} */ (event.target).value })
  return html`<search class="finder">
    <input
      type="search"
      class="finder-name"
      placeholder=${words.search}
      aria-label=${words.search}
      title=${words.searchHelp}
      maxlength="100"
      value=${wish.name}
      onInput=${take('name')}
    />
    <${Categories}
      chosen=${wish.category}
      onChoose=${(/** @type {StoreWish['category']} */ category) => onWish({ ...wish, category })}
    />
    <details class="finder-more">
      <summary>${words.moreFilters}</summary>
      <div class="finder-fields">
        <label>
          <span>${words.place}</span>
          <input
            type="search"
            maxlength="100"
            placeholder=${words.placeHelp}
            value=${wish.place}
            onInput=${take('place')}
          />
        </label>
        <label
          ><span>${words.from}</span><input type="date" value=${wish.from} onInput=${take('from')}
        /></label>
        <label>
          <span>${words.to}</span>
          <input type="date" min=${wish.from} value=${wish.to} onInput=${take('to')} />
        </label>
        <${Sort} wish=${wish} onWish=${onWish} />
      </div>
    </details>
  </search>`
}

/** @param {{ chosen: StoreWish['category'], onChoose: (category: StoreWish['category']) => void }} props */
function Categories({ chosen, onChoose }) {
  const words = storeWords.value
  const all = /** @type {[StoreCategory, string][]} */ (Object.entries(words.categories))
  const choice = (/** @type {StoreWish['category']} */ category, /** @type {string} */ text) =>
    html`<button
      type="button"
      class="small"
      aria-pressed=${chosen === category}
      onClick=${() => onChoose(category)}
    >
      ${text}
    </button>`
  return html`<div class="finder-categories" role="group" aria-label=${words.category}>
    ${choice('', words.all)} ${all.map(([category, text]) => choice(category, text))}
  </div>`
}

/** @param {{ wish: StoreWish, onWish: (wish: StoreWish) => void }} props */
function Sort({ wish, onWish }) {
  const words = storeWords.value
  const [state, setState] = useState(/** @type {'' | 'locating' | 'failed'} */ (''))
  const choose = (/** @type {Event} */ event) => {
    const sort = /** @type {StoreWish['sort']} */ (/** @type {HTMLSelectElement} */ (event.target).value)
    onWish({ ...wish, sort })
    if (sort !== 'distance' || wish.near !== undefined) return setState('')
    setState('locating')
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude } }) => {
        setState('')
        onWish({ ...wish, sort, near: { latitude, longitude } })
      },
      () => setState('failed'),
      { timeout: 10_000, maximumAge: 600_000 },
    )
  }
  return html`<label>
    <span>${words.sort}</span>
    <select value=${wish.sort} onChange=${choose}>
      <option value="opening">${words.sorts.opening}</option>
      <option value="popularity">${words.sorts.popularity}</option>
      <option value="distance">${words.sorts.distance}</option>
    </select>
    ${
      state !== '' &&
      html`<span class="small-text muted" role="status"
        >${state === 'locating' ? words.locating : words.notLocated}</span
      >`
    }
  </label>`
}
