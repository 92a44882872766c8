import type { SaleLayout } from '../domain/sales/sale-layout-messages.ts'
import type { SaleView } from '../domain/sales/sale-messages.ts'

/** What a buyer knows of a sale from looking at it once. */
export interface SaleOffer {
  readonly sale: SaleView
  readonly kind: 'seats' | 'slots'
  /** Nothing of it costs anything. */
  readonly isFree: boolean
  /** Codes of all units, in the order of the layout. */
  readonly codes: readonly string[]
  /** Places of each unit, by its code. */
  readonly capacities: ReadonlyMap<string, number>
}

export function saleOffer(sale: SaleView, layout: SaleLayout): SaleOffer {
  const units =
    layout.kind === 'seats' ? seatCodes(layout).map((code) => [code, 1] as const) : slotsOf(layout)
  const prices =
    layout.kind === 'seats' ? layout.priceClasses.map((one) => one.priceMinor) : [layout.priceMinor]
  return {
    sale,
    kind: layout.kind,
    isFree: prices.every((price) => price === 0),
    codes: units.map(([code]) => code),
    capacities: new Map(units),
  }
}

function seatCodes({ sections }: Extract<SaleLayout, { kind: 'seats' }>): string[] {
  return sections.flatMap((section) =>
    section.rows.flatMap(({ row, seats }) =>
      Array.from(
        { length: seats },
        (_, index) => `${section.code}-${twoDigits(row)}-${twoDigits(index + 1)}`,
      ),
    ),
  )
}

function slotsOf(layout: Extract<SaleLayout, { kind: 'slots' }>): [code: string, capacity: number][] {
  const exceptionOf = new Map(layout.exceptions?.map((day) => [day.date, day]))
  return layout.dates.flatMap((date) => {
    const { hours, capacity } = exceptionOf.get(date) ?? layout
    return hours.map((hour): [string, number] => [`${date}T${hour}`, capacity])
  })
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
