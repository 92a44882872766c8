import t from 'tap'
import type { SaleView } from '../domain/sales/sale-messages.ts'
import { saleOffer } from './sale-offer.ts'

const sale = { id: 'sal_1' } as SaleView

t.test('the seats of a hall have the codes that its layout describes', (t) => {
  const row = { x: 0, y: 0, priceClass: 0 }
  const section = (code: string, rows: readonly { row: number; first: number; seats: number }[]) => ({
    code,
    name: code,
    dx: 1,
    dy: 0,
    rows: rows.map((each) => ({ ...row, ...each })),
  })
  const offer = saleOffer(sale, {
    kind: 'seats',
    priceClasses: [{ name: 'A', priceMinor: 100 }],
    sections: [
      section('A', [{ row: 1, first: 0, seats: 2 }]),
      section('B', [{ row: 12, first: 2, seats: 1 }]),
    ],
  })
  t.same(offer.codes, ['A-01-01', 'A-01-02', 'B-12-01'])
  t.equal(offer.capacities.get('B-12-01'), 1)
  t.equal(offer.isFree, false)
  t.end()
})

t.test('a date that is an exception has hours and places of its own', (t) => {
  const offer = saleOffer(sale, {
    kind: 'slots',
    dates: ['2026-11-22', '2026-11-23'],
    hours: ['10:00'],
    capacity: 10,
    priceMinor: 0,
    exceptions: [{ date: '2026-11-23', hours: ['09:00', '12:00'], capacity: 3 }],
  })
  t.same(
    [...offer.capacities],
    [
      ['2026-11-22T10:00', 10],
      ['2026-11-23T09:00', 3],
      ['2026-11-23T12:00', 3],
    ],
  )
  t.end()
})

t.test('slots are dates by hours, each with its places', (t) => {
  const dates = ['2026-11-22', '2026-11-23']
  const hours = ['10:00', '11:00']
  const offer = saleOffer(sale, { kind: 'slots', dates, hours, capacity: 10, priceMinor: 0 })
  t.same(offer.codes, ['2026-11-22T10:00', '2026-11-22T11:00', '2026-11-23T10:00', '2026-11-23T11:00'])
  t.equal(offer.capacities.get('2026-11-23T10:00'), 10)
  t.equal(offer.isFree, true)
  t.end()
})
