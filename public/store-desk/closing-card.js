import { useState } from '/vendor/preact-hooks.js'
import { deskCall } from '../desk/desk-key.js'
import { AskFirst } from '../shell/ask-first.js'
import { html } from '../shell/html.js'
import { ProblemNotice } from '../shell/problem-notice.js'
import { storeDeskWords } from '../words/store-desk-words.js'

/** @import { StoreView } from '../../src/domain/stores/store-messages.ts' */

/** Closes a store for good. @param {{ store: StoreView, onClosed: (store: StoreView) => unknown }} props */
export function ClosingCard({ store, onClosed }) {
  const words = storeDeskWords.value
  const [isAsking, setAsking] = useState(false)
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const close = async () => {
    setAsking(false)
    try {
      onClosed(await deskCall(`/stores/${store.id}`, { method: 'PATCH', body: { status: 'closed' } }))
    } catch (thrown) {
      setProblem(thrown)
    }
  }
  return html`<section class="card closing" aria-labelledby="closing">
    <h2 id="closing">${words.closing}</h2>
    <p class="muted">${words.closingText}</p>
    <button type="button" class="danger" onClick=${() => setAsking(true)}>${words.close}</button>
    <${ProblemNotice} problem=${problem} />
    ${
      isAsking &&
      html`<${AskFirst}
        title=${words.closeTitle(store.name)}
        text=${words.closingText}
        yes=${words.close}
        no=${words.keep}
        onYes=${() => void close()}
        onNo=${() => setAsking(false)}
      />`
    }
  </section>`
}
