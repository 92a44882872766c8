import { h } from '/vendor/preact.js'
import htm from '/vendor/htm.js'

/** @import { VNode } from '/vendor/preact.js' */

/**
 * What a component returns: html`<p class="muted">${text}</p>`. Text is text, whatever stands in it.
 * @type {(strings: TemplateStringsArray, ...values: unknown[]) => VNode}
 */
export const html = /** @type {never} */ (htm.bind(h))
