import { init, type CustomSeriesOption, type EChartsOption, type LineSeriesOption } from 'echarts'
import { html, type Html } from './html.ts'
import type { Row } from './rows.ts'
import type { Curve } from './turn.ts'

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
  const names = rows.map((row) => wrapped(nameOf(row), (label.widthPx ?? phonePx) / charPx))
  const nameLines = Math.max(1, ...names.map((lines) => lines.length))
  return drawn(label, Math.ceil(rows.length * linePx * (2 * nameLines + 1.6)) + 30, {
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
      data: rows.map((row, at) => aroundBar(names[at] ?? [], ratioText(row), nameLines)),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: faint } },
      axisLabel: {
        inside: true,
        color: ink,
        lineHeight: linePx,
        margin: 4,
        width: (label.widthPx ?? phonePx) - 34,
        overflow: 'truncate',
      },
    },
    series: [
      {
        type: 'bar',
        barWidth: 12,
        data: rows.map((row) => ({ value: row.ratio, itemStyle: { color: colourOf(row) } })),
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
      ranges(rows),
      {
        type: 'scatter',
        symbol: 'rect',
        symbolSize: [3, 20],
        itemStyle: { color: ink, opacity: 1 },
        data: rows.flatMap((row, at) => (goalOf(row) === undefined ? [] : [[goalOf(row) ?? 0, at]])),
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
      textStyle: { color: ink, width: phonePx - 50, overflow: 'truncate' },
    },
    xAxis: { ...axisOf(0), name: `${x.name} (${x.unit})`, nameLocation: 'middle', nameGap: 28 },
    yAxis: {
      ...axisOf(1),
      name: `${y.name} (${y.unit})`,
      nameLocation: 'end',
      nameTextStyle: { color: ink, align: 'left' },
      nameGap: 12,
    },
    series: drawable.map(({ name, points }, at) => lineOf(name, points, at)),
  })
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
function ranges(rows: readonly RatioRow[]): CustomSeriesOption {
  const spreads = rows.flatMap(({ ratioSpread }, at) =>
    isFigure(ratioSpread?.lowest) && isFigure(ratioSpread?.highest)
      ? [[at, ratioSpread.lowest, ratioSpread.highest]]
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

/** Text around the bar of its row: as many lines above as below, and one between them that is left to the bar. */
function aroundBar(above: readonly string[], below: string, lines: number): string {
  const fill = (count: number) => Array.from({ length: Math.max(0, count) }, () => '')
  return [...fill(lines - above.length), ...above, '', below, ...fill(lines - 1)].join('\n')
}

/** A name in lines of so many letters at the most, unless a word is longer. */
function wrapped(name: string, charsMax: number): string[] {
  const lines: string[] = []
  for (const word of name.split(' ')) {
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

function ratioText(row: RatioRow): string {
  const other = row.ratioTo === 'peer' ? (row.peerName ?? 'peer') : 'limit'
  const ratio = `${row.ratio.toLocaleString('en', { maximumSignificantDigits: 3 })} × ${other}`
  if (row.ratioGoal === null) return ratio
  const bound = 'least' in row.ratioGoal ? `≥ ${row.ratioGoal.least}` : `≤ ${row.ratioGoal.most}`
  return `${ratio}, goal ${bound} ${row.met === true ? 'reached' : 'MISSED'}`
}

function colourOf({ ratioGoal, met }: Row): string {
  if (ratioGoal === null) return '#8593a8'
  return met === true ? '#2f77c0' : '#c2571f'
}

/** A range of less than two decades would be one or two lines of a decimal grid. */
function baseFor(values: readonly number[]): 2 | 10 {
  return Math.max(...values) / Math.min(...values) < 64 ? 2 : 10
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
