import { html } from '../shell/html.js'
import { storeDeskWords } from '../words/store-desk-words.js'
import { storeWords } from '../words/store-words.js'
import { Field } from './form-field.js'
import { linesOfHours, linesOfLinks, localTime } from './store-draft.js'

/** @import { StoreView } from '../../src/domain/stores/store-messages.ts' */

/** @typedef {{ store: StoreView | undefined, problem: unknown }} FieldsProps */

/** What it is, where and when. @param {FieldsProps} props */
export function StoreFacts({ store, problem }) {
  const words = storeDeskWords.value
  const times = { opensAt: localTime(store?.opensAt), closesAt: localTime(store?.closesAt) }
  return html`<${Field}
      name="name"
      problem=${problem}
      label=${words.name}
      value=${store?.name}
      required
      maxlength="100"
    />
    <${Field}
      name="category"
      problem=${problem}
      label=${storeWords.value.category}
      value=${store?.category ?? 'other'}
      options=${Object.entries(storeWords.value.categories)}
    />
    <${Field}
      name="address"
      problem=${problem}
      label=${words.address}
      value=${store?.address}
      required
      maxlength="200"
    />
    <div class="field-row">
      <${Field}
        name="latitude"
        problem=${problem}
        label=${words.latitude}
        value=${store?.latitude}
        type="number"
        step="any"
        min="-90"
        max="90"
        required
      />
      <${Field}
        name="longitude"
        problem=${problem}
        label=${words.longitude}
        value=${store?.longitude}
        type="number"
        step="any"
        min="-180"
        max="180"
        required
      />
    </div>
    <div class="field-row">
      <${Field}
        name="opensAt"
        problem=${problem}
        label=${words.opensAt}
        value=${times.opensAt}
        type="datetime-local"
        required
      />
      <${Field}
        name="closesAt"
        problem=${problem}
        label=${words.closesAt}
        value=${times.closesAt}
        type="datetime-local"
        required
      />
    </div>`
}

/** What is told of it. @param {FieldsProps} props */
export function StoreTexts({ store, problem }) {
  const words = storeDeskWords.value
  return html`<${Field}
      name="description"
      problem=${problem}
      label=${words.description}
      help=${words.markdown}
      value=${store?.description}
      rows="8"
      maxlength="20000"
    />
    <${Field}
      name="openingHours"
      problem=${problem}
      label=${storeWords.value.hours}
      help=${words.hoursHelp}
      value=${linesOfHours(store?.openingHours ?? [])}
      rows="3"
    />
    <${Field}
      name="links"
      problem=${problem}
      label=${storeWords.value.links}
      help=${words.linksHelp}
      value=${linesOfLinks(store?.links ?? [])}
      rows="3"
    />
    <${Field}
      name="maxPerAccount"
      problem=${problem}
      label=${words.maxPerAccount}
      help=${words.maxHelp}
      value=${store?.maxPerAccount ?? ''}
      type="number"
      min="1"
      max="50"
    />`
}
