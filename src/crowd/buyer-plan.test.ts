import t from 'tap'
import { buyerPlan } from './buyer-plan.ts'
import { seededRandom } from './seeded-random.ts'

const numbers = Array.from({ length: 2_000 }, (_, number) => number)
const plans = numbers.map((number) => buyerPlan(1, number))
const share = (is: (plan: (typeof plans)[number]) => boolean) => plans.filter(is).length / plans.length

t.test('the same seed gives the same crowd, another one another', (t) => {
  t.same(
    numbers.map((number) => buyerPlan(1, number)),
    plans,
  )
  const others = numbers.filter((number) => buyerPlan(2, number).pauseMs !== plans[number]?.pauseMs)
  t.ok(others.length > 1_900)
  t.end()
})

t.test('a buyer plans the same, however many others come', (t) => {
  t.same(buyerPlan(1, 1_999), plans[1_999])
  t.end()
})

t.test('half of the crowd listens over each transport', (t) => {
  t.equal(
    share(({ transport }) => transport === 'ws'),
    0.5,
  )
  t.end()
})

t.test('every way of behaving has somebody who does it, and most buy without trouble', (t) => {
  const some = {
    joinsTwice: share(({ joinsTwice }) => joinsTwice),
    leaves: share(({ leavesAfterMs }) => leavesAfterMs !== undefined),
    away: share(({ away }) => away !== undefined),
    single: share(({ chooses }) => chooses === 'single'),
    release: share(({ firstHold }) => firstHold === 'release'),
    abandon: share(({ firstHold }) => firstHold === 'abandon'),
    refused: share(({ method }) => method === 'sandbox_refuse'),
    late: share(({ method }) => method === 'sandbox_late'),
    never: share(({ method }) => method === 'sandbox_never'),
  }
  for (const [name, size] of Object.entries(some)) t.ok(size > 0.005 && size < 0.5, `${name}: ${size}`)
  t.ok(share(({ method }) => method === 'sandbox_approve') > 0.8)
  t.same(new Set(plans.map(({ count }) => count)), new Set([1, 2, 3, 4]))
  t.end()
})

t.test('most come with the opening, all within a quarter of a minute', (t) => {
  t.ok(share(({ arrivesAfterMs }) => arrivesAfterMs < 3_000) > 0.6)
  t.ok(plans.every(({ arrivesAfterMs }) => arrivesAfterMs >= 0 && arrivesAfterMs <= 15_000))
  t.end()
})

t.test('chance is spread evenly and its streams do not follow each other', (t) => {
  const random = seededRandom(7, 0)
  const buckets = Array.from({ length: 10 }, () => 0)
  for (let index = 0; index < 10_000; index++) {
    const value = random()
    const bucket = Math.floor(value * 10)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  t.ok(
    buckets.every((count) => count > 880 && count < 1_120),
    buckets.join(),
  )
  const firsts = numbers.map((stream) => seededRandom(7, stream)())
  const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length
  t.ok(Math.abs(mean - 0.5) < 0.03, String(mean))
  t.equal(new Set(firsts).size, firsts.length)
  t.end()
})
