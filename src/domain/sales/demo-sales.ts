import type { NewSale } from './sale-messages.ts'

const dayMs = 86_400_000

/**
 * A concert hall of 2,400 seats and, in a store, 560 free places; open from `nowMs` on, for 30 days.
 * @param store where the places are
 */
export function demoSales(nowMs: number, store: string): NewSale[] {
  const common = {
    opensAt: new Date(nowMs).toISOString(),
    closesAt: new Date(nowMs + 30 * dayMs).toISOString(),
    currency: 'KRW',
    admits: 'guests',
  } as const
  const queue = { mode: 'fifo', tokenTtlSeconds: 300, holdTtlSeconds: 180, graceSeconds: 90 } as const
  const tomorrow = new Date(nowMs + dayMs).toISOString().slice(0, 10)
  const lastDay = new Date(nowMs + 7 * dayMs).toISOString().slice(0, 10)
  return [
    {
      kind: 'seats',
      title: 'Night of Strings, Hanbit Concert Hall',
      ...common,
      queue: { ...queue, ratePerMinute: 1_200, maxActive: 300, maxPerAccount: 4 },
      singleSeats: 'allowed',
      hall: demoHall(),
    },
    {
      kind: 'slots',
      store,
      title: 'Moonrabbit pop-up store, Seongsu',
      ...common,
      queue: { ...queue, ratePerMinute: 600, maxActive: 150, maxPerAccount: 1 },
      slots: {
        dates: { from: tomorrow, to: lastDay },
        hours: ['11:00', '12:00', '13:00', '14:00', '15:00', '16:00', '17:00', '18:00'],
        capacity: 10,
        priceMinor: 0,
      },
    },
  ]
}

/** Three sections on the floor, three on the balcony around it, three at the back: 2,400 seats in 9 sections. */
function demoHall(): Extract<NewSale, { kind: 'seats' }>['hall'] {
  const side = { rows: 10, seatsPerRow: 24 }
  const middle = { rows: 12, seatsPerRow: 30 }
  const level = (y: number) => ({
    left: { ...side, x: -31, y: y + 4, angleDegrees: -20 },
    middle: { ...middle, x: 0, y },
    right: { ...side, x: 31, y: y + 4, angleDegrees: 20 },
  })
  const [floor, balcony] = [level(5), level(24)]
  const vipRows = [{ from: 1, to: 5, priceClass: 'VIP' }]
  const back = { rows: 8, seatsPerRow: 30, y: 43, priceClass: 'A' }
  return {
    priceClasses: [
      { name: 'VIP', priceMinor: 154_000 },
      { name: 'R', priceMinor: 132_000 },
      { name: 'S', priceMinor: 99_000 },
      { name: 'A', priceMinor: 66_000 },
    ],
    sections: [
      { code: 'B', name: 'Floor, middle', ...floor.middle, priceClass: 'R', rowPriceClasses: vipRows },
      { code: 'A', name: 'Floor, left', ...floor.left, priceClass: 'R' },
      { code: 'C', name: 'Floor, right', ...floor.right, priceClass: 'R' },
      { code: 'E', name: 'Balcony, middle', ...balcony.middle, priceClass: 'S' },
      { code: 'D', name: 'Balcony, left', ...balcony.left, priceClass: 'S' },
      { code: 'F', name: 'Balcony, right', ...balcony.right, priceClass: 'S' },
      { code: 'H', name: 'Back, middle', ...back, x: 0 },
      { code: 'G', name: 'Back, left', ...back, x: -32 },
      { code: 'I', name: 'Back, right', ...back, x: 32 },
    ],
  }
}
