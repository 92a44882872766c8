import t from 'tap'
import type { JournalFact } from './journal.ts'
import { closingLines, progressLine, progressLines } from './progress-table.ts'
import { Tally } from './tally.ts'
import { promiseNames, type Finding, type PromiseName } from './verdict.ts'

const offers = [
  { sale: { id: 'sal_hall', title: 'Hall' } },
  { sale: { id: 'sal_store', title: 'Pop-up store' } },
]

function setting() {
  const tally = new Tally()
  tally.expect('sal_hall', 3)
  tally.expect('sal_store', 2)
  const note = (buyer: string, atMs: number, fact: JournalFact, sale = 'sal_hall') =>
    tally.add({ ...fact, buyer, sale, atMs })
  return { tally, note }
}

const admitted = { type: 'admitted', sequence: 1, admittedAtMs: 0, expiresAtMs: 9 } as const

t.test('a buyer is counted once in each stage, however often it is told', (t) => {
  const { tally, note } = setting()
  note('ann', 0, { type: 'joined', sequence: 1, tookMs: 5 })
  note('ann', 1, { type: 'joined', sequence: 1, tookMs: 5 })
  t.match(tally.counts('sal_hall'), { joined: 1, waiting: 1, shopping: 0 })
  note('ann', 200, admitted)
  note('ann', 300, admitted)
  t.match(tally.counts('sal_hall'), { admitted: 1, waiting: 0, shopping: 1 })
  note('ann', 400, { type: 'order-decided', places: 2, isBooked: true, tookMs: 50 })
  note('ann', 401, { type: 'done', outcome: 'bought' })
  t.match(tally.total, { buyers: 5, joined: 1, bought: 1, places: 2, done: 1, shopping: 0 })
  t.equal(tally.quantile('wait', 0.5), 200)
  t.end()
})

t.test('who goes from the line leaves nobody waiting, who never came neither', (t) => {
  const { tally, note } = setting()
  note('ann', 0, { type: 'joined', sequence: 1, tookMs: 5 })
  note('ann', 9, { type: 'done', outcome: 'sold-out' })
  note('bob', 9, { type: 'done', outcome: 'failed' })
  t.match(tally.counts('sal_hall'), { waiting: 0, shopping: 0, done: 2 })
  t.end()
})

t.test('quantiles are values that were measured', (t) => {
  const { tally, note } = setting()
  for (let ms = 1; ms <= 100; ms++) note('ann', ms, { type: 'held', units: [], tookMs: ms })
  t.equal(tally.quantile('hold', 0.5), 51)
  t.equal(tally.quantile('hold', 0.99), 100)
  t.equal(tally.quantile('order', 0.5), undefined)
  t.end()
})

t.test('the moving table has a line for each sale and one bar', (t) => {
  const { tally, note } = setting()
  note('ann', 0, { type: 'done', outcome: 'left' })
  const lines = progressLines(offers, tally, 65_000)
  t.match(lines[0], /buyers +joined/)
  t.match(lines[1], /^Hall +3 /)
  t.match(lines[2], /^Pop-up store +2 /)
  t.match(lines[3], /^█{8}░{32} {2}1 of 5 {2}1:05$/)
  t.match(progressLine(tally, 65_000), /^1:05 .*done 1 of 5$/)
  t.end()
})

t.test('a long title does not push the figures away', (t) => {
  const { tally } = setting()
  const long = { sale: { id: 'sal_hall', title: 'A very long evening of very short songs' } }
  t.match(progressLines([long], tally, 0)[1], /^A very long evening of ve… +3 /)
  t.end()
})

t.test('the closing table shows outcomes, times, and each promise with what broke it', (t) => {
  const { tally, note } = setting()
  note('ann', 0, { type: 'joined', sequence: 1, tookMs: 1_500 })
  note('ann', 9, { type: 'failed', call: 'leave', why: 'no answer for ord_0123456789abcdefghij' })
  note('bob', 9, { type: 'failed', call: 'leave', why: 'no answer for ord_abcdefghij0123456789' })
  const kept: Finding = { checked: 4, breaches: [] }
  const breaches = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const verdict = Object.fromEntries(promiseNames.map((name) => [name, kept])) as Record<PromiseName, Finding>
  const text = closingLines(offers, tally, { ...verdict, stock: { checked: 4, breaches } }).join('\n')
  t.match(text, /^all +1 /m)
  t.match(text, /^p50 +1\.5 s +– /m)
  t.match(text, /^BROKEN {2}Never oversold \(4 checked\)\n +a\n/m)
  t.match(text, /and 2 more/)
  t.match(text, /^kept {4}Said is done/m)
  t.match(text, /2 × leave: no answer for …/)
  t.end()
})
