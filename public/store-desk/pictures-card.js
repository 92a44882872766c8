import { useState } from '/vendor/preact-hooks.js'

import { deskCall, deskHeaders } from '../desk/desk-key.js'
import { problemOf } from '../live/problem.js'
import { html } from '../shell/html.js'
import { ProblemNotice } from '../shell/problem-notice.js'
import { textsOf } from './store-draft.js'
import { storeDeskWords } from '../words/store-desk-words.js'
import { storeWords } from '../words/store-words.js'

/** @import { StoreView } from '../../src/domain/stores/store-messages.ts' */

/** The pictures of a store, to be added and removed. @param {{ store: StoreView, onChanged: () => Promise<void> }} props */
export function PicturesCard({ store, onChanged }) {
  const words = storeDeskWords.value
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const [isSending, setSending] = useState(false)
  const work = async (/** @type {() => Promise<unknown>} */ what) => {
    setSending(true)
    try {
      await what()
      setProblem(undefined)
      await onChanged()
    } catch (thrown) {
      setProblem(thrown)
    }
    setSending(false)
  }
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    const form = /** @type {HTMLFormElement} */ (event.target)
    const data = new FormData(form)
    const file = /** @type {File} */ (data.get('file'))
    void work(async () => {
      await send(store.id, file, textsOf(data)('alt'))
      form.reset()
    })
  }
  return html`<section class="card" aria-labelledby="pictures">
    <h2 id="pictures">${storeWords.value.pictures}</h2>
    <ul class="own-pictures">
      ${store.pictures.map(
        ({ id, alt, urls, width, height }) =>
          html`<li key=${id}>
            <img src=${urls.small} alt=${alt} width=${width} height=${height} />
            <button
              type="button"
              class="small"
              disabled=${isSending}
              aria-label=${`${words.removePicture}: ${alt}`}
              onClick=${() => void work(() => deskCall(`/stores/${store.id}/pictures/${id}`, { method: 'DELETE' }))}
            >
              ${words.removePicture}
            </button>
          </li>`,
      )}
    </ul>
    <form class="picture-form" onSubmit=${submit}>
      <label class="field">
        <span>${words.picture}</span>
        <input type="file" name="file" accept="image/jpeg,image/png,image/webp" required />
      </label>
      <label class="field"><span>${words.alt}</span><input name="alt" maxlength="200" required /></label>
      <button type="submit" disabled=${isSending}>${isSending ? words.sending : words.addPicture}</button>
    </form>
    <${ProblemNotice} problem=${problem} />
  </section>`
}

/** @param {string} storeId @param {File} file @param {string} alt */
async function send(storeId, file, alt) {
  const response = await fetch(`/api/v1/stores/${storeId}/pictures?alt=${encodeURIComponent(alt)}`, {
    method: 'POST',
    headers: { ...deskHeaders(), 'content-type': file.type },
    body: file,
  })
  if (!response.ok) throw await problemOf(response)
}
