import uPlot from '/vendor/uplot.js'
import { useEffect, useRef } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { number } from '../shell/said.js'
import { language } from '../words/language.js'

/** @typedef {{ name: string, color: string, values: readonly number[] }} Curve */

/**
 * Curves over the last minutes. `color` names a token of the page, so that a dark page has them bright.
 * @param {{ title: string, times: readonly number[], curves: readonly Curve[] }} props times in ms
 */
export function HistoryChart({ title, times, curves }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null))
  const plot = useRef(/** @type {uPlot | undefined} */ (undefined))
  const names = curves.map(({ name }) => name).join()
  useEffect(() => {
    const element = box.current
    if (element === null) return
    plot.current = new uPlot(optionsFor(element, curves), [[], ...curves.map(() => [])], element)
    const watch = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: chartHeight }),
    )
    watch.observe(element)
    return () => {
      watch.disconnect()
      plot.current?.destroy()
    }
  }, [names, language.value])
  useEffect(() => {
    plot.current?.setData([times.map((ms) => ms / 1000), ...curves.map(({ values }) => [...values])])
  })
  const latest = curves.map(({ name, values }) => `${name}: ${number(values.at(-1) ?? 0)}`).join(', ')
  return html`<figure class="card chart">
    <figcaption>
      <h2>${title}</h2>
      <ul class="legend small-text">
        ${curves.map(({ name, color }) => html`<li><i class=${`dot ${color}`} aria-hidden="true"></i>${name}</li>`)}
      </ul>
    </figcaption>
    <div ref=${box} role="img" aria-label=${latest}></div>
  </figure>`
}

const chartHeight = 190

/** @param {HTMLElement} element @param {readonly Curve[]} curves @returns {uPlot.Options} */
function optionsFor(element, curves) {
  const style = getComputedStyle(element)
  const token = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim()
  const axis = {
    stroke: token('muted'),
    grid: { stroke: token('line'), width: 1 },
    ticks: { stroke: token('line'), width: 1 },
  }
  const time = new Intl.DateTimeFormat(language.value, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return {
    width: element.clientWidth,
    height: chartHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(5, (high ?? 0) * 1.1)] } },
    axes: [
      { ...axis, space: 90, values: (_, splits) => splits.map((at) => time.format(at * 1000)) },
      { ...axis, size: 60, values: (_, splits) => splits.map((value) => number(value)) },
    ],
    series: [
      {},
      ...curves.map(({ name, color }) => ({
        label: name,
        stroke: token(color),
        width: 2,
        points: { show: false },
      })),
    ],
  }
}
