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
  const codes = layout.kind === 'seats' ? seatCodes(layout) : slotCodes(layout)
  const capacity = layout.kind === 'seats' ? 1 : layout.capacity
  const prices =
    layout.kind === 'seats' ? layout.priceClasses.map((one) => one.priceMinor) : [layout.priceMinor]
  return {
    sale,
    kind: layout.kind,
    isFree: prices.every((price) => price === 0),
    codes,
    capacities: new Map(codes.map((code) => [code, capacity])),
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

function slotCodes({ dates, hours }: Extract<SaleLayout, { kind: 'slots' }>): string[] {
  return dates.flatMap((date) => hours.map((hour) => `${date}T${hour}`))
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
