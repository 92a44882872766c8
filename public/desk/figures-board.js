import { html } from '../shell/html.js'
import { number } from '../shell/said.js'
import { deskWords } from '../words/desk-words.js'

/** @import { SaleFigures } from '../../src/domain/queue/desk-messages.ts' */

/** The figures, to be read from across the room. @param {{ figures: SaleFigures | undefined }} props */
export function FiguresBoard({ figures }) {
  const words = deskWords.value
  return html`<dl class="board figures">
    <${Figure} name=${words.waiting} value=${figures?.waiting} main />
    <${Figure}
      name=${words.admitted}
      value=${figures?.admittedPerMinute}
      note=${figures && words.ofPace(number(figures.ratePerMinute))}
      main
    />
    <${Figure}
      name=${words.tokens}
      value=${figures?.tokensInUse}
      note=${figures && words.ofMax(number(figures.maxActive))}
      part=${figures && figures.tokensInUse / figures.maxActive}
      main
    />
    <${Figure}
      name=${words.sold}
      value=${figures?.sold}
      note=${figures && words.ofTotal(number(figures.total))}
      part=${figures && figures.sold / figures.total}
      main
    />
    <${Figure} name=${words.arrivals} value=${figures?.arrivals} />
    <${Figure} name=${words.aside} value=${figures?.aside} />
    <${Figure} name=${words.holds} value=${figures?.holds} />
    <${Figure} name=${words.free} value=${figures?.free} />
  </dl>`
}

/** @param {{ name: string, value: number | undefined, note?: string, part?: number, main?: boolean }} props */
function Figure({ name, value, note, part, main }) {
  return html`<div class=${main ? 'figure main' : 'figure'}>
    <dt>${name}</dt>
    <dd>
      <strong>${value === undefined ? '–' : number(value)}</strong>
      ${note && html`<span class="muted small-text">${note}</span>`}
      ${
        part !== undefined &&
        html`<span class="gauge" aria-hidden="true"
          ><span style=${{ width: `${100 * Math.min(1, part)}%` }}></span
        ></span>`
      }
    </dd>
  </div>`
}
