import { useState } from '/vendor/preact-hooks.js'
import { hasAccount, haveAccount } from '../live/account.js'
import { second } from '../live/server-clock.js'
import { html } from '../shell/html.js'
import { moment } from '../shell/said.js'
import { chatWords } from '../words/chat-words.js'
import { shellWords } from '../words/shell-words.js'

/** @import { ChatEntry } from '../../src/domain/chat/chat-messages.ts' */
/** @import { RoomFeed } from './room-feed.js' */

const lettersMax = 1000
const nameMax = 20

/**
 * Where something is said.
 * @param {{ feed: RoomFeed, replied: ChatEntry | undefined, onReplied: () => void }} props
 */
export function TalkForm({ feed, replied, onReplied }) {
  const words = chatWords.value
  const [text, setText] = useState('')
  const { isClosed, me } = feed.room.value
  if (isClosed) return html`<p class="notice" role="status">${words.closed}</p>`
  if (me?.mutedUntil !== undefined && Date.parse(me.mutedUntil) > second.value) {
    return html`<p class="notice warning" role="status">${words.muted(moment(me.mutedUntil))}</p>`
  }
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    const said = text.trim()
    if (said === '') return
    setText('')
    onReplied()
    void feed.say(said, replied?.seq)
  }
  // Whoever only reads needs no account.
  const beSomebody = async () => {
    if (hasAccount()) return
    await haveAccount()
    feed.rejoin()
  }
  const left = lettersMax - text.length
  return html`<form class="talk" onSubmit=${submit}>
    ${
      replied &&
      html`<p class="small-text muted talk-reply">
        <span>${words.replyTo(replied.member?.name ?? words.organiser)}</span>
        <button type="button" class="small quiet" onClick=${onReplied}>${words.noReply}</button>
      </p>`
    }
    <div class="talk-line">
      <input
        aria-label=${words.say}
        placeholder=${words.sayHere}
        maxlength=${lettersMax}
        autocomplete="off"
        enterkeyhint="send"
        value=${text}
        onFocus=${() => void beSomebody()}
        onInput=${(/** @type {Event} */ event) => setText(/** @type {HTMLInputElement} */ (event.target).value)}
      />
      <button type="submit" class="primary" disabled=${text.trim() === ''}>${words.send}</button>
    </div>
    ${left < 100 && html`<p class="small-text muted" role="status">${words.lettersLeft(left)}</p>`}
    ${me && html`<${NameForm} feed=${feed} name=${me.name} />`}
  </form>`
}

/** @param {{ feed: RoomFeed, name: string }} props */
function NameForm({ feed, name }) {
  const words = chatWords.value
  const [wanted, setWanted] = useState(/** @type {string | undefined} */ (undefined))
  if (wanted === undefined) {
    return html`<p class="small-text muted talk-name">
      <span>${words.name}: <b>${name}</b></span>
      <button type="button" class="small quiet" onClick=${() => setWanted(name)}>${words.changeName}</button>
    </p>`
  }
  const keep = () => {
    if (wanted.trim() !== '' && wanted.trim() !== name) feed.beCalled(wanted.trim())
    setWanted(undefined)
  }
  return html`<div class="talk-line">
    <input
      aria-label=${words.name}
      maxlength=${nameMax}
      value=${wanted}
      onInput=${(/** @type {Event} */ event) => setWanted(/** @type {HTMLInputElement} */ (event.target).value)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'Enter') return
        event.preventDefault()
        keep()
      }}
    />
    <button type="button" onClick=${keep}>${words.keepName}</button>
    <button type="button" class="quiet" onClick=${() => setWanted(undefined)}>
      ${shellWords.value.close}
    </button>
  </div>`
}
