import { pino } from 'pino'
import t from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { saleStateErrors } from '../sale-state/sale-failures.ts'
import type { OrderMessage } from './order-messages.ts'
import { OrderSaving, type OnKept, type SavedOrder } from './order-saving.ts'

const order = { id: 'ord_1', sale: 'sal_1', accountId: 'usr_1' }
const total = { amountMinor: 500, currency: 'KRW' }
const booked: OrderMessage = {
  id: 'ord_1',
  sale: 'sal_1',
  status: 'booked',
  total,
  refund: 'none',
  payBy: null,
  createdAt: new Date(0).toISOString(),
  endedAt: null,
  bookings: [],
}
const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
const gone = new Problem(saleStateErrors.hold_gone)

/** Tries that end as they are told to, one after the other; the last one for ever. */
const settingOf = (
  outcomes: readonly (Error | OrderMessage | 'never')[],
  { untilMs = 60_000, random = 1 } = {},
) => {
  const clock = new FakeClock(0)
  const pass = async (ms: number): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(ms)
  }
  const triedAtMs: number[] = []
  const notes = new Map<string, OrderMessage>()
  const abandoned: string[] = []
  const saving = new OrderSaving({
    clock,
    random: () => random,
    log: pino({ level: 'silent' }),
    notes: {
      keep: async (_account, message) => void notes.set(message.id, message),
      drop: async (id) => void notes.delete(id),
    },
    onAbandoned: ({ id }) => abandoned.push(id),
  })
  const attempt = async (onKept: OnKept): Promise<SavedOrder> => {
    const outcome = outcomes[Math.min(triedAtMs.push(clock.nowMs()) - 1, outcomes.length - 1)]
    onKept({ untilMs, total })
    if (outcome instanceof Error) throw outcome
    if (outcome === 'never' || outcome === undefined) return await new Promise<never>(() => {})
    return { order: outcome, created: true }
  }
  return { pass, saving, attempt, triedAtMs, notes, abandoned }
}

t.test('what is saved at once is answered at once', async (t) => {
  const { saving, attempt, notes } = settingOf([booked])
  t.same(await saving.save(order, attempt), { order: booked, created: true })
  t.equal(notes.size, 0)
})

t.test('it is tried again after twice the pause each time, as long as the hold lasts', async (t) => {
  const { pass, saving, attempt, triedAtMs, notes, abandoned } = settingOf([away], { untilMs: 20_000 })
  const asked = saving.save(order, attempt)
  await pass(2000)
  t.match(await asked, { order: { status: 'saving', total, bookings: [] }, created: false })
  await pass(60_000)
  t.same(
    triedAtMs,
    [0, 100, 300, 700, 1500, 3100, 6100, 9100, 12_100, 15_100, 18_100],
    'and not once after it',
  )
  t.match(notes.get('ord_1'), { status: 'saving' }, 'whether it was written is found out by the sweep')
  t.same(abandoned, [])
})

t.test('each caller has pauses of their own', async (t) => {
  for (const [random, pauseMs] of [
    [0, 50],
    [0.5, 75],
  ] as const) {
    const { pass, saving, attempt, triedAtMs } = settingOf([away, booked], { random })
    const asked = saving.save(order, attempt)
    await pass(100)
    t.match(await asked, { order: { status: 'booked' } })
    t.same(triedAtMs, [0, pauseMs])
  }
})

t.test('a caller who was told that it is in progress finds the outcome afterwards', async (t) => {
  const { pass, saving, attempt, notes } = settingOf([away, away, away, away, away, away, booked])
  const asked = saving.save(order, attempt)
  await pass(2000)
  t.match(await asked, { order: { status: 'saving' } })
  t.match(notes.get('ord_1'), { status: 'saving' })
  await pass(10_000)
  t.equal(notes.size, 0, 'PostgreSQL has it now')
})

t.test('what cannot be had any more is said to whoever waits for it', async (t) => {
  const { pass, saving, attempt, notes, abandoned } = settingOf([away, away, away, away, away, gone])
  const asked = saving.save(order, attempt)
  await pass(2000)
  await asked
  await pass(5000)
  t.match(notes.get('ord_1'), { status: 'abandoned', endedAt: new Date(3100).toISOString() })
  t.same(abandoned, ['ord_1'])
})

t.test('what no repetition mends is told at once', async (t) => {
  const broken = new TypeError('a mistake of ours')
  for (const error of [gone, broken]) {
    const { saving, attempt, triedAtMs, abandoned } = settingOf([error])
    await t.rejects(saving.save(order, attempt), error)
    t.same(triedAtMs, [0])
    t.same(abandoned, [])
  }
})

t.test('before anything is kept nothing is promised', async (t) => {
  const { pass, saving } = settingOf([])
  await t.rejects(
    saving.save(order, () => Promise.reject(away)),
    away,
    'and nothing tried again',
  )
  let fail = (_: Error): void => {}
  const slow = saving.save(order, () => new Promise((_, reject) => (fail = reject)))
  await pass(5000)
  fail(new Problem(generalErrors.unavailable))
  await t.rejects(slow, { code: 'unavailable' })
})

t.test('asking again meanwhile joins in, and one order is made', async (t) => {
  const { pass, saving, attempt, triedAtMs } = settingOf([away, booked])
  const first = saving.save(order, attempt)
  const second = saving.save(order, attempt)
  await pass(100)
  t.match(await Promise.all([first, second]), [{ created: true }, { created: false }])
  t.equal(triedAtMs.length, 2)
})

t.test('a try that hangs keeps nobody waiting', async (t) => {
  const { pass, saving, attempt } = settingOf(['never'])
  const asked = saving.save(order, attempt)
  await pass(2000)
  t.match(await asked, { order: { status: 'saving' } })
})

t.test('a process that stops tries no more', async (t) => {
  const { pass, saving, attempt, triedAtMs } = settingOf([away])
  const asked = saving.save(order, attempt)
  await pass(150)
  saving.stop()
  await t.rejects(asked, away)
  await pass(10_000)
  t.ok(triedAtMs.length <= 3)
})
