import { readFileSync } from 'node:fs'
import { short } from '../bench/report/report.ts'
import type { Results } from '../bench/report/results.ts'
import type { Row } from '../bench/measure/rows.ts'

const source = 'bench/results/latest.json'
const begin = `<!-- Written by \`npm run docs\` from ${source}, down to the end of the figures. -->`
const end = '<!-- The end of the figures. -->'

/** The figures that matter first: of each question the row with the goal that speaks for it. */
const first = ['join', 'book', 'pool', 'positions', 'map']

/** The documents with the newest figures between their marks. */
export function documentsWithResults(): [string, string][] {
  const results = JSON.parse(readFileSync(source, 'utf8')) as Results
  return [
    ['bench/README.md', withFigures('bench/README.md', results, table(aimedAt(results.rows), true))],
    ['README.md', withFigures('README.md', results, table(firstOf(results.rows), false))],
  ]
}

function withFigures(path: string, results: Results, lines: readonly string[]): string {
  const text = readFileSync(path, 'utf8')
  const [before, rest = ''] = text.split(begin)
  const after = rest.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${path} has no place for the figures`)
  return [`${before}${begin}`, '', conditions(results), '', ...lines, '', `${end}${after}`].join('\n')
}

function aimedAt(rows: readonly Row[]): Row[] {
  return rows.filter(({ goal }) => goal !== null)
}

function firstOf(rows: readonly Row[]): Row[] {
  return first.flatMap((name) => aimedAt(rows).find(({ question }) => question === name) ?? [])
}

function conditions({ machine, at, commit, form }: Results): string {
  const { cores, cpu, memoryGiB, node, loadAverage } = machine
  return `Of ${at.slice(0, 10)}, the ${form} form, at ${commit}, on ${cores} × ${cpu}, ${memoryGiB} GiB, Node ${node}, load average ${loadAverage.toFixed(1)} before it; server, stores and load share these cores.`
}

function table(rows: readonly Row[], withSpread: boolean): string[] {
  const head = ['question', 'what', 'ours', 'limit', 'peer', 'ratio', 'goal', '']
  const body = rows.map(({ question, metric, unit, ours, limit, peer, peerName, ...row }) => [
    `\`${question}\``,
    metric,
    `${figureText(ours)} ${unit}`,
    limit === null ? '' : short(limit),
    peer === null ? '' : `${short(peer)}, ${peerName ?? ''}`,
    ratioText(row, withSpread),
    row.goal ?? '',
    row.met === null ? '' : row.met ? 'reached' : '**missed**',
  ])
  const cells = [head, ...body].map((line) => line.map((cell) => cell.replaceAll('|', String.raw`\|`)))
  const widths = head.map((_, column) => Math.max(3, ...cells.map((line) => line[column]?.length ?? 0)))
  const lineOf = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [
    lineOf(cells[0] ?? []),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...cells.slice(1).map(lineOf),
  ]
}

/** In JSON a figure that is not known is null. */
function figureText(value: number | null): string {
  return value === null ? 'not known' : short(value)
}

function ratioText({ ratio, ratioSpread }: Pick<Row, 'ratio' | 'ratioSpread'>, withSpread: boolean): string {
  if (ratio === null) return ''
  if (!withSpread || ratioSpread === null) return ratio.toFixed(2)
  return `${ratio.toFixed(2)} (${ratioSpread.lowest.toFixed(2)} … ${ratioSpread.highest.toFixed(2)})`
}
