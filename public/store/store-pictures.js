import { html } from '../shell/html.js'
import { storeWords } from '../words/store-words.js'

/** @import { StorePicture } from '../../src/domain/stores/store-messages.ts' */

/** Pictures side by side, to be swept through. @param {{ pictures: readonly StorePicture[] }} props */
export function StorePictures({ pictures }) {
  const words = storeWords.value
  return html`<ul
    class="store-pictures"
    aria-label=${words.pictures}
    tabindex=${pictures.length > 1 ? 0 : null}
  >
    ${pictures.map(
      ({ id, alt, width, height, urls }, index) =>
        html`<li key=${id} aria-label=${words.pictureOf(index + 1, pictures.length)}>
          <img
            src=${urls.large}
            srcset=${`${urls.small} 480w, ${urls.large} ${width}w`}
            sizes="(min-width: 64rem) 40rem, 100vw"
            alt=${alt}
            width=${width}
            height=${height}
            loading=${index === 0 ? 'eager' : 'lazy'}
          />
        </li>`,
    )}
  </ul>`
}
