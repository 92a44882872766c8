import { problemText } from '../words/problem-words.js'
import { shellWords } from '../words/shell-words.js'
import { html } from './html.js'

/** What went wrong, where something did, and a way to try again. @param {{ problem: unknown, again?: () => void }} props */
export function ProblemNotice({ problem, again }) {
  if (problem === undefined) return null
  return html`<div class="notice failure" role="alert">
    <span>${problemText(problem)}</span>
    ${again && html`<button type="button" class="small" onClick=${again}>${shellWords.value.tryAgain}</button>`}
  </div>`
}
