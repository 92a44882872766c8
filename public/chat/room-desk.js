import { useState } from '/vendor/preact-hooks.js'
import { newKey } from '../live/calls.js'
import { html } from '../shell/html.js'
import { chatWords } from '../words/chat-words.js'
import { problemText } from '../words/problem-words.js'
import { useDesk } from './entry-desk.js'

/** @import { RoomState } from './room-state.js' */

/** Seconds to choose from. */
const pauses = [0, 5, 15, 60, 300]

/** What the organiser does with the room. @param {{ storeId: string, room: RoomState }} props */
export function RoomDesk({ storeId, room: { slowSeconds, isClosed, pinned } }) {
  const words = chatWords.value
  const { ask, failure } = useDesk(`/stores/${storeId}`)
  const [text, setText] = useState('')
  const change = (/** @type {{ slowSeconds?: number, closed?: boolean }} */ body) =>
    void ask('/room', { method: 'PATCH', body })
  const notice = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    await ask('/messages', { method: 'POST', key: newKey(), body: { text: text.trim(), notice: true } })
    setText('')
  }
  const choices = pauses.includes(slowSeconds) ? pauses : [...pauses, slowSeconds]
  return html`<details class="room-desk">
    <summary>${words.moderate}</summary>
    <form class="talk-line" onSubmit=${notice}>
      <input
        aria-label=${words.asNotice}
        placeholder=${words.asNotice}
        maxlength="1000"
        value=${text}
        onInput=${(/** @type {Event} */ event) => setText(/** @type {HTMLInputElement} */ (event.target).value)}
      />
      <button type="submit" disabled=${text.trim() === ''}>${words.send}</button>
    </form>
    <div class="buttons">
      <label class="small-text">
        ${words.slowMode}
        <select
          class="small"
          value=${slowSeconds}
          onChange=${(/** @type {Event} */ event) =>
            change({ slowSeconds: Number(/** @type {HTMLSelectElement} */ (event.target).value) })}
        >
          ${choices.map((seconds) => html`<option value=${seconds}>${seconds === 0 ? words.off : words.seconds(seconds)}</option>`)}
        </select>
      </label>
      ${
        pinned &&
        html`<button
          type="button"
          class="small"
          onClick=${() => void ask('/messages/pinned', { method: 'PUT', body: { seq: null } })}
        >
          ${words.unpin}
        </button>`
      }
      <button type="button" class="small" onClick=${() => change({ closed: !isClosed })}>
        ${isClosed ? words.openRoom : words.closeRoom}
      </button>
    </div>
    ${failure !== undefined && html`<p class="notice failure" role="alert">${problemText(failure)}</p>`}
  </details>`
}
