import { useId } from '/vendor/preact-hooks.js'
import { toProblem } from '../live/problem.js'
import { html } from '../shell/html.js'
import { problemText } from '../words/problem-words.js'

/**
 * A field with what it is called and what is wrong with it. With `options` a choice, with `rows` several lines.
 * @param {{
 *   name: string, label: string, problem: unknown, value?: string | number | undefined, help?: string, rows?: string,
 *   options?: readonly (readonly [value: string, text: string])[], [attribute: string]: unknown
 * }} props
 */
export function Field({ name, label, problem, value = '', help, rows, options, ...attributes }) {
  const id = useId()
  const faults = faultsOf(problem).filter(({ field }) => field === name || field.startsWith(`${name}.`))
  const described = help === undefined && faults.length === 0 ? null : `${id}-more`
  const common = {
    ...attributes,
    id,
    name,
    'aria-describedby': described,
    'aria-invalid': faults.length > 0 || null,
  }
  const input = options
    ? html`<select ...${common} value=${value}>
        ${options.map(([option, text]) => html`<option value=${option} selected=${option === value}>${text}</option>`)}
      </select>`
    : rows
      ? html`<textarea ...${common} rows=${rows} defaultValue=${value}></textarea>`
      : html`<input ...${common} defaultValue=${value} />`
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${input}
    ${
      described &&
      html`<p class="small-text muted" id=${described}>
        ${faults.length > 0 ? html`<span class="bad-text">${faults.map(({ message }) => message).join('; ')}</span>` : help}
      </p>`
    }
  </div>`
}

/** What is wrong with a form, beside what stands at its fields. @param {{ problem: unknown }} props */
export function FormProblem({ problem }) {
  if (problem === undefined) return null
  return html`<div class="notice failure" role="alert"><span>${problemText(problem)}</span></div>`
}

/** @param {unknown} problem @returns {readonly { field: string, message: string }[]} */
function faultsOf(problem) {
  if (problem === undefined) return []
  const { errors } = /** @type {{ errors?: readonly { field: string, message: string }[] }} */ (
    toProblem(problem).document
  )
  return errors ?? []
}
