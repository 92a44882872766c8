import { HallSeats } from '../hall/hall-seats.js'
import { SlotTable } from '../slots/slot-table.js'
import { UnitMap } from './unit-map.js'

/** @import { SaleLayout } from '../../src/domain/sales/sale-layout-messages.ts' */

/**
 * @typedef {object} SaleUnits
 * @property {HallSeats | undefined} hall in a sale of seats
 * @property {SlotTable | undefined} slots in a sale of slots
 * @property {UnitMap} map
 * @property {boolean} isFree nothing in this sale costs anything
 * @property {(unitNo: number) => string} codeOf
 * @property {(code: string) => number | undefined} numberOf
 * @property {(unitNo: number) => number} priceMinorOf
 * @property {(unitNo: number) => number} leftOf free places
 */

/** What a sale offers: its layout, and what of it is free. @param {SaleLayout} layout @returns {SaleUnits} */
export function saleUnits(layout) {
  return layout.kind === 'seats' ? seatsOf(new HallSeats(layout)) : slotsOf(new SlotTable(layout))
}

/** @param {HallSeats} hall @returns {SaleUnits} */
function seatsOf(hall) {
  /** @param {string} code */
  const numberOf = (code) => hall.numberOf(code)
  const map = new UnitMap({ kind: 'seats', unitCount: hall.count, numberOf })
  return {
    hall,
    slots: undefined,
    map,
    isFree: hall.rows.every(({ priceClass }) => (hall.priceClasses[priceClass]?.priceMinor ?? 0) === 0),
    codeOf: (unitNo) => hall.codeOf(unitNo),
    numberOf,
    priceMinorOf: (unitNo) => hall.priceMinorOf(unitNo),
    leftOf: (unitNo) => (map.seats[unitNo] === 0 ? 1 : 0),
  }
}

/** @param {SlotTable} slots @returns {SaleUnits} */
function slotsOf(slots) {
  /** @param {string} code */
  const numberOf = (code) => slots.numberOf(code)
  const map = new UnitMap({ kind: 'slots', unitCount: slots.count, numberOf })
  return {
    hall: undefined,
    slots,
    map,
    isFree: slots.priceMinor === 0,
    codeOf: (unitNo) => slots.codeOf(unitNo),
    numberOf,
    priceMinorOf: () => slots.priceMinor,
    leftOf: (unitNo) => map.left[unitNo] ?? 0,
  }
}
