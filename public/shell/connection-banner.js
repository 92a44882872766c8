import { html } from './html.js'
import { span } from './said.js'
import { connection, live } from '../live/live.js'
import { second } from '../live/server-clock.js'
import { shellWords } from '../words/shell-words.js'

/** Says that the connection is gone and how old the picture is; nothing while all is well. */
export function ConnectionBanner() {
  const { state, heardAtMs } = connection.value
  const words = shellWords.value
  if (state !== 'lost' && state !== 'refused') return html`<div class="banner" role="status"></div>`
  if (state === 'refused') {
    return html`<div class="banner shown" role="status">
      <span>${words.refused}</span>
      <button type="button" class="small" onClick=${() => live.wake()}>${words.reconnect}</button>
    </div>`
  }
  return html`<div class="banner shown" role="status">
    <span class="visually-hidden">${words.lost}</span>
    <span aria-hidden="true">
      ${heardAtMs === 0 ? words.lost : html`<${LostSince} heardAtMs=${heardAtMs} />`}
    </span>
    <button type="button" class="small" onClick=${() => live.wake()}>${words.tryNow}</button>
  </div>`
}

/** Counts on; apart from the banner, so that a screen reader is told of the loss once. @param {{ heardAtMs: number }} props */
function LostSince({ heardAtMs }) {
  // Read so that it is drawn each second.
  void second.value
  const seconds = Math.max(1, Math.round((Date.now() - heardAtMs) / 1000))
  return shellWords.value.lostSince(span(seconds))
}
