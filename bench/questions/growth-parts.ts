import type { HelperProcess } from '../stage/helper-process.ts'
import type { GrowthCalls } from '../load/growth-calls.ts'
import { exponentOf } from '../measure/series.ts'
import type { SaleDescription, Stage } from '../stage/stage.ts'
import type { Findings } from '../measure/turn.ts'

/** What each part of the question works with. */
export interface GrowthParts {
  readonly stage: Stage
  readonly crowd: HelperProcess<GrowthCalls>
  readonly options: GrowthOptions
  readonly log: (line: string) => void
}

export interface GrowthOptions {
  readonly seconds: number
  readonly rounds: number
  readonly conns: number
  /** Joins, and bookings, of one turn. */
  readonly accounts: number
}

/** What a part of the question adds to what was found. */
export type Part = Pick<Findings, 'rows' | 'checks' | 'windows'> & {
  readonly curves: NonNullable<Findings['curves']>
}

/** Everybody is let in as soon as the sale is open. */
const openGate = {
  ratePerMinute: 6_000_000,
  maxActive: 1_000_000,
  tokenTtlSeconds: 86_400,
  holdTtlSeconds: 3_600,
  maxPerAccount: 50,
}

export const oneSlot = '2030-01-01T10:00'
const slotSale: SaleDescription = {
  dates: ['2030-01-01'],
  hours: ['10:00'],
  capacity: 1_000_000,
  queue: openGate,
}
export const hallSale = (seats: number): SaleDescription => ({ seats, queue: openGate })

/** Sales in which people can stand in line and nobody is let in yet. */
export async function pausedSales(stage: Stage, count: number): Promise<string[]> {
  const sales = await openSales(stage, count)
  for (const sale of sales) await stage.changeSale(sale, { status: 'paused' })
  return sales
}

export async function openSales(stage: Stage, count: number): Promise<string[]> {
  const sales: string[] = []
  while (sales.length < count) {
    const some = Math.min(atOnce, count - sales.length)
    sales.push(...(await Promise.all(Array.from({ length: some }, () => stage.createSale(slotSale)))))
  }
  return sales
}

/** Resolves when nobody writes to them any more: what is over must cost the next turn nothing. */
export async function closeSales({ sql, closeSale }: Stage, sales: readonly string[]): Promise<void> {
  for (const sale of sales) await closeSale(sale)
  for (const endMs = Date.now() + closedWithinMs; Date.now() < endMs;) {
    const [row] = await sql<{ held: number }[]>`
      select count(*)::int as held from sale_writers where sale_id = any(${[...sales]}) and lease_owner is not null`
    if (row?.held === 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('closed sales still have a writer')
}

const atOnce = 10
const closedWithinMs = 30_000

/** Such as `as x to the power 0.98`. */
export function powerText(points: readonly (readonly [number, number])[]): string {
  return `to the power ${exponentOf(points).toFixed(2)}`
}
