import { init, type CustomSeriesOption, type EChartsOption, type LineSeriesOption } from 'echarts'
import { html, type Html } from './html.ts'
import type { Row } from '../measure/rows.ts'
import type { Curve } from '../measure/turn.ts'

/** What tells a chart from the others of its page, and what is said to those who do not see it. */
export interface ChartLabel {
  /** Unique in the page; letters, digits and hyphens. */
  readonly id: string
  readonly title: string
  readonly description: string
  readonly widthPx?: number
}

/** A row that has a ratio to draw. */
export type RatioRow = Row & { readonly ratio: number }

// As wide as a telephone, so that the letters of a chart are as large there as elsewhere.
const phonePx = 360
const linePx = 18
/** A letter of the widest of the usual fonts, with the margin of a line shared out. */
const charPx = 6.9

const svgNamespace = 'http://www.w3.org/2000/svg'

/** Dark enough to be told from white; a line has a form of its own beside its colour. */
const colours = ['#1f5fa8', '#a8471a', '#0b7261', '#8a2f74', '#4b5563', '#6b5b00']
const symbols = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect']
const dashes = ['solid', 'dashed', 'dotted'] as const

const ink = '#1f2937'
const faint = '#5b6472'
// Without quotation marks, which the library would put into an attribute as they are.
const fontFamily = 'system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif'

export function hasRatio(row: Row): row is RatioRow {
  return isFigure(row.ratio) && row.ratio > 0
}

function isFigure(value: number | null | undefined): value is number {
  return Number.isFinite(value)
}

/**
 * A bar for each row: how many times as much as the limit or the peer. A thin line is the range of the turns, an
 * upright mark the goal. When a ratio is large the axis is logarithmic, and the bars grow from 1 to both sides.
 */
export function ratioChart(label: ChartLabel, rows: readonly RatioRow[], nameOf: (row: Row) => string): Html {
  const drawnTo = rows.flatMap((row) => [row.ratio, goalOf(row), row.ratioSpread?.highest].filter(isFigure))
  const most = Math.max(1, ...drawnTo)
  const isLog = most > 5
  const charsMax = (label.widthPx ?? phonePx) / charPx
  const texts = rows.map((row) => ({
    above: wrapped(nameOf(row), charsMax),
    below: ratioLines(row, charsMax),
  }))
  const lines = texts.flatMap(({ above, below }) => [...above, '', ...below, ''])
  const barAt = barLines(texts)
  const bars = rows.map((row, at) => ({ row, line: barAt[at] ?? 0 }))
  return drawn(label, lines.length * linePx + 30, {
    grid: { left: 14, right: 14, top: 2, bottom: 28 },
    xAxis: {
      type: isLog ? 'log' : 'value',
      splitNumber: 5,
      ...(most > 1 ? {} : { max: 1 }),
      axisLabel: { color: faint, formatter: (value: number) => `${brief(value)}×` },
      splitLine: { lineStyle: { color: '#e8eaee' } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      // Each line of text has a place of its own on the axis, and each bar has one between its two texts.
      data: lines,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: faint } },
      axisLabel: {
        inside: true,
        interval: 0,
        color: ink,
        margin: 4,
        width: (label.widthPx ?? phonePx) - 34,
        overflow: 'truncate',
      },
    },
    series: [
      {
        type: 'bar',
        barWidth: 12,
        data: bars.map(({ row, line }) => ({
          value: [row.ratio, line],
          itemStyle: { color: colourOf(row) },
        })),
        markLine: {
          silent: true,
          // Behind what is written.
          z: 0,
          symbol: 'none',
          label: { show: false },
          lineStyle: { color: '#9aa3b0', type: 'dashed', width: 1 },
          data: [{ xAxis: 1 }],
        },
      },
      ranges(bars),
      {
        type: 'scatter',
        symbol: 'rect',
        symbolSize: [3, 20],
        itemStyle: { color: ink, opacity: 1 },
        data: bars
          .map(({ row, line }) => [goalOf(row) ?? Number.NaN, line])
          .filter(([goal]) => isFigure(goal)),
      },
    ],
  })
}

export function curveChart(label: ChartLabel, { x, y, isLog, lines }: Curve): Html {
  const drawable = lines.map(({ name, points }) => ({
    name,
    points: points.filter((point) => point.every((value) => Number.isFinite(value) && (!isLog || value > 0))),
  }))
  const axisOf = (at: 0 | 1) => {
    const values = drawable.flatMap(({ points }) => points.map((point) => point[at]))
    return {
      ...(isLog ? { type: 'log' as const, logBase: baseFor(values) } : { type: 'value' as const }),
      splitNumber: 4,
      axisLabel: { color: faint, formatter: brief, hideOverlap: true },
      nameTextStyle: { color: ink },
      splitLine: { lineStyle: { color: '#e8eaee' } },
    }
  }
  const legendPx = lines.length * 20
  return drawn(label, legendPx + 270, {
    grid: { left: 8, right: 20, top: legendPx + 30, bottom: 26, containLabel: true },
    legend: {
      orient: 'vertical',
      left: 0,
      top: 0,
      itemGap: 6,
      itemWidth: 34,
      textStyle: { color: ink, width: phonePx - 80, overflow: 'truncate' },
    },
    xAxis: { ...axisOf(0), name: withUnit(x), nameLocation: 'middle', nameGap: 28 },
    yAxis: {
      ...axisOf(1),
      name: withUnit(y),
      nameLocation: 'end',
      nameTextStyle: { color: ink, align: 'left' },
      nameGap: 12,
    },
    series: drawable.map(({ name, points }, at) => lineOf(name, points, at)),
  })
}

/** What an axis is of; a plain number has no unit. */
export function withUnit({ name, unit }: Curve['x']): string {
  return unit === '' ? name : `${name} (${unit})`
}

function lineOf(name: string, points: readonly (readonly [number, number])[], at: number): LineSeriesOption {
  return {
    type: 'line',
    name,
    data: points.map(([x, y]) => [x, y]),
    symbol: symbols[at % symbols.length] ?? 'circle',
    symbolSize: 7,
    showAllSymbol: points.length <= 40,
    itemStyle: { color: colours[at % colours.length] ?? ink },
    lineStyle: { width: 2, type: dashes[at % dashes.length] ?? 'solid' },
  }
}

/** From the lowest ratio of two turns that stood side by side to the highest. */
function ranges(bars: readonly { readonly row: RatioRow; readonly line: number }[]): CustomSeriesOption {
  const spreads = bars.flatMap(({ row: { ratioSpread }, line }) =>
    isFigure(ratioSpread?.lowest) && isFigure(ratioSpread?.highest)
      ? [[line, ratioSpread.lowest, ratioSpread.highest]]
      : [],
  )
  return {
    type: 'custom',
    data: spreads,
    encode: { x: [1, 2], y: 0 },
    z: 4,
    renderItem: (_params, api) => {
      const [from = 0, y = 0] = api.coord([api.value(1), api.value(0)])
      const [to = 0] = api.coord([api.value(2), api.value(0)])
      const style = { stroke: ink, lineWidth: 1.5, fill: 'none' }
      const upright = (x: number) => ({ x1: x, y1: y - 4, x2: x, y2: y + 4 })
      return {
        type: 'group',
        children: [{ x1: from, y1: y, x2: to, y2: y }, upright(from), upright(to)].map((shape) => ({
          type: 'line' as const,
          shape,
          style,
        })),
      }
    },
  }
}

/** On which line of the axis each bar lies; after what is below it one line is left free. */
function barLines(
  texts: readonly { readonly above: readonly string[]; readonly below: readonly string[] }[],
) {
  let next = 0
  return texts.map(({ above, below }) => {
    const bar = next + above.length
    next = bar + below.length + 2
    return bar
  })
}

/** Text in lines of so many letters at the most, unless a word is longer. */
function wrapped(text: string, charsMax: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = [...lines.slice(-1), word].join(' ')
    if (lines.length > 0 && longer.length <= charsMax) lines.splice(-1, 1, longer)
    else lines.push(word)
  }
  return lines
}

function goalOf({ ratioGoal }: Row): number | undefined {
  if (ratioGoal === null) return undefined
  return 'least' in ratioGoal ? ratioGoal.least : ratioGoal.most
}

/** The ratio, and what was aimed at: in one line when there is room, else the aim stays together in a line below. */
function ratioLines(row: RatioRow, charsMax: number): string[] {
  const other = row.ratioTo === 'peer' ? (row.peerName ?? 'peer') : 'limit'
  const ratio = `${row.ratio.toLocaleString('en', { maximumSignificantDigits: 3 })} × ${other}`
  if (row.ratioGoal === null) return wrapped(ratio, charsMax)
  const bound = 'least' in row.ratioGoal ? `≥ ${row.ratioGoal.least}` : `≤ ${row.ratioGoal.most}`
  const aim = `goal ${bound} ${row.met === true ? 'reached' : 'MISSED'}`
  const line = `${ratio}, ${aim}`
  return line.length <= charsMax ? [line] : [...wrapped(ratio, charsMax), aim]
}

function colourOf({ ratioGoal, met }: Row): string {
  if (ratioGoal === null) return '#8593a8'
  return met === true ? '#2f77c0' : '#c2571f'
}

/** A range of less than a decade would have one line or none of a decimal grid. */
function baseFor(values: readonly number[]): 2 | 10 {
  return Math.max(...values) / Math.min(...values) < 8 ? 2 : 10
}

function brief(value: number): string {
  return value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 })
}

/** Draws without a browser. The same chart is the same text, whatever was drawn before it. */
function drawn(
  { id, title, description, widthPx = phonePx }: ChartLabel,
  heightPx: number,
  option: EChartsOption,
): Html {
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: widthPx,
    height: heightPx,
    locale: 'EN',
  })
  const common = { animation: false, backgroundColor: '#fff', textStyle: { fontFamily, fontSize: 12 } }
  chart.setOption({ ...common, ...option })
  const inner = chart
    .renderToSVGString()
    .replaceAll(/^<svg [^>]*>\s*|\s*<\/svg>\s*$/g, '')
    // What follows the pointer needs a script, which the page does not have.
    .replaceAll(/<style ?>[^]*?<\/style>\s*/g, '')
    .replaceAll(/ (?:class="zr|ecmeta_\w+="|pointer-events=")[^"]*"/g, '')
    // The library numbers all that it draws in a process.
    .replaceAll(/\bzr\d+-/g, `${id}-`)
  chart.dispose()
  return html`<svg
    xmlns="${svgNamespace}"
    width="${widthPx}"
    height="${heightPx}"
    viewBox="0 0 ${widthPx} ${heightPx}"
    role="img"
    aria-labelledby="${id}-title ${id}-description"
  >
    <title id="${id}-title">${title}</title>
    <desc id="${id}-description">${description}</desc>
    ${{ markup: inner }}
  </svg>`
}
