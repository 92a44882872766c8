import t, { type Test } from 'tap'
import type { BookingMessage, OrderMessage } from '../domain/orders/order-messages.ts'
import type { JournalEntry, JournalFact } from './journal.ts'
import { isKept, promiseNames, together, verdict, type AuditedBuyer, type PromiseName } from './verdict.ts'

const saleId = 'sal_0a1b2c3d4e5f6g7h8i9j'
const openedMs = Date.UTC(2026, 0, 1)
const epoch = 2 ** 32
const minute = 60_000

/** A history in the making. Times are milliseconds after the opening; the server's clock is that of the crowd. */
class MadeUp {
  readonly entries: JournalEntry[] = []
  readonly audit: AuditedBuyer[] = []
  readonly room: { seq: number; text: string }[] = []
  readonly sale = {
    id: saleId,
    ratePerMinute: 3,
    maxActive: 2,
    maxPerAccount: 2,
    capacities: new Map([
      ['A-01-01', 1],
      ['A-01-02', 1],
      ['10:00', 2],
    ]),
  }

  constructor() {
    // Somebody who hears of the admission at once shows that the clocks agree.
    this.joins('first', { at: 0, place: epoch + 1 }).admits('first', { at: 0, place: epoch + 1 })
    this.notes('first', 1, { type: 'leave-sent' })
  }

  notes(buyer: string, at: number, fact: JournalFact): this {
    this.entries.push({ ...fact, buyer, sale: saleId, atMs: openedMs + at })
    return this
  }

  joins(buyer: string, { at, place }: { at: number; place: number }): this {
    this.notes(buyer, at, { type: 'joined', sequence: place, tookMs: 1 })
    return this.notes(buyer, at, { type: 'connected' })
  }

  admits(
    buyer: string,
    {
      at,
      place,
      heard = at,
      forMs = 5 * minute,
    }: { at: number; place: number; heard?: number; forMs?: number },
  ): this {
    const [admittedAtMs, expiresAtMs] = [openedMs + at, openedMs + at + forMs]
    return this.notes(buyer, heard, { type: 'admitted', sequence: place, admittedAtMs, expiresAtMs })
  }

  /** An order, told as booked, with its ticket, and so at the end. */
  buys(buyer: string, { at, units }: { at: number; units: readonly string[] }): this {
    const order = `ord_${buyer}`
    this.notes(buyer, at, { type: 'order-sent', places: units.length })
    this.notes(buyer, at + 1, { type: 'order-said', order, status: 'booked' })
    this.notes(buyer, at + 2, { type: 'ticket', order, booking: `bkg_${buyer}`, isRight: true })
    return this.ends(buyer, 'booked', units)
  }

  /** Says something, and is told that it stands there; `room` is what does. */
  says(buyer: string, at: number, said: { text: string; seq?: number }): this {
    const { text, seq } = said
    this.notes(buyer, at, { type: 'say-sent', text })
    return seq === undefined ? this : this.notes(buyer, at + 1, { type: 'said', text, seq, tookMs: 1 })
  }

  ends(buyer: string, status: OrderMessage['status'], units: readonly string[]): this {
    const booking = (unit: string): BookingMessage => ({
      id: `bkg_${buyer}`,
      unit,
      priceClass: 'A',
      priceMinor: 0,
      status: status === 'booked' ? 'booked' : 'released',
      checkedInAt: null,
    })
    const order = {
      id: `ord_${buyer}`,
      sale: saleId,
      status,
      total: { amountMinor: 0, currency: 'KRW' },
      refund: 'none' as const,
      payBy: null,
      createdAt: new Date(openedMs).toISOString(),
      endedAt: null,
      bookings: units.map(booking),
    }
    this.audit.push({ buyer, orders: [order] })
    return this
  }

  get judged() {
    const { sale, entries, audit, room } = this
    return verdict({ sale, entries, audit, room, endedAtMs: openedMs + 10 * minute })
  }
}

/** Exactly these promises are broken; with the breach of the first. */
function breaks(t: Test, history: MadeUp, names: readonly PromiseName[], breach?: RegExp): void {
  const { judged } = history
  t.same(
    promiseNames.filter((name) => judged[name].breaches.length > 0),
    names,
  )
  t.equal(isKept(judged), names.length === 0)
  const [first] = names
  if (first !== undefined && breach !== undefined) t.match(judged[first].breaches[0], breach)
}

t.test('an honest history breaks nothing, and everything in it is looked at', (t) => {
  const history = new MadeUp()
    .joins('ann', { at: 10, place: epoch + 2 })
    .joins('bob', { at: 20, place: epoch + 3 })
    .admits('ann', { at: 30, place: epoch + 2 })
    .admits('bob', { at: 30, place: epoch + 3 })
    .buys('ann', { at: 100, units: ['A-01-01', 'A-01-02'] })
    .buys('bob', { at: 100, units: ['10:00'] })
  breaks(t, history, [])
  const { judged } = history
  t.same(
    promiseNames.map((name) => [name, judged[name].checked]),
    [
      ['stock', 3],
      ['order', 3],
      ['gate', 3],
      ['pace', 3],
      ['said', 2],
      ['tickets', 2],
      ['places', 3],
      ['limit', 2],
      ['room', 0],
    ],
  )
  t.end()
})

t.test('never oversold', async (t) => {
  t.test('a seat of two buyers', async (t) => {
    const history = new MadeUp().ends('ann', 'booked', ['A-01-01'])
    history.notes('ann', 1, { type: 'ticket', order: 'ord_ann', booking: 'bkg_ann', isRight: true })
    history.buys('bob', { at: 5, units: ['A-01-01'] })
    breaks(t, history, ['stock'], /A-01-01 has 1 places and 2 bookings/)
  })
  t.test('one too many in a slot', async (t) => {
    const history = new MadeUp()
    for (const [index, buyer] of ['ann', 'bob', 'cid'].entries())
      history.buys(buyer, { at: index, units: ['10:00'] })
    breaks(t, history, ['stock'], /10:00 has 2 places and 3 bookings/)
  })
  t.test('a seat that the hall does not have', async (t) => {
    breaks(t, new MadeUp().buys('ann', { at: 1, units: ['Z-99-99'] }), ['stock'], /no unit of the sale/)
  })
  t.test('a booking that was released takes no place', async (t) => {
    breaks(t, new MadeUp().buys('ann', { at: 1, units: ['A-01-01'] }).ends('bob', 'refused', ['A-01-01']), [])
  })
})

t.test('first come, first served', async (t) => {
  const two = () =>
    new MadeUp().joins('ann', { at: 10, place: epoch + 2 }).joins('bob', { at: 20, place: epoch + 3 })
  t.test('whoever came later is let in earlier', async (t) => {
    const history = two()
      .admits('bob', { at: 30, place: epoch + 3 })
      .admits('ann', { at: 31, place: epoch + 2 })
    breaks(t, history, ['order'], /bob .* was let in before ann/)
  })
  t.test('whoever came earlier is never let in at all', async (t) => {
    const history = two().admits('bob', { at: 30, place: epoch + 3 })
    history.notes('ann', minute, { type: 'seen-waiting', lastAtMs: openedMs + 9_000 })
    breaks(t, history, ['order'], /bob .* was let in before ann/)
  })
  t.test('whoever came earlier may have been let in without having heard of it', async (t) => {
    const history = two().admits('bob', { at: 30, place: epoch + 3 })
    breaks(t, history.notes('ann', minute, { type: 'seen-waiting', lastAtMs: openedMs + 40 }), [])
  })
  t.test('whoever came earlier gave up only after having been overtaken', async (t) => {
    const history = two().admits('bob', { at: 30, place: epoch + 3 })
    history.notes('ann', 7_000, { type: 'seen-waiting', lastAtMs: openedMs + 6_900 })
    breaks(t, history.notes('ann', 7_001, { type: 'leave-sent' }), ['order'])
  })
  t.test('a place that was lost and given anew further back', async (t) => {
    const history = two()
      .notes('ann', 25, { type: 'absent' })
      .notes('ann', 26, { type: 'joined', sequence: 2 * epoch + 1, tookMs: 0 })
      .admits('bob', { at: 30, place: epoch + 3 })
      .admits('ann', { at: 40, place: 2 * epoch + 1 })
    breaks(t, history, ['order'])
  })
  t.test('it is no overtaking when the earlier one has left before', async (t) => {
    const history = two()
      .notes('ann', 8_000, { type: 'seen-waiting', lastAtMs: openedMs + 7_999 })
      .notes('ann', 8_001, { type: 'leave-sent' })
    breaks(t, history.admits('bob', { at: 9_000, place: epoch + 3 }), [])
  })
  t.test('nor when the earlier one was away for long', async (t) => {
    const history = two()
      .notes('ann', 25, { type: 'disconnected' })
      .notes('ann', 20_000, { type: 'connected' })
      .admits('bob', { at: 15_000, place: epoch + 3 })
      .admits('ann', { at: 30_000, place: epoch + 2 })
    breaks(t, history, [])
  })
  t.test('but a short cut takes nobody out of the line', async (t) => {
    const history = two()
      .notes('ann', 25, { type: 'disconnected' })
      .notes('ann', 4_000, { type: 'connected' })
      .admits('bob', { at: 15_000, place: epoch + 3 })
      .admits('ann', { at: 30_000, place: epoch + 2 })
    breaks(t, history, ['order'])
  })
  t.test('nor is it when both are let in at the same moment', async (t) => {
    const history = two()
      .admits('bob', { at: 30, place: epoch + 3 })
      .admits('ann', { at: 30, place: epoch + 2, heard: 90 })
    breaks(t, history, [])
  })
})

/** Each lets one in, `everyMs` after the one before; `more` says what becomes of each. */
function lettingIn(
  count: number,
  everyMs: number,
  more: (history: MadeUp, buyer: string, at: number) => void,
) {
  const history = new MadeUp()
  for (let number = 2; number < count + 2; number++) {
    const [buyer, at] = [`b${number}`, number * everyMs]
    history.joins(buyer, { at: 5, place: epoch + number })
    history.admits(buyer, { at, place: epoch + number })
    more(history, buyer, at)
  }
  return history
}

t.test('the gate holds', async (t) => {
  const stay = () => undefined
  t.test('one too many at once', async (t) => {
    breaks(t, lettingIn(3, 21_000, stay), ['gate'], /3 tokens were valid at .*; the gate allows 2/)
  })
  t.test('a leave that is under way may have made room', async (t) => {
    const leave = (history: MadeUp, buyer: string, at: number) =>
      history.notes(buyer, at + 20_999, { type: 'leave-sent' })
    breaks(t, lettingIn(5, 21_000, leave), [])
  })
  t.test('so may an order up to the limit', async (t) => {
    const order = (history: MadeUp, buyer: string, at: number) =>
      history.notes(buyer, at + 20_999, { type: 'order-sent', places: 2 })
    breaks(t, lettingIn(5, 21_000, order), [])
  })
  t.test('an order below the limit makes none', async (t) => {
    const order = (history: MadeUp, buyer: string, at: number) =>
      history.notes(buyer, at + 20_999, { type: 'order-sent', places: 1 })
    breaks(t, lettingIn(5, 21_000, order), ['gate'])
  })
  t.test('a token that has ended makes room at that instant', async (t) => {
    const history = new MadeUp()
    for (let number = 2; number < 8; number++) {
      history.joins(`b${number}`, { at: 5, place: epoch + number })
      history.admits(`b${number}`, { at: number * 30_000, place: epoch + number, forMs: minute })
    }
    breaks(t, history, [])
  })
  t.test('one too many within a minute', async (t) => {
    const leave = (history: MadeUp, buyer: string, at: number) =>
      history.notes(buyer, at + 1, { type: 'leave-sent' })
    breaks(t, lettingIn(4, 19_990, leave), ['pace'], /4 were let in within the minute/)
  })
  t.test('a clock of the crowd that runs ahead accuses nobody', async (t) => {
    const history = new MadeUp()
    history.entries.length = 0
    const aheadMs = 90_000
    for (let number = 1; number < 6; number++) {
      const [buyer, at, place] = [`b${number}`, number * 21_000, epoch + number]
      history.joins(buyer, { at: aheadMs, place })
      history.admits(buyer, { at, place, heard: at + aheadMs })
      history.notes(buyer, at + aheadMs + 20_999, { type: 'leave-sent' })
    }
    breaks(t, history, [])
  })
})

t.test('said is done', async (t) => {
  t.test('a booking that was answered and is gone', async (t) => {
    const history = new MadeUp().buys('ann', { at: 1, units: ['10:00'] })
    history.audit.length = 0
    breaks(t, history, ['said'], /ord_ann of ann was booked and is now gone/)
  })
  t.test('a booking that was answered and is something else', async (t) => {
    const history = new MadeUp().buys('ann', { at: 1, units: ['10:00'] })
    history.audit.length = 0
    breaks(t, history.ends('ann', 'expired', ['10:00']), ['said'], /booked and is now expired/)
  })
  t.test('an order that was refused and is booked all the same', async (t) => {
    const history = new MadeUp().buys('ann', { at: 1, units: ['10:00'] })
    history.notes('ann', 9, { type: 'order-said', order: 'ord_ann', status: 'refused' })
    breaks(t, history, ['said'], /was refused and is now booked/)
  })
  t.test('what was only under way may have ended either way', async (t) => {
    const history = new MadeUp().notes('ann', 1, { type: 'order-said', order: 'ord_ann', status: 'paying' })
    breaks(t, history.ends('ann', 'refused', ['10:00']), [])
  })
  t.test('what was being saved may have come to nothing, and what was abandoned is in no list', async (t) => {
    for (const status of ['saving', 'abandoned'] as const)
      breaks(t, new MadeUp().notes('ann', 1, { type: 'order-said', order: 'ord_ann', status }), [])
  })
  t.test('an order that was abandoned and is booked all the same', async (t) => {
    const history = new MadeUp().buys('ann', { at: 1, units: ['10:00'] })
    history.notes('ann', 9, { type: 'order-said', order: 'ord_ann', status: 'abandoned' })
    breaks(t, history, ['said'], /was abandoned and is now booked/)
  })
})

t.test('every booking has its ticket', async (t) => {
  t.test('none was to be had', async (t) => {
    breaks(
      t,
      new MadeUp().ends('ann', 'booked', ['10:00']),
      ['tickets'],
      /ord_ann is booked and has no ticket/,
    )
  })
  t.test('it is for something else', async (t) => {
    const history = new MadeUp().ends('ann', 'booked', ['10:00'])
    history.notes('ann', 1, { type: 'ticket', order: 'ord_ann', booking: 'bkg_ann', isRight: false })
    breaks(t, history, ['tickets'], /names something else/)
  })
})

t.test('one account, one place', async (t) => {
  t.test('two places at once', async (t) => {
    const history = new MadeUp()
      .joins('ann', { at: 1, place: epoch + 2 })
      .joins('ann', { at: 1, place: epoch + 3 })
    breaks(t, history, ['places'], /ann had the places .* at once/)
  })
  t.test('two tokens at once', async (t) => {
    const history = new MadeUp()
      .joins('ann', { at: 1, place: epoch + 2 })
      .admits('ann', { at: 10, place: epoch + 2 })
      .admits('ann', { at: 20, place: epoch + 3 })
    breaks(t, history, ['places'], /ann was let in twice/)
  })
  t.test('the same place twice is one place', async (t) => {
    const history = new MadeUp()
      .joins('ann', { at: 1, place: epoch + 2 })
      .joins('ann', { at: 2, place: epoch + 2 })
    breaks(t, history, [])
  })
  t.test('a new place after leaving is no second one', async (t) => {
    const history = new MadeUp()
      .joins('ann', { at: 1, place: epoch + 2 })
      .notes('ann', 2, { type: 'leave-sent' })
      .joins('ann', { at: 3, place: epoch + 3 })
    breaks(t, history, [])
  })
  t.test('more bookings than one account may have', async (t) => {
    const history = new MadeUp().buys('ann', { at: 1, units: ['A-01-01', 'A-01-02', '10:00'] })
    breaks(t, history, ['limit'], /ann has 3 places; an account may have 2/)
  })
})

t.test('the verdicts on several sales count as one', (t) => {
  const [good, bad] = [new MadeUp(), new MadeUp().ends('ann', 'booked', ['10:00'])]
  const all = together([good.judged, bad.judged])
  t.equal(isKept(all), false)
  t.equal(all.order.checked, 2)
  t.equal(all.tickets.breaches.length, 1)
  t.end()
})

t.test('what was acknowledged has to stand in the room, under its number and once', (t) => {
  const history = (...room: { seq: number; text: string }[]) => {
    const made = new MadeUp().says('ann', 10, { text: 'hello', seq: 7 }).says('bob', 20, { text: 'anybody?' })
    made.room.push(...room)
    return made
  }
  const hello = { seq: 7, text: 'hello' }
  const anybody = { seq: 8, text: 'anybody?' }
  breaks(t, history(hello, anybody), [])
  breaks(t, history(hello), [], undefined)
  breaks(t, history(anybody), ['room'], /ann was told that "hello" stands as 7/)
  breaks(t, history({ seq: 6, text: 'hello' }), ['room'], /stands as 7, and it does not/)
  breaks(t, history(hello, anybody, { seq: 9, text: 'anybody?' }), ['room'], /stands 2 times/)
  t.equal(history(hello).judged.room.checked, 2)
  t.end()
})
