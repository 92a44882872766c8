import { measures, type Counts, type Tally } from './tally.ts'
import { promiseNames, promises, type Verdict } from './verdict.ts'

/** What is shown of a sale. */
export interface Titled {
  readonly sale: { readonly id: string; readonly title: string }
}

/** The table that moves while the crowd is under way; one line for each sale and one bar for all. */
export function progressLines(offers: readonly Titled[], tally: Tally, elapsedMs: number): string[] {
  const rows = offers.map((offer) => [shortTitle(offer), ...saleCells(tally.counts(offer.sale.id))])
  const { done, buyers } = tally.total
  return [...aligned([['', ...saleHeads], ...rows]), `${bar(done, buyers)}  ${clock(elapsedMs)}`]
}

/** The same in one line, for where lines cannot be rewritten. */
export function progressLine(tally: Tally, elapsedMs: number): string {
  const { joined, waiting, shopping, places, done, buyers } = tally.total
  return `${clock(elapsedMs)}  joined ${joined}  waiting ${waiting}  shopping ${shopping}  places sold ${places}  done ${done} of ${buyers}`
}

/** What is said at the end: counts, times, promises. */
export function closingLines(offers: readonly Titled[], tally: Tally, verdict: Verdict): string[] {
  const rows = offers.map((offer) => [shortTitle(offer), ...closingCells(tally.counts(offer.sale.id))])
  const all = offers.length > 1 ? [['all', ...closingCells(tally.total)]] : []
  return [
    ...aligned([['', ...closingHeads], ...rows, ...all]),
    '',
    ...aligned([['', ...measures], timesRow(tally, 'p50', 0.5), timesRow(tally, 'p99', 0.99)]),
    '',
    ...verdictLines(verdict),
    ...failureLines(tally),
  ]
}

const saleHeads = ['buyers', 'joined', 'waiting', 'admitted', 'shopping', 'bought', 'places', 'done']
const closingHeads = [
  'joined',
  'admitted',
  'sold',
  'places',
  'sold-out',
  'left',
  'gave up',
  'abandoned',
  'unsure',
  'too late',
  'failed',
]

function shortTitle({ sale: { title } }: Titled): string {
  const letters = Array.from(title)
  return letters.length <= titleMax ? title : `${letters.slice(0, titleMax - 1).join('')}…`
}

const titleMax = 26

function saleCells(counts: Counts): string[] {
  const { buyers, joined, waiting, admitted, shopping, bought, places, done } = counts
  return [buyers, joined, waiting, admitted, shopping, bought, places, done].map(String)
}

function closingCells({ joined, admitted, bought, places, outcomes }: Counts): string[] {
  const of = (name: Parameters<typeof outcomes.get>[0]): number => outcomes.get(name) ?? 0
  const failed = of('failed')
  const late = of('too-late') + of('out-of-time') + of('closed')
  const gone = [of('sold-out'), of('left'), of('gave-up'), of('abandoned'), of('unsure'), late, failed]
  return [joined, admitted, bought, places, ...gone].map(String)
}

function timesRow(tally: Tally, name: string, share: number): string[] {
  return [name, ...measures.map((measure) => duration(tally.quantile(measure, share)))]
}

function verdictLines(verdict: Verdict): string[] {
  return promiseNames.flatMap((name) => {
    const { checked, breaches } = verdict[name]
    const head = `${breaches.length === 0 ? 'kept  ' : 'BROKEN'}  ${promises[name]} (${checked} checked)`
    const shown = breaches.slice(0, breachesShown).map((breach) => `          ${breach}`)
    const more = breaches.length - shown.length
    return more > 0 ? [head, ...shown, `          and ${more} more`] : [head, ...shown]
  })
}

const breachesShown = 5

function failureLines(tally: Tally): string[] {
  const shown = tally.failures.slice(0, breachesShown).map(([why, count]) => `  ${count} × ${why}`)
  return shown.length === 0 ? [] : ['', 'What did not go as it should, without breaking a promise:', ...shown]
}

function duration(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function bar(done: number, all: number): string {
  const width = 40
  const full = all === 0 ? width : Math.floor((done / all) * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}  ${done} of ${all}`
}

/** Columns as wide as their widest cell; the first to the left, figures to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
