import { html } from '../shell/html.js'
import { clock } from '../shell/said.js'
import { chatWords } from '../words/chat-words.js'
import { deskKey } from '../desk/desk-key.js'
import { LinkedText } from './linked-text.js'
import { EntryDesk } from './entry-desk.js'

/** @import { ChatEntry } from '../../src/domain/chat/chat-messages.ts' */

/**
 * One entry of a room as it is read.
 * @param {object} props
 * @param {string} props.storeId
 * @param {ChatEntry} props.entry
 * @param {ChatEntry | undefined} props.answered the entry it answers, where that is known
 * @param {boolean} props.isMine
 * @param {((entry: ChatEntry) => void) | undefined} props.onReply
 */
export function EntryLine({ storeId, entry, answered, isMine, onReply }) {
  const words = chatWords.value
  const { kind, member, text, at, deleted } = entry
  if (kind !== 'talk' && kind !== 'notice') {
    return html`<li class="chat-event muted small-text">${eventText(entry)}</li>`
  }
  const name = member?.name ?? words.organiser
  const isOrganiser = member === null
  return html`<li class=${`chat-entry ${isMine ? 'mine' : ''} ${kind === 'notice' ? 'notice-entry' : ''}`}>
    <p class="chat-who small-text">
      ${kind === 'notice' && html`<span class="pill accent">${words.notice}</span>`}
      <b class=${isOrganiser ? 'organiser' : ''}>${isMine ? words.you : name}</b>
      <time class="muted figures" datetime=${at}>${clock(at)}</time>
    </p>
    ${
      answered &&
      html`<p class="chat-answered small-text muted">
        ${answered.member?.name ?? words.organiser}: ${answered.deleted ? words.deleted : answered.text}
      </p>`
    }
    ${deleted ? html`<p class="muted chat-text">${words.deleted}</p>` : html`<p class="chat-text"><${LinkedText} text=${text} /></p>`}
    ${
      !deleted &&
      html`<p class="chat-deeds">
        ${
          onReply &&
          html`<button
            type="button"
            class="small quiet"
            aria-label=${words.replyTo(name)}
            onClick=${() => onReply(entry)}
          >
            ${words.reply}
          </button>`
        }
        ${deskKey.value !== '' && html`<${EntryDesk} storeId=${storeId} entry=${entry} />`}
      </p>`
    }
  </li>`
}

/** @param {ChatEntry} entry */
function eventText({ kind, seconds }) {
  const words = chatWords.value
  if (kind === 'slow') return words.slow(seconds ?? 0)
  return kind === 'closed' ? words.wasClosed : words.wasOpened
}
