import { median } from '../../../bench/measure/series.ts'

/** Something that was measured some times, and what it is to be. */
export interface Figure {
  readonly what: string
  readonly unit: string
  readonly values: readonly number[]
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number }
}

/** A table in Markdown; the worst value is held against the goal. */
export function tableOf(figures: readonly Figure[]): string[] {
  const rows = figures.map((figure) => {
    const { what, unit, values } = figure
    const cells = [
      what,
      told(median(values), unit),
      told(worstOf(figure), unit),
      String(values.length),
      goalOf(figure),
    ]
    return `| ${cells.join(' | ')} | ${verdictOf(figure)} |`
  })
  return ['| what | median | worst | tries | goal | |', '| --- | --- | --- | --- | --- | --- |', ...rows]
}

/** How many goals were reached, and how many missed; a figure without one is only told. */
export function countsOf(figures: readonly Figure[]): { passed: number; failed: number } {
  const judged = figures.filter(({ goal }) => goal !== undefined)
  const passed = judged.filter(isReached).length
  return { passed, failed: judged.length - passed }
}

/** Whether the worst value is what it is to be. */
function isReached(figure: Figure): boolean {
  const { goal } = figure
  if (goal === undefined) return false
  const worst = worstOf(figure)
  return 'atMost' in goal ? worst <= goal.atMost : worst >= goal.atLeast
}

function worstOf({ what, goal, values }: Figure): number {
  if (values.length === 0) throw new Error(`never measured: ${what}`)
  return goal !== undefined && 'atLeast' in goal ? Math.min(...values) : Math.max(...values)
}

function goalOf({ goal, unit }: Figure): string {
  if (goal === undefined) return ''
  return 'atMost' in goal ? `≤ ${told(goal.atMost, unit)}` : `≥ ${told(goal.atLeast, unit)}`
}

function verdictOf(figure: Figure): string {
  if (figure.goal === undefined) return ''
  return isReached(figure) ? 'reached' : '**missed**'
}

function told(value: number, unit: string): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : 2
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`.trim()
}
