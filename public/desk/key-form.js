import { useState } from '/vendor/preact-hooks.js'
import { toProblem } from '../live/problem.js'
import { html } from '../shell/html.js'
import { deskWords } from '../words/desk-words.js'
import { problemText } from '../words/problem-words.js'
import { deskCall, keepDeskKey } from './desk-key.js'

/** Where the organiser's key is asked for, and tried. */
export function KeyForm() {
  const words = deskWords.value
  const [failure, setFailure] = useState('')
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    const field = /** @type {HTMLFormElement} */ (event.target).elements.namedItem('key')
    keepDeskKey(/** @type {HTMLInputElement} */ (field).value.trim())
    try {
      await deskCall('/organiser/sales?limit=1')
    } catch (thrown) {
      keepDeskKey('')
      const { status } = toProblem(thrown)
      setFailure(status === 401 || status === 403 ? words.wrongKey : problemText(thrown))
    }
  }
  return html`<form class="card key-form" onSubmit=${submit}>
    <h1>${words.keyTitle}</h1>
    <p class="muted">${words.keyText}</p>
    <label for="key">${words.key}</label>
    <input id="key" name="key" type="password" autocomplete="off" required autofocus />
    <button class="primary" type="submit">${words.open}</button>
    ${failure && html`<p class="notice failure" role="alert">${failure}</p>`}
  </form>`
}
