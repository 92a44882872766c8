import { html } from './html.js'
import { ConnectionBanner } from './connection-banner.js'
import { shellWords } from '../words/shell-words.js'
import { language, speak } from '../words/language.js'

/** @import { ComponentChildren } from '/vendor/preact.js' */

/**
 * The frame of every page: a header, the state of the connection where there is something to say, the content.
 * @param {{ here: 'stores' | 'store' | 'sales' | 'orders' | 'desk' | 'sale', wide?: boolean, children: ComponentChildren }} props
 */
export function PageFrame({ here, wide, children }) {
  const words = shellWords.value
  const link = (/** @type {string} */ name, /** @type {string} */ href, /** @type {string} */ text) =>
    html`<a href=${href} aria-current=${here === name ? 'page' : null}>${text}</a>`
  return html`
    <a class="skip" href="#content">${words.toContent}</a>
    <header class="top">
      <a class="brand" href="/" aria-label="Openrun"
        ><span class="brand-mark" aria-hidden="true"></span>Openrun</a
      >
      <nav>
        ${link('stores', '/stores', words.stores)} ${link('sales', '/', words.sales)}
        ${link('orders', '/orders', words.orders)}
      </nav>
      <${LanguageSwitch} />
    </header>
    <${ConnectionBanner} />
    <main id="content" class=${wide ? 'content wide' : 'content'} tabindex="-1">${children}</main>
  `
}

/** One press, since there are two: it says, in its own language, the one that is not spoken now. */
function LanguageSwitch() {
  const other = language.value === 'en' ? 'ko' : 'en'
  const name = other === 'ko' ? '한국어' : 'English'
  return html`<button type="button" class="language" lang=${other} onClick=${() => speak(other)}>
    ${name}
  </button>`
}
