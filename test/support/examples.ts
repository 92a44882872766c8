import { freeSlots, newSale } from './calls.ts'
import type { Body } from './contract.ts'
import { newStore } from './new-store.ts'

const nobody = '0'.repeat(20)

/** Ids of the right shape that name nothing. */
export const strangers: Readonly<Record<string, string>> = {
  sale: `sal_${nobody}`,
  hold: `hol_${nobody}${nobody}`,
  order: `ord_${nobody}`,
  booking: `bkg_${nobody}`,
  store: `sto_${nobody}`,
  member: `cme_${nobody}`,
  picture: `pic_${nobody}`,
  seq: '1',
}

/** Bodies of the right shape for every call that takes one, by method and path. */
export function examples(): Readonly<Record<string, readonly Body[]>> {
  const holds = [
    { units: [{ unit: 'A-01-01', quantity: 1 }] },
    { best: { count: 1, section: 'A', priceClass: 'Regular' } },
  ]
  const store = {
    openingHours: [{ days: [1, 7], from: '10:00', to: '20:00' }],
    links: [{ label: 'Shop', url: 'https://shop.example' }],
    maxPerAccount: 2,
  }
  return {
    'POST /api/v1/stores': [newStore(store)],
    'PATCH /api/v1/stores/{store}': [newStore(store)],
    'POST /api/v1/sales': [newSale(), newSale(freeSlots(1))],
    'PATCH /api/v1/sales/{sale}': [
      { title: 'Another', status: 'open', queue: { ratePerMinute: 60, maxActive: 9 } },
    ],
    'POST /api/v1/sales/{sale}/queue': [{ ticket: 'no.ticket' }],
    'POST /api/v1/sales/{sale}/holds': holds,
    'POST /api/v1/sales/{sale}/bookings': holds,
    'POST /api/v1/orders': [{ hold: strangers['hold'], payment: { method: 'sandbox_approve' } }],
    'POST /api/v1/stores/{store}/messages': [{ text: 'Hello', replyTo: 1 }],
    'PUT /api/v1/stores/{store}/messages/pinned': [{ seq: 1 }],
    'POST /api/v1/stores/{store}/members/{member}/mute': [{ minutes: 5 }],
    'PATCH /api/v1/stores/{store}/room': [{ slowSeconds: 5, closed: true }],
    'POST /api/v1/checkin': [{ code: 'no ticket' }],
  }
}
