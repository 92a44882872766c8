import { Component, render } from '/vendor/preact.js'
import { effect } from '/vendor/signals.js'
import { html } from './html.js'
import { keepServerTime } from '../live/server-clock.js'
import { language } from '../words/language.js'
import { shellWords } from '../words/shell-words.js'

/** @import { ComponentChildren, ComponentType } from '/vendor/preact.js' */

/** Shows a page. To be called once, by the script of the page. @param {ComponentType} Page */
export function startPage(Page) {
  keepServerTime()
  effect(() => {
    document.documentElement.lang = language.value
  })
  const root = document.querySelector('#page')
  if (root === null) throw new Error('The page has no #page')
  root.replaceChildren()
  // In a task of its own: on a slow machine the first layout alone takes long.
  setTimeout(() => render(html`<${Unbroken}><${Page} /><//>`, root))
}

/** What throws while it is drawn leaves a way out instead of an empty page. */
class Unbroken extends Component {
  /** @override */
  state = { isBroken: false }

  /** @override @param {unknown} error */
  componentDidCatch(error) {
    this.setState({ isBroken: true })
    reportError(error)
  }

  /** @override @param {{ children?: ComponentChildren }} props */
  render({ children }) {
    if (!this.state.isBroken) return children
    const words = shellWords.value
    return html`<main class="content">
      <div class="quiet-card" role="alert">
        <h1>${words.wentWrong}</h1>
        <p>${words.broken}</p>
        <button type="button" class="primary" onClick=${() => location.reload()}>${words.reload}</button>
      </div>
    </main>`
  }
}
