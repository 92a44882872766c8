import { useState } from '/vendor/preact-hooks.js'
import { AskFirst } from '../shell/ask-first.js'
import { html } from '../shell/html.js'
import { problemText } from '../words/problem-words.js'
import { saleWords } from '../words/sale-words.js'

/** @import { SaleVisit } from './sale-visit.js' */

/** Gives the place, or the entry to the draw, back; asks first. @param {{ visit: SaleVisit, isEntry?: boolean }} props */
export function LeaveButton({ visit, isEntry }) {
  const words = saleWords.value
  const [isAsking, setAsking] = useState(false)
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const leave = () => {
    setAsking(false)
    visit.leave().catch(setProblem)
  }
  return html`
    <button type="button" class="quiet" onClick=${() => setAsking(true)}>
      ${isEntry ? words.withdraw : words.leave}
    </button>
    ${problem !== undefined && html`<p class="notice failure" role="alert">${problemText(problem)}</p>`}
    ${
      isAsking &&
      html`<${AskFirst}
        title=${isEntry ? words.withdrawTitle : words.leaveTitle}
        text=${isEntry ? words.withdrawText : words.leaveText}
        yes=${isEntry ? words.withdraw : words.leave}
        no=${words.stay}
        onYes=${leave}
        onNo=${() => setAsking(false)}
      />`
    }
  `
}
