import { Problem } from '../live/problem.js'
import { html } from '../shell/html.js'
import { problemText } from '../words/problem-words.js'
import { tillWords } from '../words/till-words.js'
import { unitName } from './unit-name.js'

/** @import { Places } from './places.js' */

/** What the buyer has to be told: that others were quicker, that a hold has ended, what is wrong. @param {{ places: Places }} props */
export function TillNews({ places }) {
  const words = tillWords.value
  const { news } = places.state.value
  const dismiss = () => places.till.change((now) => ({ ...now, news: undefined }))
  const isGood = news?.code === 'released' || news?.code === 'hold_extended'
  return html`<div class="till-news" role="status" aria-live="polite">
    ${
      news &&
      html`<div class=${`notice ${isGood ? '' : 'warning'}`}>
        <span>${newsText(places, news)}</span>
        ${
          places.mayChoose.value &&
          news.nearest?.map(
            (code) =>
              html`<button
                type="button"
                class="small"
                key=${code}
                onClick=${() => places.choose(code, 1, { isOnly: true })}
              >
                ${unitName(places.units, code)}
              </button>`,
          )
        }
        <button type="button" class="small quiet" onClick=${dismiss}>${words.close}</button>
      </div>`
    }
    ${places.freed.value.map(
      (code) =>
        html`<div class="notice" key=${code}>
          <span>${words.freeAgain(unitName(places.units, code))}</span>
          ${
            places.mayChoose.value &&
            html`<button type="button" class="small" onClick=${() => places.choose(code, 1)}>
              ${words.chooseIt}
            </button>`
          }
          <button type="button" class="small quiet" onClick=${() => places.forgetFreed(code)}>
            ${words.close}
          </button>
        </div>`,
    )}
  </div>`
}

/** @param {Places} places @param {{ code: string, units: readonly string[] }} news */
function newsText(places, { code, units }) {
  /** @type {Readonly<Record<string, string | ((codes: string) => string)>>} */
  const known = tillWords.value.news
  const text = known[code]
  if (text === undefined) return problemText(new Problem({ code }))
  return typeof text === 'string' ? text : text(units.map((unit) => unitName(places.units, unit)).join(', '))
}
