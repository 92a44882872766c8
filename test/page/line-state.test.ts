import t from 'tap'
import {
  firstState,
  isOpenAt,
  nextState,
  type LineEvent,
  type LineState,
} from '../../public/line/line-state.js'
import { Problem } from '../../public/live/problem.js'
import type { QueueEvent } from '../../src/domain/queue/queue-messages.ts'
import { saleView, type SaleView } from '../../src/domain/sales/sale-messages.ts'

const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 10, 0, second)).toISOString()

const sale: SaleView = saleView.parse({
  id: 'sal_0',
  kind: 'seats',
  title: 'A show',
  status: 'open',
  admits: 'guests',
  opensAt: time(0),
  closesAt: time(50),
  queue: {
    mode: 'fifo',
    ratePerMinute: 600,
    maxActive: 10,
    tokenTtlSeconds: 300,
    holdTtlSeconds: 180,
    maxPerAccount: 4,
    graceSeconds: 90,
  },
  singleSeats: 'allowed',
  notice: null,
  store: null,
  onePerUnit: false,
  payBySeconds: 300,
  currency: 'KRW',
  unitCount: 10,
  placeCount: 10,
  createdAt: time(0),
})

const position = (place: number): QueueEvent => ({
  type: 'position',
  data: {
    position: place,
    ahead: place - 1,
    behind: 2,
    etaSeconds: 9,
    ratePerMinute: 600,
    pacePerMinute: 590,
    left: 7,
  },
})
const admitted: QueueEvent = {
  type: 'admitted',
  data: { purchaseToken: 'a.b.c', expiresAt: time(40), admittedAt: time(10) },
}
const bare = (type: 'paused' | 'resumed' | 'soldout' | 'closed' | 'expired' | 'fulfilled' | 'absent') =>
  ({ type, data: {} }) as QueueEvent
const told = (event: QueueEvent, before?: 'waiting' | 'admitted'): LineEvent => ({
  type: 'told',
  event,
  atMs: 1000,
  before,
})
const joined: LineEvent = {
  type: 'joined',
  data: { state: 'waiting', ticket: 'q.t', position: 5, behind: 0, etaSeconds: 1 },
  atMs: 500,
}

/** The state after all these, and the places on the way. */
function after(events: readonly LineEvent[], from: LineState = firstState()) {
  const places: string[] = []
  let state = nextState(from, { type: 'sale', sale })
  for (const event of events) {
    state = nextState(state, event)
    if (places.at(-1) !== state.place.at) places.push(state.place.at)
  }
  return { state, place: state.place, places }
}

t.test('a buyer comes, joins, waits, is let in and buys', async (t) => {
  const { places, place } = after([
    { type: 'stranger' },
    { type: 'join' },
    joined,
    told(position(3)),
    told(admitted),
    told(bare('fulfilled')),
  ])
  t.same(places, ['outside', 'joining', 'waiting', 'admitted', 'fulfilled'])
  t.match(place, { isShopping: true }, 'the till still has the tickets to show')
  t.match(nextState(after([told(admitted), told(bare('fulfilled'))]).state, { type: 'finished' }).place, {
    at: 'fulfilled',
    isShopping: false,
  })
})

t.test('after a reload the place is what the server tells', async (t) => {
  for (const [event, at] of [
    [position(9), 'waiting'],
    [admitted, 'admitted'],
    [{ type: 'aside', data: { until: time(30) } }, 'aside'],
    [{ type: 'entered', data: { entry: 'ent_1', entrants: 3, opensAt: time(0) } }, 'entered'],
    [bare('absent'), 'outside'],
    [bare('closed'), 'closed'],
  ] as const) {
    t.equal(after([told(event)]).place.at, at)
  }
})

t.test('whoever waited and is not known any more asks for the place again', async (t) => {
  t.equal(after([told(position(3)), told(bare('absent'))]).place.at, 'joining')
  t.equal(after([told(bare('absent'), 'waiting')]).place.at, 'joining', 'also after a reload')
})

t.test(
  'whoever was let in and is not known any more has had their time, and does not join by itself',
  async (t) => {
    t.match(after([told(bare('absent'), 'admitted')]).place, { at: 'expired', isShopping: false })
    t.match(after([told(admitted), told(bare('absent'))]).place, { at: 'expired', isShopping: true })
  },
)

t.test('an answer that comes after what flowed changes nothing', async (t) => {
  const { place } = after([{ type: 'stranger' }, { type: 'join' }, told(admitted), joined])
  t.equal(place.at, 'admitted')
  const late = new Problem({ code: 'unavailable', status: 503 })
  t.equal(after([told(position(2)), { type: 'refused', problem: late }]).place.at, 'waiting')
})

t.test('how far one has come is counted from the first position, also over a reload', async (t) => {
  const first = after([told(position(800)), told(position(500))]).place
  t.match(first, { start: { position: 800 } })
  const reloaded = after([told(position(450))], firstState({ position: 800, atMs: 1 })).place
  t.match(reloaded, { start: { position: 800, atMs: 1 } })
  t.match(
    after([told(position(5)), told(position(90))]).place,
    { start: { position: 90 } },
    'put back behind',
  )
})

t.test('joining is refused: over, no such sale, all one may have, or something to say', async (t) => {
  const refusal = (code: string) =>
    after([{ type: 'stranger' }, { type: 'join' }, { type: 'refused', problem: new Problem({ code }) }]).place
  t.equal(refusal('sale_closed').at, 'closed')
  t.equal(refusal('no_such_sale').at, 'missing')
  t.equal(refusal('limit_reached').at, 'fulfilled')
  t.match(refusal('verified_only'), { at: 'outside', problem: { code: 'verified_only' } })
})

t.test('paused, sold out and what the organiser says lie over the place', async (t) => {
  const { state } = after([told(position(3)), told(bare('paused'))])
  t.match([state.sale?.status, state.place.at], ['paused', 'waiting'])
  const back = after([told(bare('soldout')), told(bare('resumed'))], state).state
  t.match([back.sale?.status, back.place.at], ['open', 'waiting'])
  const notice = (text: string) => told({ type: 'notice', data: { text, at: time(3) } })
  t.match(after([notice('Doors at 7')]).state.sale?.notice, { text: 'Doors at 7' })
  t.equal(after([notice('Doors at 7'), notice('')]).state.sale?.notice, null)
})

t.test('a sale that ends takes nothing from the hands of who is paying', async (t) => {
  t.equal(after([told(position(3)), told(bare('closed'))]).place.at, 'closed')
  t.match(after([told(admitted), told(bare('closed'))]).place, { at: 'expired', isShopping: true })
  const read = nextState(after([told(admitted)]).state, { type: 'sale', sale: { ...sale, status: 'closed' } })
  t.equal(read.place.at, 'admitted', 'until the server says so')
})

t.test('who left may join again, from the start', async (t) => {
  const { state } = after([told(position(3)), { type: 'left' }])
  t.match(state, { place: { at: 'outside' }, start: undefined })
  t.equal(nextState(state, { type: 'join' }).place.at, 'joining')
  t.equal(
    nextState(after([told(position(3))]).state, { type: 'join' }).place.at,
    'waiting',
    'nobody joins twice',
  )
})

t.test('what is given back on purpose is not asked for again', async (t) => {
  const leaving = after([told(position(3)), { type: 'leave' }]).state
  t.equal(
    nextState(leaving, told(bare('absent'))).place.at,
    'outside',
    'the word was quicker than the answer',
  )
  t.equal(nextState(leaving, { type: 'unsure' }).place.at, 'loading', 'it did not work: where do I stand?')
})

t.test('a sale is open by its time, also before that was read', async (t) => {
  const scheduled = { ...sale, status: 'scheduled' as const }
  const opensAtMs = Date.parse(sale.opensAt)
  t.same(
    [opensAtMs - 1, opensAtMs].map((nowMs) => isOpenAt(scheduled, nowMs)),
    [false, true],
  )
  t.equal(isOpenAt({ ...sale, status: 'soldout' }, 0), true)
})
