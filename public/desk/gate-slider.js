import { useId, useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { number } from '../shell/said.js'
import { problemText } from '../words/problem-words.js'
import { deskWords } from '../words/desk-words.js'

/** Steps of the slider; it goes by powers, because 10 and 10,000 are both of use. */
const steps = 1000

/**
 * A number that is set live: by a slider for the rough, by a field for the exact. It is applied when let go of, and
 * shows what the server answered.
 * @param {{ name: string, unit: string, value: number, max: number, apply: (value: number) => Promise<void> }} props
 */
export function GateSlider({ name, unit, value, max, apply }) {
  const words = deskWords.value
  const id = useId()
  const [wanted, setWanted] = useState(/** @type {number | undefined} */ (undefined))
  const [outcome, setOutcome] = useState('')
  const shown = wanted ?? value
  const position = Math.round((steps * Math.log(shown)) / Math.log(max))
  const change = async (/** @type {number} */ next) => {
    const whole = Math.min(max, Math.max(1, Math.round(next)))
    if (!Number.isFinite(whole) || whole === value) return setWanted(undefined)
    setWanted(whole)
    setOutcome('')
    try {
      await apply(whole)
      setOutcome(words.applied)
    } catch (thrown) {
      setOutcome(problemText(thrown))
    }
    setWanted(undefined)
  }
  const valueAt = (/** @type {Event} */ event) =>
    nice(Math.exp((Number(/** @type {HTMLInputElement} */ (event.target).value) / steps) * Math.log(max)))
  return html`<div class="slider">
    <label for=${id}>${name}</label>
    <input
      id=${id}
      type="range"
      min="0"
      max=${steps}
      value=${position}
      aria-valuetext=${`${number(shown)} ${unit}`}
      onInput=${(/** @type {Event} */ event) => setWanted(valueAt(event))}
      onChange=${(/** @type {Event} */ event) => void change(valueAt(event))}
    />
    <div class="exact">
      <input
        type="number"
        min="1"
        max=${max}
        inputmode="numeric"
        value=${shown}
        aria-label=${`${name}, ${unit}`}
        onChange=${(/** @type {Event} */ event) => void change(Number(/** @type {HTMLInputElement} */ (event.target).value))}
      />
      <span class="muted small-text">${unit}</span>
      <span class="small-text outcome" role="status">${outcome}</span>
    </div>
  </div>`
}

/** Two digits are enough for a slider. @param {number} value */
function nice(value) {
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1)
  return Math.max(1, Math.round(value / scale) * scale)
}
