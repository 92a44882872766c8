import { useState } from '/vendor/preact-hooks.js'
import { AskFirst } from '../shell/ask-first.js'
import { html } from '../shell/html.js'
import { moment } from '../shell/said.js'
import { deskWords } from '../words/desk-words.js'
import { problemText } from '../words/problem-words.js'
import { GateSlider } from './gate-slider.js'

/** @import { SaleChanges, SaleView } from '../../src/domain/sales/sale-messages.ts' */

/**
 * What an organiser changes while the sale runs.
 * @param {{ sale: SaleView, change: (changes: SaleChanges) => Promise<void> }} props
 */
export function SaleControls({ sale, change }) {
  const words = deskWords.value
  const [asking, setAsking] = useState('')
  const [failure, setFailure] = useState('')
  const set = async (/** @type {SaleChanges} */ changes) => {
    setAsking('')
    setFailure('')
    await change(changes).catch((thrown) => setFailure(problemText(thrown)))
  }
  if (sale.status === 'closed') return html`<p class="card muted">${words.over}</p>`
  const isPaused = sale.status === 'paused'
  const canPause = sale.status === 'open' || sale.status === 'soldout'
  return html`
    <section class="card controls" aria-label=${words.gate}>
      <h2>${words.gate}</h2>
      <${GateSlider}
        key=${`${sale.id} pace`}
        name=${words.pace}
        unit=${words.paceUnit}
        value=${sale.queue.ratePerMinute}
        max=${100_000}
        apply=${(/** @type {number} */ ratePerMinute) => change({ queue: { ratePerMinute } })}
      />
      <${GateSlider}
        key=${`${sale.id} capacity`}
        name=${words.capacity}
        unit=${words.capacityUnit}
        value=${sale.queue.maxActive}
        max=${50_000}
        apply=${(/** @type {number} */ maxActive) => change({ queue: { maxActive } })}
      />
      <div class="buttons">
        ${isPaused && html`<button type="button" class="primary" onClick=${() => void set({ status: 'open' })}>${words.resume}</button>`}
        ${canPause && html`<button type="button" onClick=${() => setAsking('pause')}>${words.pause}</button>`}
        <button type="button" class="danger" onClick=${() => setAsking('close')}>${words.close}</button>
      </div>
      ${failure && html`<p class="notice failure" role="alert">${failure}</p>`}
      ${
        asking === 'pause' &&
        html`<${AskFirst}
          title=${words.pauseTitle}
          text=${words.pauseText}
          yes=${words.pause}
          no=${words.keep}
          onYes=${() => void set({ status: 'paused' })}
          onNo=${() => setAsking('')}
        />`
      }
      ${
        asking === 'close' &&
        html`<${CloseForm}
          title=${sale.title}
          onYes=${() => void set({ status: 'closed' })}
          onNo=${() => setAsking('')}
        />`
      }
    </section>
    <${MessageForm} key=${sale.id} sale=${sale} change=${change} />
  `
}

/** What cannot be taken back is typed, not clicked. @param {{ title: string, onYes: () => void, onNo: () => void }} props */
function CloseForm({ title, onYes, onNo }) {
  const words = deskWords.value
  const [typed, setTyped] = useState('')
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault()
    if (typed.trim() === title) onYes()
  }
  return html`<form class="close-form" onSubmit=${submit}>
    <h3>${words.closeTitle}</h3>
    <p class="small-text">${words.closeText(title)}</p>
    <input
      aria-label=${words.confirmTitle}
      value=${typed}
      onInput=${(/** @type {Event} */ event) => setTyped(/** @type {HTMLInputElement} */ (event.target).value)}
    />
    <div class="buttons">
      <button type="submit" class="danger" disabled=${typed.trim() !== title}>${words.close}</button>
      <button type="button" onClick=${onNo}>${words.keep}</button>
    </div>
  </form>`
}

/** @param {{ sale: SaleView, change: (changes: SaleChanges) => Promise<void> }} props */
function MessageForm({ sale, change }) {
  const words = deskWords.value
  const [text, setText] = useState('')
  const [failure, setFailure] = useState('')
  const say = async (/** @type {string} */ notice) => {
    setFailure('')
    try {
      await change({ notice })
      setText('')
    } catch (thrown) {
      setFailure(problemText(thrown))
    }
  }
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault()
    if (text.trim() !== '') void say(text.trim())
  }
  return html`<form class="card controls" onSubmit=${submit}>
    <h2>${words.message}</h2>
    <p class="muted small-text">${words.messageHint}</p>
    ${
      sale.notice &&
      html`<div class="notice">
        <div>
          <strong class="small-text">${words.stands} · ${moment(sale.notice.at)}</strong>
          <p>${sale.notice.text}</p>
          <button type="button" class="small" onClick=${() => void say('')}>${words.takeBack}</button>
        </div>
      </div>`
    }
    <textarea
      rows="2"
      maxlength="500"
      aria-label=${words.message}
      value=${text}
      onInput=${(/** @type {Event} */ event) => setText(/** @type {HTMLTextAreaElement} */ (event.target).value)}
    ></textarea>
    <div class="buttons"><button type="submit" disabled=${text.trim() === ''}>${words.send}</button></div>
    ${failure && html`<p class="notice failure" role="alert">${failure}</p>`}
  </form>`
}
