import t from 'tap'
import { Problem } from '../../public/live/problem.js'
import {
  emptyTill,
  choose,
  isUnfinished,
  ordersRead,
  placesLeft,
  withoutOrder,
  withoutTaken,
  withOrder,
} from '../../public/till/till-state.js'
import { Till } from '../../public/till/till.js'
import type { OrderMessage } from '../../src/domain/orders/order-messages.ts'
import { until } from '../support/until.ts'

type Asked = { path: string; method: string; body?: unknown; key?: string; token?: string }

const holdOf = (id: string, ...units: string[]) => ({
  id,
  units: units.map((unit) => ({ unit, quantity: 1 })),
  expiresAt: '2026-01-01T00:03:00.000Z',
  extendable: true,
})
const orderOf = (id: string, status: OrderMessage['status'], ...units: string[]): OrderMessage => ({
  id,
  sale: 'sal_1',
  status,
  total: { amountMinor: 1000, currency: 'KRW' },
  refund: 'none',
  payBy: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  bookings: units.map((unit, index) => ({
    id: `bkg_${index}`,
    unit,
    priceClass: 'A',
    priceMinor: 1000,
    status:
      status === 'booked' ? 'booked' : isUnfinished({ status } as OrderMessage) ? 'pending' : 'released',
    checkedInAt: null,
  })),
})

/** A till whose server answers what the test says, by `METHOD path`; what is not named is not there. */
function tillOf(answers: Record<string, () => unknown>) {
  const asked: Asked[] = []
  const store = { value: emptyTill }
  const left = new Map<string, number>()
  const over = { count: 0 }
  let keys = 0
  const till = new Till('sal_1', {
    call: async (path, { method = 'GET', body, key, headers } = {}) => {
      asked.push({
        path,
        method,
        ...(body !== undefined && { body }),
        ...(key !== undefined && { key }),
        ...(headers?.['purchase-token'] !== undefined && { token: headers['purchase-token'] }),
      })
      await Promise.resolve()
      const answer = answers[`${method} ${path}`]
      if (answer === undefined) throw new Problem({ code: 'no_such_route', status: 404 })
      return answer() as never
    },
    newKey: () => `key-${++keys}`,
    pause: (_, signal) =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
    store,
    token: () => 'token-now',
    onAdmissionOver: () => void over.count++,
    leftOf: (code) => left.get(code) ?? 1,
  })
  const pick = (...codes: string[]) => {
    for (const code of codes) till.change((now) => choose(now, { code, quantity: 1, maxPerAccount: 4 }))
  }
  const posts = () => asked.filter(({ method }) => method === 'POST')
  return { till, asked, posts, store, left, over, pick }
}

const refused =
  (code: string, extra: object = {}) =>
  () => {
    throw new Problem({ code, status: 409, ...extra })
  }

t.test('nobody chooses more than one account may have, what is held and ordered counted in', async (t) => {
  const has = ordersRead(emptyTill, [orderOf('ord_1', 'booked', 'A'), orderOf('ord_2', 'paying', 'B')])
  t.equal(placesLeft(has, 4), 2)
  const two = ['C', 'D'].reduce((now, code) => choose(now, { code, quantity: 1, maxPerAccount: 4 }), has)
  t.equal(two.chosen.size, 2)
  const three = choose(two, { code: 'E', quantity: 1, maxPerAccount: 4 })
  t.equal(three.chosen.size, 2)
  t.equal(three.news?.code, 'limit_reached')
  t.equal(choose(three, { code: 'C', quantity: 0, maxPerAccount: 4 }).chosen.size, 1)
})

t.test(
  'what others take is not chosen any more, and the buyer is told; our own hand is no other',
  async (t) => {
    const chosen = ['C', 'D'].reduce(
      (now, code) => choose(now, { code, quantity: 1, maxPerAccount: 4 }),
      emptyTill,
    )
    const now = withoutTaken(chosen, (code) => (code === 'C' ? 0 : 1))
    t.strictSame([...now.chosen.keys()], ['D'])
    t.strictSame(now.news, { code: 'lost', units: ['C'] })
    t.equal(withoutTaken({ ...chosen, isTaking: true }, () => 0).chosen.size, 2)
  },
)

t.test('two clicks hold once; what was chosen is held', async (t) => {
  const { till, posts, store, pick } = tillOf({
    'POST /sales/sal_1/holds': () => ({ hold: holdOf('hol_1', 'A', 'B') }),
  })
  pick('A', 'B')
  await Promise.all([till.hold(), till.hold()])
  t.strictSame(posts(), [
    {
      path: '/sales/sal_1/holds',
      method: 'POST',
      body: {
        units: [
          { unit: 'A', quantity: 1 },
          { unit: 'B', quantity: 1 },
        ],
      },
      key: 'key-1',
      token: 'token-now',
    },
  ])
  t.equal(store.value.chosen.size, 0)
  t.strictSame(
    store.value.holds.map(({ id }) => id),
    ['hol_1'],
  )
})

t.test('units that are taken are named and unchosen, the others stay chosen', async (t) => {
  const { till, store, pick } = tillOf({ 'POST /sales/sal_1/holds': refused('unit_taken', { units: ['A'] }) })
  pick('A', 'B')
  await till.hold()
  t.strictSame([...store.value.chosen.keys()], ['B'])
  t.strictSame(store.value.news, { code: 'unit_taken', units: ['A'] })
  t.equal(store.value.isTaking, false)
})

t.test('where a slot is full the nearest are offered, and it is chosen no longer', async (t) => {
  const nearest = [
    { unit: 'B', left: 2 },
    { unit: 'C', left: 1 },
  ]
  const { till, store, pick } = tillOf({
    'POST /sales/sal_1/holds': refused('fully_booked', { units: ['A'], nearest }),
  })
  pick('A')
  await till.hold()
  t.equal(store.value.chosen.size, 0)
  t.strictSame(store.value.news, { code: 'fully_booked', units: ['A'], nearest: ['B', 'C'] })
})

t.test('a choice that would leave a single seat stays, with the seat named', async (t) => {
  const { till, store, pick } = tillOf({
    'POST /sales/sal_1/holds': refused('leaves_single_seat', { units: ['C'] }),
  })
  pick('A', 'B')
  await till.hold()
  t.strictSame([...store.value.chosen.keys()], ['A', 'B'])
  t.strictSame(store.value.news, { code: 'leaves_single_seat', units: ['C'] })
})

t.test('whoever is told that the time to buy is over goes back to the line', async (t) => {
  const { till, over, pick } = tillOf({ 'POST /sales/sal_1/holds': refused('admission_over') })
  pick('A')
  await till.hold()
  t.equal(over.count, 1)
})

t.test(
  'a booking whose answer was lost is asked for again under its key, another one under its own',
  async (t) => {
    let isLost = true
    const { till, posts, store, pick } = tillOf({
      'POST /sales/sal_1/bookings': () => {
        if (isLost) throw new Problem({ code: 'unreachable' })
        return { order: orderOf('ord_1', 'booked', 'A') }
      },
      'GET /sales/sal_1/holds': () => ({ items: [] }),
      'GET /orders?limit=100': () => ({ items: [] }),
    })
    pick('A')
    await till.book()
    isLost = false
    await till.book()
    t.strictSame(
      store.value.orders.map(({ status }) => status),
      ['booked'],
    )
    pick('B')
    await till.book()
    t.strictSame(
      posts().map(({ key }) => key),
      ['key-1', 'key-1', 'key-2'],
    )
  },
)

t.test('after a reload holds and unfinished orders are found, and followed to their end', async (t) => {
  let status: OrderMessage['status'] = 'paying'
  const { till, store } = tillOf({
    'GET /sales/sal_1/holds': () => ({ items: [holdOf('hol_1', 'A')] }),
    'GET /orders?limit=100': () => ({
      items: [orderOf('ord_1', status, 'B'), { ...orderOf('ord_9', 'paying', 'Z'), sale: 'sal_9' }],
    }),
    'GET /orders/ord_1': () => ({ order: orderOf('ord_1', status, 'B') }),
  })
  await till.resume()
  t.strictSame(
    store.value.holds.map(({ id }) => id),
    ['hol_1'],
  )
  t.strictSame(
    store.value.orders.map(({ id }) => id),
    ['ord_1'],
    'of this sale only',
  )
  status = 'booked'
  await until('the order is followed', () => {
    till.lookNow()
    return store.value.orders[0]?.status === 'booked'
  })
  till.end()
})

t.test('two clicks order once; the order takes the place of its hold', async (t) => {
  const { till, posts, store, pick } = tillOf({
    'POST /sales/sal_1/holds': () => ({ hold: holdOf('hol_1', 'A') }),
    'POST /orders': () => ({ order: orderOf('ord_1', 'pending', 'A') }),
    'GET /orders/ord_1': () => ({ order: orderOf('ord_1', 'refused', 'A') }),
  })
  pick('A')
  await till.hold()
  await Promise.all([till.order('hol_1', 'card'), till.order('hol_1', 'card')])
  t.strictSame(posts().slice(1), [
    { path: '/orders', method: 'POST', body: { hold: 'hol_1', payment: { method: 'card' } } },
  ])
  t.equal(store.value.holds.length, 0)
  await until('the refusal is seen', () => store.value.orders[0]?.status === 'refused')
  till.end()
})

t.test('a hold that has ended is taken away and named, by whichever call it is learnt', async (t) => {
  const { till, store, pick } = tillOf({
    'POST /sales/sal_1/holds': () => ({ hold: holdOf('hol_1', 'A') }),
    'POST /holds/hol_1/extend': refused('hold_gone'),
    'GET /sales/sal_1/holds': () => ({ items: [] }),
  })
  pick('A')
  await till.hold()
  await till.extend('hol_1')
  t.strictSame(store.value.holds, [])
  t.strictSame(store.value.news, { code: 'hold_ended', units: ['A'] })
  pick('A')
  await till.hold()
  await till.readHolds()
  t.strictSame(store.value.holds, [])
  t.strictSame(store.value.news, { code: 'hold_ended', units: ['A'] })
})

t.test('an extension is kept, a release gives back', async (t) => {
  const { till, store, pick } = tillOf({
    'POST /sales/sal_1/holds': () => ({ hold: holdOf('hol_1', 'A') }),
    'POST /holds/hol_1/extend': () => ({
      hold: { ...holdOf('hol_1', 'A'), expiresAt: '2026-01-01T00:08:00.000Z', extendable: false },
    }),
    'DELETE /holds/hol_1': () => undefined,
  })
  pick('A')
  await till.hold()
  await till.extend('hol_1')
  t.match(store.value.holds, [{ expiresAt: '2026-01-01T00:08:00.000Z', extendable: false, busy: '' }])
  await till.release('hol_1')
  t.strictSame(store.value.holds, [])
  t.equal(store.value.news?.code, 'released')
})

t.test('an answer that is older than what is known does not bring an order back to life', async (t) => {
  const booked = withOrder(emptyTill, orderOf('ord_1', 'booked', 'A'))
  t.equal(withOrder(booked, orderOf('ord_1', 'paying', 'A')).orders[0]?.status, 'booked')
  t.equal(withoutOrder(booked, 'ord_1').standing.length, 1, 'it counts when it is not shown any more')
  const paying = withOrder(emptyTill, orderOf('ord_2', 'paying', 'A'))
  t.equal(withoutOrder(paying, 'ord_2').orders.length, 1, 'what is not finished stays in sight')
})
