import { useEffect, useRef, useState } from '/vendor/preact-hooks.js'
import { call, newKey } from '../live/calls.js'
import { live } from '../live/live.js'
import { html } from '../shell/html.js'
import { number } from '../shell/said.js'
import { chatWords } from '../words/chat-words.js'
import { problemText } from '../words/problem-words.js'
import { deskKey } from '../desk/desk-key.js'
import { EntryLine } from './entry-line.js'
import { LinkedText } from './linked-text.js'
import { RoomDesk } from './room-desk.js'
import { RoomFeed } from './room-feed.js'
import { shownEntries } from './room-state.js'
import { TalkForm } from './talk-form.js'
import { UnsaidLine } from './unsaid-line.js'

/** @import { ChatEntry } from '../../src/domain/chat/chat-messages.ts' */

/** So near to its end the list follows what is said. */
const nearEndPx = 80

/** The room of a store. @param {{ storeId: string }} props */
export function ChatPanel({ storeId }) {
  const words = chatWords.value
  const [feed] = useState(() => {
    const listen = live.listen.bind(live)
    return new RoomFeed(storeId, { listen, call, newKey, nowMs: () => performance.now() })
  })
  useEffect(() => () => feed.end(), [feed])
  const [replied, setReplied] = useState(/** @type {ChatEntry | undefined} */ (undefined))
  const room = feed.room.value
  const problem = feed.problem.value
  return html`<section class="card chat" aria-labelledby="chat-title">
    <header class="chat-head">
      <h2 id="chat-title">${words.title}</h2>
      ${room.isKnown && html`<span class="pill figures">${words.members(number(room.members))}</span>`}
    </header>
    ${room.pinned && html`<${Pinned} entry=${room.pinned} />`}
    ${problem && html`<p class="notice failure" role="alert">${problemText(problem)}</p>`}
    ${!room.isKnown && !problem && html`<p class="muted" role="status">${words.loading}</p>`}
    <${Entries} feed=${feed} onReply=${setReplied} />
    ${deskKey.value !== '' && html`<${RoomDesk} storeId=${storeId} room=${room} />`}
    ${room.isKnown && html`<${TalkForm} feed=${feed} replied=${replied} onReplied=${() => setReplied(undefined)} />`}
  </section>`
}

/** @param {{ entry: ChatEntry }} props */
function Pinned({ entry }) {
  const words = chatWords.value
  return html`<p class="chat-pinned">
    <span class="pill accent">${words.pinned}</span>
    <span><b>${entry.member?.name ?? words.organiser}</b> <${LinkedText} text=${entry.text} /></span>
  </p>`
}

/** @param {{ feed: RoomFeed, onReply: (entry: ChatEntry) => void }} props */
function Entries({ feed, onReply }) {
  const words = chatWords.value
  const room = feed.room.value
  const unsaid = feed.unsaid.value
  const list = useRef(/** @type {HTMLElement | null} */ (null))
  const { isAtEnd, onScroll, toEnd } = useEnd(list, `${room.seq} ${unsaid.length}`)
  const [isReading, setReading] = useState(false)
  const shown = shownEntries(room)
  const bySeq = new Map(room.entries.map((entry) => [entry.seq, entry]))
  const readEarlier = async () => {
    const fromEnd = heightBelow(list.current)
    setReading(true)
    await feed.readEarlier()
    setReading(false)
    // What is looked at stays where it is.
    requestAnimationFrame(() => list.current?.scrollTo({ top: list.current.scrollHeight - fromEnd }))
  }
  return html`<div class="chat-entries-frame">
    <div
      class="chat-entries"
      role="log"
      aria-labelledby="chat-title"
      tabindex="0"
      ref=${list}
      onScroll=${onScroll}
    >
      ${
        room.isKnown &&
        feed.hasEarlier.value &&
        html`<button type="button" class="small quiet" disabled=${isReading} onClick=${readEarlier}>
          ${words.earlier}
        </button>`
      }
      ${room.isKnown && shown.length === 0 && unsaid.length === 0 && html`<p class="muted">${words.nothing}</p>`}
      <ul>
        ${shown.map(
          (entry) =>
            html`<${EntryLine}
              key=${entry.seq}
              storeId=${feed.storeId}
              entry=${entry}
              answered=${entry.replyTo === undefined ? undefined : bySeq.get(entry.replyTo)}
              isMine=${entry.member !== null && entry.member.id === room.me?.id}
              onReply=${room.isClosed ? undefined : onReply}
            />`,
        )}
        ${unsaid.map((one) => html`<${UnsaidLine} key=${one.key} feed=${feed} one=${one} />`)}
      </ul>
    </div>
    ${!isAtEnd && html`<button type="button" class="small chat-newest" onClick=${toEnd}>${words.newest}</button>`}
  </div>`
}

/**
 * Keeps the end of a list in sight for whoever is there; whoever reads further up is left in peace.
 * @param {{ current: HTMLElement | null }} list @param {string} contents changes with what is in the list
 */
function useEnd(list, contents) {
  const [isAtEnd, setAtEnd] = useState(true)
  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight })
  useEffect(() => {
    if (isAtEnd) toEnd()
  }, [contents])
  const onScroll = () => setAtEnd(heightBelow(list.current) - (list.current?.clientHeight ?? 0) < nearEndPx)
  return { isAtEnd, onScroll, toEnd }
}

/** From the upper edge of what is seen to the end. @param {HTMLElement | null} list */
function heightBelow(list) {
  return list === null ? 0 : list.scrollHeight - list.scrollTop
}
