import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Measured, Row } from '../measure/rows.ts'
import type { Spread } from '../measure/series.ts'
import type { Findings } from '../measure/turn.ts'

/** What was found, as lines to read. */
export function linesOf(name: string, { sides, rows, figures = [], checks }: Findings): string[] {
  const lines = ['', `${name}: medians (lowest … highest)`]
  for (const side of sides) {
    lines.push(`  ${side.name}`)
    lines.push(`    per second   ${figure(side.perSecond, 0)}`)
    // Not every side is one that is waited for.
    if (!Number.isNaN(side.p50Ms.median))
      lines.push(`    p50 / p99    ${side.p50Ms.median.toFixed(1)} / ${side.p99Ms.median.toFixed(1)} ms`)
    const users = Object.entries(side.cpuMicros).filter(([, used]) => used.median > 0)
    for (const [user, used] of users) lines.push(`    CPU ${user.padEnd(8)} ${figure(used, 1)} µs each`)
  }
  for (const row of rows) lines.push(`  ${rowText(row)}`)
  for (const { name: what, spread, unit } of figures)
    lines.push(`  ${what}: ${figure(spread, spread.median < 10 ? 3 : 0)} ${unit}`)
  const wrong = checks.filter(({ ok }) => !ok)
  lines.push(`  counts: ${checks.length - wrong.length} right, ${wrong.length} wrong`)
  for (const { name: what, detail } of wrong) lines.push(`    WRONG ${what}: ${detail}`)
  return lines
}

/** One line of a question: the figure, what it is set beside, and what was aimed at. */
function rowText({ metric, unit, spread, limit, peer, peerName, ratio, ratioSpread, goal, met }: Measured) {
  const parts = [`${metric}: ${figure(spread, digitsFor(spread.median))} ${unit}`]
  if (limit !== null) parts.push(`limit ${short(limit)}`)
  if (peer !== null) parts.push(`${peerName ?? 'peer'} ${short(peer)}`)
  if (ratio !== null && ratioSpread !== null)
    parts.push(`ratio ${figure({ ...ratioSpread, median: ratio }, 2)}`)
  if (goal !== null) parts.push(`${goal} ${met === true ? 'reached' : 'MISSED'}`)
  return parts.join(', ')
}

/** All rows as one table. */
export function tableLines(rows: readonly Row[]): string[] {
  const head = ['question', 'metric', 'ours', 'limit', 'peer', 'ratio', 'goal', '']
  const body = rows.map(({ question, metric, unit, ours, limit, peer, peerName, ratio, goal, met }) => [
    question,
    metric,
    `${short(ours)} ${unit}`,
    limit === null ? '' : short(limit),
    peer === null ? '' : `${short(peer)} (${peerName ?? ''})`,
    ratio === null ? '' : ratio.toFixed(2),
    goal ?? '',
    met === null ? '' : met ? 'reached' : 'MISSED',
  ])
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((cells) => cells[column]?.length ?? 0)),
  )
  return [
    '',
    ...[head, ...body].map((cells) =>
      cells
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
  ]
}

/** Three digits that matter, or all of those before the point. */
export function short(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: digitsFor(value) })
}

function digitsFor(value: number): number {
  const size = Math.abs(value)
  return size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
}

/** Keeps everything that was found, with the machine it was found on. Answers the name of the file. */
export async function keep(
  folder: string,
  name: string,
  found: { readonly options: Readonly<Record<string, unknown>>; readonly findings: Findings },
): Promise<string> {
  await mkdir(folder, { recursive: true })
  const at = new Date().toISOString()
  const file = join(folder, `${name}-${at.replaceAll(/[:.]/g, '-')}.json`)
  const { options, findings } = found
  await writeFile(
    file,
    `${JSON.stringify({ name, at, machine: machine(), options, ...findings }, null, 2)}\n`,
  )
  return file
}

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    commit: commit(),
    /** More than one's own work shows here when the machine is shared. */
    loadAverage: loadavg()[0] ?? 0,
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

function figure({ median, lowest, highest }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${lowest.toFixed(digits)} … ${highest.toFixed(digits)})`
}
