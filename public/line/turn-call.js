import { useEffect, useRef, useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { number } from '../shell/said.js'
import { saleWords } from '../words/sale-words.js'

/** @import { SaleView } from '../../src/domain/sales/sale-messages.ts' */
/** @import { Place } from './line-state.js' */

/**
 * The title of the tab says the position and whose turn it is; and if the buyer asked for it and looks elsewhere, the
 * browser calls them. Without a sound.
 * @param {SaleView | undefined} sale @param {Place} place
 */
export function useTitle(sale, place) {
  const words = saleWords.value
  const before = useRef(place.at)
  const name = sale?.title ?? 'Openrun'
  const isTurn = place.at === 'admitted'
  const position = place.at === 'waiting' ? place.told?.position : undefined
  useEffect(() => {
    if (isTurn) document.title = `● ${words.yourTurn} · ${name}`
    else document.title = position === undefined ? `${name} · Openrun` : `${number(position)} · ${name}`
  })
  useEffect(() => {
    if (isTurn && before.current === 'waiting' && document.visibilityState === 'hidden')
      callBack(words.yourTurn, name)
    before.current = place.at
  }, [place.at])
}

/** Asks whether the browser may call; nothing where it cannot. */
export function TurnCall() {
  const words = saleWords.value
  const [permission, setPermission] = useState(globalThis.Notification?.permission ?? 'denied')
  if (permission === 'denied') return null
  if (permission === 'granted') return html`<p class="muted small-text">${words.notifying}</p>`
  const ask = () => void Notification.requestPermission().then(setPermission)
  return html`<button type="button" class="small" onClick=${ask}>${words.notify}</button>`
}

/** @param {string} text @param {string} name */
function callBack(text, name) {
  if (globalThis.Notification?.permission !== 'granted') return
  try {
    const call = new Notification(text, { body: name, tag: 'turn', silent: true })
    call.onclick = () => {
      globalThis.focus()
      call.close()
    }
  } catch {
    // On some phones only a service worker may call; the title does.
  }
}
