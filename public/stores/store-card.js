import { second } from '../live/server-clock.js'
import { html } from '../shell/html.js'
import { distance, number, shortDate } from '../shell/said.js'
import { storeWords } from '../words/store-words.js'

/** @import { StoreItem } from '../../src/domain/stores/store-messages.ts' */

/** A store in a list, and the way to it. @param {{ store: StoreItem }} props */
export function StoreCard({ store }) {
  const words = storeWords.value
  const { id, name, category, address, opensAt, closesAt, pictures, popularity, distanceMetres } = store
  const [picture] = pictures
  return html`<a class="card store-card" href=${`/store?store=${id}`}>
    ${
      picture === undefined
        ? html`<span class=${`store-picture plain ${category}`} aria-hidden="true"
            >${String.fromCodePoint(name.codePointAt(0) ?? 0)}</span
          >`
        : html`<img
            class="store-picture"
            src=${picture.urls.small}
            alt=${picture.alt}
            width=${picture.width}
            height=${picture.height}
            loading="lazy"
          />`
    }
    <span class="tags">
      <${OpenPill} store=${store} />
      <span class="pill">${words.categories[category]}</span>
    </span>
    <h2>${name}</h2>
    <p class="muted small-text">${words.period(shortDate(opensAt), shortDate(closesAt))}</p>
    <p class="muted small-text">
      ${address}${distanceMetres === undefined ? '' : ` · ${words.away(distance(distanceMetres))}`}
    </p>
    ${popularity > 0 && html`<p class="small-text figures">${words.booked(number(popularity))}</p>`}
  </a>`
}

/** Whether the store is open by its period. @param {{ store: Pick<StoreItem, 'status' | 'opensAt' | 'closesAt'> }} props */
export function OpenPill({ store: { status, opensAt, closesAt } }) {
  const words = storeWords.value
  const nowMs = second.value
  if (status === 'closed' || Date.parse(closesAt) <= nowMs)
    return html`<span class="pill">${words.closed}</span>`
  if (Date.parse(opensAt) > nowMs) return html`<span class="pill accent">${words.opensSoon}</span>`
  return html`<span class="pill good">${words.openNow}</span>`
}
