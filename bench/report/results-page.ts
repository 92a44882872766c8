import { curveChart, hasRatio, ratioChart, withUnit } from './charts.ts'
import { html, nothing, type Html } from './html.ts'
import { short } from './report.ts'
import { resultsStyle } from './results-style.ts'
import type { Results } from './results.ts'
import type { Row } from '../measure/rows.ts'
import type { Spread } from '../measure/series.ts'

/** Those that a reader of the project asks for first. */
const shownFirst = ['join', 'book', 'pool', 'positions', 'map']

/**
 * All that was found, as one file that needs no other and no script. It is drawn of nothing but the results, whether
 * they come from a run or from `latest.json`, where a figure that is not known is null.
 */
export function resultsPage(results: Results): string {
  const { rows, questions } = results
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Openrun: results of the bench</title>
        <style>
          ${{ markup: resultsStyle }}
        </style>
      </head>
      <body>
        <main>
          <h1>Results of the bench</h1>
          ${conditions(results)} ${wrongCounts(results)}
          <h2>All figures</h2>
          <p>${summary(rows)}</p>
          <table class="rows">
            <caption>
              Medians over the turns, below them the lowest and the highest turn. A ratio is ours divided by
              the limit of this machine or by the peer, taken in the same run.
            </caption>
            <thead>
              <tr>
                <th scope="col">Figure</th>
                <th scope="col">Ours</th>
                <th scope="col">Limit</th>
                <th scope="col">Peer</th>
                <th scope="col">Ratio</th>
                <th scope="col">Goal</th>
              </tr>
            </thead>
            ${questions.map((question) => rowGroup(question, results))}
          </table>
          ${questions.map(({ name }) => section(name, results))}
        </main>
      </body>
    </html>`
  return `${page.markup}\n`
}

/** The ratio of one figure of each important question, as a picture of its own. */
export function figuresChart({ rows }: Results): string {
  const judged = rows.filter(hasRatio).filter(({ ratioGoal }) => ratioGoal !== null)
  const shown = shownFirst.flatMap((asked) => judged.filter(({ question }) => question === asked).slice(0, 1))
  const nameOf = ({ question, metric }: Row) => `${question}: ${metric}`
  const label = {
    id: 'figures',
    title: 'Openrun against the limit of the machine, and against what one would pick instead',
    description: told(shown, nameOf),
    widthPx: 480,
  }
  return `${ratioChart(label, shown, nameOf).markup}\n`
}

const metricOf = ({ metric }: Row): string => metric

function conditions({ machine, at, commit, form }: Results): Html {
  const { cpu, cores, memoryGiB, kernel, node, loadAverage } = machine
  const length = form === 'full' ? 'full' : 'quick, with short turns'
  const when = new Date(at).toISOString().slice(0, 16).replace('T', ' ')
  const stated: readonly (readonly [string, string | Html])[] = [
    ['Machine', `${cores} × ${cpu}, ${memoryGiB} GiB`],
    ['System', `Linux ${kernel}, Node ${node}`],
    ['Load average before', loadAverage.toFixed(1)],
    ['Commit', html`<code>${commit}</code>`],
    ['Begun', html`<time datetime="${at}">${when} UTC</time>`],
    ['Form', length],
  ]
  return html`<dl>
    ${stated.map(
      ([name, what]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${what}</dd>
        </div>`,
    )}
  </dl>`
}

function wrongCounts({ wrong }: Results): Html {
  if (wrong.length === 0) return html`<p>Every count of what was done was right.</p>`
  return html`<section class="wrong">
    <h2>Wrong: ${wrong.length} ${wrong.length === 1 ? 'count' : 'counts'}</h2>
    <p>A fast wrong answer is worth nothing. The figures of these questions do not hold.</p>
    <ul>
      ${wrong.map(
        ({ question, name, detail }) =>
          html`<li>
            ${question}: ${name}
            <pre>${detail}</pre>
          </li>`,
      )}
    </ul>
  </section>`
}

function summary(rows: readonly Row[]): string {
  const judged = rows.filter(({ goal }) => goal !== null)
  const missed = judged.filter(({ met }) => met !== true).length
  const reached = judged.length - missed
  return `${rows.length} figures, ${judged.length} of them with a goal: ${reached} reached, ${missed} missed.`
}

function rowGroup({ name, about }: Results['questions'][number], results: Results): Html {
  const rows = results.rows.filter(({ question }) => question === name)
  const heading = isDrawn(name, results) ? html`<a href="#${slug(name)}">${name}</a>` : html`${name}`
  return html`<tbody>
    <tr>
      <th scope="rowgroup" colspan="6">${heading}<span class="about">${about}</span></th>
    </tr>
    ${
      rows.length === 0
        ? html`<tr>
            <td class="none" colspan="6">nothing was measured</td>
          </tr>`
        : rows.map(tableRow)
    }
  </tbody>`
}

function tableRow(row: Row): Html {
  const { metric, unit, ours, limit, peer, peerName, ratio, ratioTo, goal, met } = row
  const { spread, ratioSpread } = row
  const cell = (name: string, content: Html) => html`<td data-name="${name}">${content}</td>`
  return html`<tr>
    <th scope="row">${metric}</th>
    ${[
      cell('Ours', html`<span>${known(ours)} ${unit}${spreadText(spread)}</span>`),
      cell('Limit', limit === null && ratioTo !== 'limit' ? nothing : html`${known(limit)}`),
      cell(
        'Peer',
        peerName === null
          ? nothing
          : html`<span>${known(peer)}<span class="spread">${peerName}</span></span>`,
      ),
      cell(
        'Ratio',
        ratioTo === null
          ? nothing
          : html`<span>${known(ratio)}${ratioSpread === null ? nothing : spreadText(ratioSpread)}</span>`,
      ),
      cell('Goal', goal === null ? nothing : html`<span>${goal}${judgement(met)}</span>`),
    ]}
  </tr>`
}

/** Said in words and by a sign, so that it does not hang on telling two colours apart. */
function judgement(met: boolean | null): Html {
  return met === true
    ? html`<span class="reached">✓ reached</span>`
    : html`<strong class="missed">✗ missed</strong>`
}

function isDrawn(question: string, { rows, curves }: Results): boolean {
  return (
    rows.some((row) => row.question === question && hasRatio(row)) ||
    curves.some((curve) => curve.question === question)
  )
}

function section(question: string, results: Results): Html {
  if (!isDrawn(question, results)) return nothing
  const id = slug(question)
  const curves = results.curves.filter((curve) => curve.question === question)
  return html`<section id="${id}">
    <h2>${question}</h2>
    <div class="charts">
      ${ratioFigure(question, results)}
      ${curves.map((curve, at) => curveFigure(`${id}-curve-${at + 1}`, curve))}
    </div>
  </section>`
}

function ratioFigure(question: string, { rows }: Results): Html {
  const drawn = rows.filter((row) => row.question === question).filter(hasRatio)
  if (drawn.length === 0) return nothing
  const label = {
    id: `${slug(question)}-ratios`,
    title: `${question}: ratios`,
    description: told(drawn, metricOf),
  }
  return html`<figure>
    <figcaption>Ours as a multiple of the limit or the peer</figcaption>
    ${ratioChart(label, drawn, metricOf)}
    <p>
      The thin line is the range of the turns, the upright mark the goal, the dashed line where both are the
      same.
    </p>
  </figure>`
}

function curveFigure(id: string, curve: Results['curves'][number]): Html {
  const { title, x, y, lines, note } = curve
  const description = `${withUnit(y)} by ${withUnit(x)}: ${lines.map(({ name }) => name).join(', ')}. ${note}`
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${curveChart({ id, title, description }, curve)}
    <p>${note}</p>
    ${pointsTable(curve)}
  </figure>`
}

/** The same figures for those who would rather read them. */
function pointsTable({ title, x, y, lines }: Results['curves'][number]): Html {
  const at = [...new Set(lines.flatMap(({ points }) => points.map(([value]) => value)))].toSorted(
    (a, b) => a - b,
  )
  const cells = (value: number) =>
    lines.map(({ points }) => {
      const point = points.find(([other]) => other === value)
      return html`<td>${point === undefined ? '' : known(point[1])}</td>`
    })
  return html`<details>
    <summary>As a table</summary>
    <div tabindex="0" role="region" aria-label="${title}">
      <table>
        <thead>
          <tr>
            <th scope="col">${withUnit(x)}</th>
            ${lines.map(({ name }) => html`<th scope="col">${withUnit({ name, unit: y.unit })}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${at.map(
            (value) =>
              html`<tr>
                <th scope="row">${known(value)}</th>
                ${cells(value)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`
}

function told(rows: readonly Row[], nameOf: (row: Row) => string): string {
  const sentences = rows.map((row) => {
    const { ratio, ratioTo, peerName, ratioGoal, goal, met } = row
    const other = ratioTo === 'peer' ? (peerName ?? 'the peer') : 'the limit'
    const judged =
      ratioGoal === null || goal === null ? '' : `, goal ${goal} ${met === true ? 'reached' : 'missed'}`
    return `${nameOf(row)}: ${known(ratio)} times ${other}${judged}.`
  })
  return sentences.join(' ')
}

function spreadText({ lowest, highest }: Spread): Html {
  return html`<span class="spread">${known(lowest)} … ${known(highest)}</span>`
}

function known(figure: number | null): string {
  return figure !== null && Number.isFinite(figure) ? short(figure) : 'not known'
}

function slug(name: string): string {
  return `question-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`
}
