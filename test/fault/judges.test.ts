import t from 'tap'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import { UnitMap } from '../../src/client/unit-map.ts'
import { garbledNotices } from './suite/garbled-notices.ts'
import { grounds, unseen } from './suite/grounds.ts'
import type { Call } from './suite/history.ts'
import { judgeAnswers } from './suite/judge-answers.ts'
import { judgeUnits } from './suite/judge-units.ts'
import { PromiseTable } from './suite/promise-table.ts'
import { ToldPositions } from './suite/told-positions.ts'
import { heard, refusal } from './suite/restless-viewers.ts'
import { tenuresOf, type Loss, type OrderRow } from './suite/tenures.ts'

/** When the histories began. */
const epochMs = Date.UTC(2030, 0, 1)
const sale = 'sal_a'

/** Calls in the order in which they are made. */
class Calls {
  readonly all: Call[] = []

  made(call: Partial<Call> & { method: string; path: string; atMs: number }): this {
    const { atMs } = call
    const rest = { who: 'one', endMs: atMs + 10, key: '', sent: '', status: 200, retryAfter: '', answer: '' }
    this.all.push({ number: this.all.length, ...rest, ...call })
    return this
  }

  holds(hold: string, atMs: number, more: Partial<Call> & { unit?: string; untilMs?: number } = {}): this {
    const { unit = 'A-01-01', untilMs = atMs + 8_000, ...call } = more
    const expiresAt = new Date(epochMs + untilMs).toISOString()
    const answer = JSON.stringify({ hold: { id: hold, units: [{ unit, quantity: 1 }], expiresAt } })
    return this.made({
      method: 'POST',
      path: `/api/v1/sales/${sale}/holds`,
      atMs,
      status: 201,
      answer,
      ...call,
    })
  }

  orders(hold: string, atMs: number, more: Partial<Call> = {}): this {
    const sent = JSON.stringify({ hold })
    return this.made({ method: 'POST', path: '/api/v1/orders', atMs, sent, status: 201, ...more })
  }
}

const row = (hold: string, createdMs: number, more: Partial<OrderRow> = {}): OrderRow => ({
  id: `ord_${hold}`,
  hold,
  status: 'booked',
  createdMs: epochMs + createdMs,
  endedMs: null,
  units: [{ sale, unit: 'A-01-01' }],
  ...more,
})

const units = ({ all }: Calls, orders: readonly OrderRow[] = [], losses: readonly Loss[] = []): string[] =>
  judgeUnits(tenuresOf({ calls: all, orders, losses, epochMs }), new Map()).breaches.map(({ what }) => what)

t.test('a seat that is held may be given again once its hold may have ended', async (t) => {
  const taken = new Calls().holds('hld_1', 0)
  t.same(units(taken.holds('hld_2', 8_000, { who: 'other' })), [])
  t.match(units(new Calls().holds('hld_1', 0).holds('hld_2', 7_000, { who: 'other' })), [/hld_1, hld_2/])
  const released = new Calls()
    .holds('hld_1', 0)
    .made({ method: 'DELETE', path: '/api/v1/holds/hld_1', atMs: 500, status: 0 })
  t.same(units(released.holds('hld_2', 600, { who: 'other' })), [])
  const byOther = new Calls()
    .holds('hld_1', 0)
    .made({ method: 'DELETE', path: '/api/v1/holds/hld_1', atMs: 500, who: 'other' })
  t.match(
    units(byOther.holds('hld_2', 600, { who: 'other' })),
    [/hld_1, hld_2/],
    'nobody else can let go of it',
  )
})

t.test('a seat that Redis forgot is free, and one that was ordered before is not', async (t) => {
  const lost = [{ fromMs: 900, toMs: 1_000 }]
  const twice = new Calls().holds('hld_1', 0).holds('hld_2', 2_000, { who: 'other' })
  t.same(units(twice, [], lost), [])
  t.match(units(twice, [row('hld_1', 500)], lost), [/hld_1, hld_2/])
  t.same(units(twice, [row('hld_1', 500, { status: 'expired', endedMs: epochMs + 1_900 })], lost), [])
})

const booked = (hold: string) => ({
  answer: `{"order":{"id":"ord_${hold}","sale":"${sale}","status":"booked"}}`,
})

t.test('a seat that was lost and is ordered all the same is had again from its order on', async (t) => {
  const lost = [{ fromMs: 900, toMs: 1_000 }]
  const ordered = () =>
    new Calls().holds('hld_1', 0).orders('hld_1', 800, { endMs: 1_600, ...booked('hld_1') })
  const order = row('hld_1', 1_500)
  t.same(units(ordered(), [order], lost), [])
  const after = ordered().holds('hld_2', 3_000, { who: 'other' })
  t.match(units(after, [order], lost), [/hld_1, hld_2/], 'it is sold by then')
  const between = ordered().holds('hld_2', 1_100, { who: 'other' })
  t.same(units(between, [order], lost), [], 'PostgreSQL did not have it yet')
  const bought = between.orders('hld_2', 1_200, booked('hld_2'))
  t.match(units(bought, [order, row('hld_2', 1_250)], lost), [/hld_1, hld_2/], 'not both')
  const saving = new Calls()
    .holds('hld_1', 0)
    .orders('hld_1', 800, {
      status: 202,
      answer: '{"order":{"id":"ord_hld_1","sale":"s","status":"saving"}}',
    })
    .made({ method: 'GET', path: '/api/v1/orders/ord_hld_1', atMs: 5_000, ...booked('hld_1') })
  t.same(units(saving.holds('hld_2', 1_100, { who: 'other' }), [order], lost), [], 'until it is told of')
  t.match(units(saving.holds('hld_3', 6_000, { who: 'other' }), [order], lost), [/hld_1, hld_3/])
  const afterwards = new Calls()
    .holds('hld_1', 0)
    .holds('hld_2', 1_100, { who: 'other' })
    .orders('hld_1', 1_400, { endMs: 1_600, ...booked('hld_1') })
  t.match(units(afterwards, [order], lost), [/hld_1, hld_2/], 'what was lost cannot be ordered')
})

t.test('an order that was being committed when Redis forgot is had from then on', async (t) => {
  const lost = [{ fromMs: 900, toMs: 1_000 }]
  const held = new Calls()
    .holds('hld_1', 0)
    .orders('hld_1', 800, { endMs: 2_000, ...booked('hld_1') })
    .holds('hld_2', 1_100, { who: 'other' })
  t.same(units(held, [row('hld_1', 850)], lost), [])
  t.match(units(held.holds('hld_3', 2_500, { who: 'third' }), [row('hld_1', 850)], lost), [/hld_1, hld_3/])
})

t.test('an order of a hold that nobody heard of counts too', async (t) => {
  const late = new Calls().holds('hld_2', 5_000)
  t.match(units(late, [row('hld_unheard', 1_000)]), [/hld_2|hld_unheard/])
  t.same(units(late, [row('hld_unheard', 1_000, { status: 'refused', endedMs: epochMs + 4_000 })]), [])
  const lost = [{ fromMs: 4_500, toMs: 4_600 }]
  t.same(units(late, [row('hld_unheard', 5_200)], lost), [], 'nobody knows since when it is there')
})

const answers = ({ all }: Calls, orders: readonly OrderRow[] = []): number[] =>
  judgeAnswers(all, { orders, epochMs }).breaches.map(({ promise }) => promise)

t.test('answers that do not agree are found', async (t) => {
  t.same(answers(new Calls().holds('hld_1', 0, { key: 'k' }).holds('hld_1', 500, { key: 'k' })), [])
  t.same(answers(new Calls().holds('hld_1', 0, { key: 'k' }).holds('hld_2', 500, { key: 'k' })), [7])
  const refused = new Calls().holds('hld_1', 0).orders('hld_1', 100).orders('hld_1', 900, { status: 410 })
  t.same(answers(refused, [row('hld_1', 105)]), [4])
  t.same(answers(refused, [row('hld_1', 105, { status: 'cancelled' })]), [])
  t.same(answers(new Calls().holds('hld_1', 0).orders('hld_1', 8_200)), [8], 'ordered after its end')
  t.same(answers(new Calls().holds('hld_1', 0).orders('hld_1', 8_200, { status: 410 })), [])
  t.same(answers(new Calls().holds('hld_1', 0).orders('hld_1', 7_900).orders('hld_1', 8_200)), [])
})

t.test('what nobody looked at was not kept', async (t) => {
  const told = new Calls()
    .holds('hld_1', 0, { key: 'k' })
    .holds('hld_1', 500, { key: 'k' })
    .holds('hld_2', 600)
    .orders('hld_1', 700, { answer: '{"order":{"id":"ord_hld_1","sale":"sal_a","status":"booked"}}' })
  const { looked } = judgeAnswers(told.all, { orders: [row('hld_1', 705)], epochMs })
  t.same(looked, { booked: 1, repeats: 1, unsold: 1 })
  const all = Object.fromEntries(Object.entries(grounds).map(([name, { least }]) => [name, least]))
  t.same(unseen(all), [])
  t.match(unseen({ ...all, tokens: 3 }), [{ promise: 3, what: /^nothing was looked at: 3 tokens/ }])
  t.same(
    unseen({}).map(({ promise }) => promise),
    [1, 2, 3, 4, 5, 6, 7, 8],
  )
})

t.test('a position that one alone was told shows nothing', async (t) => {
  const positions = new ToldPositions()
  const map = new UnitMap()
  map.replace({ epoch: 1, seq: 1, seats: '', pools: { slot: 3 } })
  positions.saw(sale, map, 'one')
  positions.saw(sale, map, 'one')
  t.same(positions.judged, { breaches: [], looked: { positions: 0 } })
  positions.saw(sale, map, 'other')
  t.same(positions.judged, { breaches: [], looked: { positions: 1 } })
  map.replace({ epoch: 1, seq: 1, seats: '', pools: { slot: 2 } })
  positions.saw(sale, map, 'third')
  t.match(positions.judged.breaches, [{ promise: 6, what: /third and one know different maps/ }])
})

t.test('a frame that nobody can read, or that does not follow, is found', async (t) => {
  const map = new UnitMap()
  const hear = (event: string, data: unknown, lastEventId = '1:1', isWrong = false) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    return heard(map, { event, data: text, lastEventId }, isWrong)
  }
  const change = (prev: number, seq: number) => ({ prev, seq, changes: [], pools: {} })
  t.match(hear('snapshot', '{"epoch":1'), /^what nobody can read: snapshot/)
  t.match(hear('snapshot', { epoch: 1, seq: 1 }), /nobody can read/)
  t.equal(hear('snapshot', { epoch: 1, seq: 1, seats: '', pools: {} }), undefined)
  t.match(hear('delta', { seq: 2 }), /nobody can read/)
  t.equal(hear('delta', change(1, 2), '1:2'), undefined)
  t.match(hear('delta', change(3, 4), '1:4'), /1:4 after 1:2/)
  t.match(hear('delta', change(3, 4), '1:4', true), /a delta of 3 instead of a snapshot/)
  t.same([200, 503].map(refusal), ['refused with 200', undefined])
  t.match(refusal(400), /400/)
})

const fault = (name: string) => ({ name, run: async () => undefined })
const plan = (...names: string[]) => ({
  number: 1,
  seed: 1,
  buyers: 2,
  faults: names.map(fault),
  together: 1,
})

t.test('promises of rounds are counted, and faults that came to their end', async (t) => {
  const table = new PromiseTable()
  t.same(table.counts, { passed: 0, failed: 1 }, 'nothing was done')
  table.add({ plan: plan('one', 'other'), breaches: [], unseen: [], cutShort: [] })
  t.same(table.counts, { passed: 10, failed: 0 })
  const breaches = [
    { promise: 4, what: 'a' },
    { promise: 4, what: 'b' },
  ]
  const unseen = [{ promise: 8, what: 'nothing' }]
  const cutShort = [{ name: 'third', why: 'late' }]
  table.add({ plan: plan('one', 'third'), breaches, unseen, cutShort })
  t.same(table.counts, { passed: 17, failed: 3 })
  const [, one, other, third] = table.lines()
  t.match(one, /^one +2 +2 +2 +1\/2! +2 +2 +2 +1\/2!$/)
  t.match(other, /^other( +1){8}$/)
  t.match(third, /^third( +-){8}$/)
  table.addLater('third', 5, true)
  t.same(table.counts, { passed: 17, failed: 4 })
})

t.test('what goes wrong inside is no answer', async (t) => {
  const asked = (more: Partial<Call>) =>
    answers(new Calls().made({ method: 'GET', path: '/api/v1/orders', atMs: 0, ...more }))
  t.same(asked({ status: 500, answer: '{}' }), [4])
  t.same(asked({ status: 503 }), [4], 'nobody says when')
  t.same(asked({ status: 503, retryAfter: '1' }), [])
  t.same(asked({ status: 429 }), [])
  t.same(asked({ status: 0 }), [], 'what was not answered is no answer')
})

t.test('what was said to be booked is', async (t) => {
  const told = (status: string) => {
    const answer = `{"items":[{"id":"ord_hld_1","sale":"sal_a","status":"${status}","bookings":[]}],"next":null}`
    return new Calls().made({ method: 'GET', path: '/api/v1/orders', atMs: 900, answer })
  }
  t.same(answers(told('booked')), [4], 'it is nowhere')
  t.same(answers(told('booked'), [row('hld_1', 105)]), [])
  t.same(answers(told('booked'), [row('hld_1', 105, { status: 'cancelled' })]), [])
  t.same(answers(told('booked'), [row('hld_1', 105, { status: 'refused' })]), [4])
  t.same(answers(told('paying'), [row('hld_1', 105, { status: 'refused' })]), [])
})

const notice = (text: string): Buffer =>
  Buffer.from(`*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$${text.length}\r\n${text}\r\n`)

t.test('of what Redis says only whole notices are lost, repeated or turned round', async (t) => {
  const garble = garbledNotices(seededRandom(1, 1))
  for (const answer of ['+OK\r\n', '*2\r\n$1\r\na\r\n$1\r\nb\r\n', notice('cut').toString().slice(0, -3)])
    t.equal(garble(Buffer.from(answer)).toString(), answer)
  const told = Array.from({ length: 400 }, (_, number) => garble(notice(`n${number}`)).toString()).join('')
  const numbers = [...told.matchAll(/n(\d+)\r\n/g)].map(([, number]) => Number(number))
  t.equal(Buffer.concat(numbers.map((number) => notice(`n${number}`))).toString(), told, 'whole ones')
  const different = new Set(numbers).size
  t.ok(different < 380 && different > 250, `${different} of 400 came`)
  t.ok(numbers.length > different, 'some twice')
  t.ok(
    numbers.some((number, index) => number < (numbers[index - 1] ?? 0)),
    'some late',
  )
})
