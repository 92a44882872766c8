import { html } from '../shell/html.js'
import { chatWords } from '../words/chat-words.js'
import { problemText } from '../words/problem-words.js'

/** @import { RoomFeed, Unsaid } from './room-feed.js' */

/** Something said here that is not in the room yet. @param {{ feed: RoomFeed, one: Unsaid }} props */
export function UnsaidLine({ feed, one }) {
  const words = chatWords.value
  return html`<li class="chat-entry mine unsaid">
    <p class="chat-text">${one.text}</p>
    ${
      one.problem === undefined
        ? html`<p class="muted small-text">${words.sending}</p>`
        : html`<div role="alert">
            <p class="small-text bad-text">${problemText(one.problem)}</p>
            <p class="chat-deeds">
              <button type="button" class="small" onClick=${() => void feed.sayAgain(one)}>
                ${words.again}
              </button>
              <button type="button" class="small quiet" onClick=${() => feed.takeBack(one)}>
                ${words.takeBack}
              </button>
            </p>
          </div>`
    }
  </li>`
}
