import { useEffect, useId, useRef } from '/vendor/preact-hooks.js'
import { html } from './html.js'

/**
 * Asks before something that cannot be undone, in a dialog of the browser's own: focus is kept in and given back,
 * Escape says no. Render it while the question stands.
 * @param {{ title: string, text: string, yes: string, no: string, onYes: () => void, onNo: () => void }} props
 */
export function AskFirst({ title, text, yes, no, onYes, onNo }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null))
  const id = useId()
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return html`<dialog
    class="ask"
    ref=${dialog}
    aria-labelledby=${`${id}t`}
    aria-describedby=${`${id}d`}
    onClose=${onNo}
  >
    <h2 id=${`${id}t`}>${title}</h2>
    <p id=${`${id}d`}>${text}</p>
    <div class="buttons">
      <button type="button" class="danger" onClick=${onYes}>${yes}</button>
      <button type="button" autofocus onClick=${() => dialog.current?.close()}>${no}</button>
    </div>
  </dialog>`
}
