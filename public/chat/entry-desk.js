import { useState } from '/vendor/preact-hooks.js'
import { deskCall } from '../desk/desk-key.js'
import { html } from '../shell/html.js'
import { chatWords } from '../words/chat-words.js'
import { problemText } from '../words/problem-words.js'

/** @import { ChatEntry } from '../../src/domain/chat/chat-messages.ts' */
/** @import { CallOptions } from '../live/calls.js' */

/** What the organiser does with an entry and whoever said it. @param {{ storeId: string, entry: ChatEntry }} props */
export function EntryDesk({ storeId, entry: { seq, member } }) {
  const words = chatWords.value
  const { ask, failure } = useDesk(`/stores/${storeId}`)
  const mute = (/** @type {Event} */ event) => {
    const select = /** @type {HTMLSelectElement} */ (event.target)
    const minutes = Number(select.value)
    select.value = ''
    void ask(`/members/${member?.id}/mute`, { method: 'POST', body: { minutes } })
  }
  return html`<button
      type="button"
      class="small quiet"
      onClick=${() => void ask(`/messages/${seq}`, { method: 'DELETE' })}
    >
      ${words.remove}
    </button>
    <button
      type="button"
      class="small quiet"
      onClick=${() => void ask('/messages/pinned', { method: 'PUT', body: { seq } })}
    >
      ${words.pin}
    </button>
    ${
      member &&
      html`<select class="small" aria-label=${words.muteWhom(member.name)} onChange=${mute}>
        <option value="">${words.muteFor}</option>
        ${Object.entries(words.minutes).map(([minutes, text]) => html`<option value=${minutes}>${text}</option>`)}
        <option value="0">${words.unmute}</option>
      </select>`
    }
    ${failure !== undefined && html`<span class="bad-text small-text" role="alert">${problemText(failure)}</span>`}`
}

/** Asks in the organiser's name, one thing after the other. @param {string} base */
export function useDesk(base) {
  const [failure, setFailure] = useState(/** @type {unknown} */ (undefined))
  const ask = async (/** @type {string} */ path, /** @type {CallOptions} */ options) => {
    try {
      await deskCall(`${base}${path}`, options)
      setFailure(undefined)
    } catch (thrown) {
      setFailure(thrown)
    }
  }
  return { ask, failure }
}
