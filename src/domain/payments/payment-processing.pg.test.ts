import { pino } from 'pino'
import t, { type Test } from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import {
  addOrder,
  bookingStatuses,
  makeRow,
  orderStatus,
  outboxOf,
  paymentState,
  type TestOrder,
} from '../../../test/support/order-fixtures.ts'
import { makeAccount } from '../../../test/support/sales.ts'
import { ScriptedProvider } from '../../../test/support/scripted-provider.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { until } from '../../../test/support/until.ts'
import { cancelOrder } from '../orders/order-cancelling.ts'
import { expireDueOrders } from '../orders/order-expiring.ts'
import { noHurry, type OrderEntry } from '../orders/order-outbox.ts'
import { mustFindOrder } from '../orders/order-store.ts'
import { claimMs } from './payment.ts'
import { PaymentProcessing } from './payment-processing.ts'
import { claimPayments } from './payment-store.ts'
import type { ChargeOutcome, LookupOutcome, PaymentProvider } from './provider.ts'
import { SandboxProvider } from './provider-sandbox.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 10, name: 'payments-test' })
t.teardown(() => sql.end())

const { id: saleId } = await makeRow(sql)
const queued = { state: 'queued' } as const
const approved = { outcome: 'approved', providerRef: 'ref' } as const
const log = pino({ level: 'silent' })

/** Each test leaves no work and no taken seat for the next. */
t.afterEach(async () => {
  await sql`update payments set state = 'void' where state in ('queued', 'calling', 'unknown', 'refunding')`
  await sql`update bookings set status = 'released' where status in ('pending', 'booked')`
})

function processing(t: Test, provider: PaymentProvider, { clock = new FakeClock(), sql: own = sql } = {}) {
  const hurried: OrderEntry[] = []
  const unheard: unknown[] = []
  const processor = new PaymentProcessing({
    sql: own,
    provider,
    clock,
    log,
    random: () => 0.5,
    hurry: (entry) => hurried.push(entry),
    onUnheard: (error) => unheard.push(error),
  })
  t.teardown(() => processor.stop())
  return { processor, clock, hurried, unheard }
}

async function order(
  options: Partial<Parameters<typeof addOrder>[1]> = {},
): Promise<TestOrder & { accountId: string }> {
  const accountId = options.accountId ?? (await makeAccount(sql))
  return {
    ...(await addOrder(sql, { saleId, accountId, unitNos: [0], payment: queued, ...options })),
    accountId,
  }
}

const reaches = ({ orderId }: TestOrder, state: string) =>
  until(`payment ${state}`, async () => (await paymentState(sql, orderId)) === state)

/**
 * As if the time until the payment's next turn had passed, unless somebody is at it: whoever takes it up has far more time
 * than it is put off for here.
 */
const makeDue = ({ orderId }: TestOrder) => sql`
  update payments set next_at = now(), updated_at = now()
  where order_id = ${orderId} and next_at - updated_at < ${claimMs / 2}::int * interval '1 ms'`

t.test('an approved payment books the order, for exactly its total', async (t) => {
  const provider = new ScriptedProvider()
  provider.onCharge = () => Promise.resolve(approved)
  const made = await order({ unitNos: [0, 1, 2] })
  const { processor, hurried } = processing(t, provider)
  await processor.run()
  await reaches(made, 'approved')
  t.equal(await orderStatus(sql, made.orderId), 'booked')
  t.same(await bookingStatuses(sql, made.orderId), ['booked', 'booked', 'booked'])
  t.match(provider.charges, [
    { key: made.chargeKey, orderId: made.orderId, amountMinor: 3000, currency: 'KRW' },
  ])
  await processor.drain()
  t.same(
    hurried.map(({ body }) => body),
    await outboxOf(sql, made.orderId),
  )
})

t.test('a refused payment frees the places', async (t) => {
  const provider = new ScriptedProvider()
  provider.onCharge = () => Promise.resolve({ outcome: 'refused', reason: 'no' })
  const made = await order()
  const { processor } = processing(t, provider)
  await processor.run()
  await reaches(made, 'refused')
  t.equal(await orderStatus(sql, made.orderId), 'refused')
  t.same(await bookingStatuses(sql, made.orderId), ['released'])
})

t.test('an order is paying before the provider is asked', async (t) => {
  const provider = new ScriptedProvider()
  let seen: string | undefined
  provider.onCharge = async ({ orderId }) => {
    seen = await orderStatus(sql, orderId)
    return approved
  }
  const made = await order()
  const { processor } = processing(t, provider)
  await processor.run()
  await reaches(made, 'approved')
  t.equal(seen, 'paying')
})

t.test('the provider is never asked for an order that has ended or whose time is over', async (t) => {
  const provider = new ScriptedProvider()
  const ended = await order({ status: 'cancelled' })
  const late = await order({ payInSeconds: -1 })
  const { processor } = processing(t, provider)
  await processor.run()
  await reaches(ended, 'void')
  await reaches(late, 'void')
  t.same(provider.charges, [])
  t.equal(await orderStatus(sql, late.orderId), 'pending')
  t.equal((await expireDueOrders(sql, 10, noHurry)).length, 1, 'it expires as any other')
})

t.test('after no answer in time the provider is asked what became of the charge', async (t) => {
  const provider = new ScriptedProvider()
  // The look after the charge may come so late that the payment is due: it is answered when the test has seen that it waits.
  let answer: (outcome: ChargeOutcome) => void = () => {}
  const found = new Promise<ChargeOutcome>((resolve) => (answer = resolve))
  provider.onLookup = () => found
  const made = await order()
  const { processor, clock, unheard } = processing(t, provider)
  await processor.run()
  await until('charge', () => provider.charges.length === 1)
  t.same(unheard, [], 'it is not late yet')
  await clock.advance(5000)
  await reaches(made, 'unknown')
  t.match(unheard, [{ message: /no answer within 5000 ms/ }])
  t.equal(await orderStatus(sql, made.orderId), 'paying', 'the place stays reserved')
  answer(approved)
  await makeDue(made)
  processor.wake()
  await reaches(made, 'approved')
  t.equal(provider.charges.length, 1)
  t.same(provider.lookups, [made.chargeKey])
})

t.test('a charge the provider never heard of is sent again under its key', async (t) => {
  const provider = new ScriptedProvider()
  provider.onCharge = () =>
    provider.charges.length === 1
      ? Promise.reject(new Error('connection refused'))
      : Promise.resolve(approved)
  // As above: not before the test has seen that it waits.
  let answer: (outcome: LookupOutcome) => void = () => {}
  const found = new Promise<LookupOutcome>((resolve) => (answer = resolve))
  provider.onLookup = () => found
  const made = await order()
  const { processor } = processing(t, provider)
  await processor.run()
  await reaches(made, 'unknown')
  answer({ outcome: 'none' })
  await makeDue(made)
  processor.wake()
  await reaches(made, 'approved')
  t.same(new Set(provider.charges.map(({ key }) => key)), new Set([made.chargeKey]))
  t.equal(provider.charges.length, 2)
})

t.test('an answer that stays unknown is asked for at growing distances', async (t) => {
  const provider = new ScriptedProvider()
  provider.onCharge = () => Promise.reject(new Error('away'))
  provider.onLookup = () => Promise.reject(new Error('away'))
  // PostgreSQL notes each: it may be over before the test has seen it.
  await sql`create table pauses (attempts int primary key, ms int)`
  await sql`
    create function note_pause() returns trigger language plpgsql as
    $$ begin
      insert into pauses values (new.attempts, round(extract(epoch from new.next_at - new.updated_at) * 1000))
      on conflict do nothing;
      return null;
    end $$`
  await sql`
    create trigger notes_pause after update on payments
    for each row when (new.state = 'unknown' and new.attempts = old.attempts) execute function note_pause()`
  const made = await order()
  const { processor } = processing(t, provider)
  await processor.run()
  const pauses = async () =>
    (await sql<{ ms: number }[]>`select ms from pauses order by attempts`).map(({ ms }) => ms)
  await until('three pauses', async () => {
    await makeDue(made)
    processor.wake()
    return (await pauses()).length >= 3
  })
  t.same((await pauses()).slice(0, 3), [375, 750, 1500])
  await sql`drop trigger notes_pause on payments`
})

t.test('a process that dies between claim and outcome leaves its payment to the others', async (t) => {
  const provider = new ScriptedProvider()
  provider.onLookup = () => Promise.resolve(approved)
  const made = await order()
  const { claimed } = await claimPayments(sql, 10)
  t.match(claimed, [{ orderId: made.orderId, state: 'calling', attempts: 1 }])
  const { processor } = processing(t, provider)
  await processor.run()
  t.same((await claimPayments(sql, 10)).claimed, [], 'not before its claim has run out')
  // The time of the claim is over.
  await sql`update payments set next_at = now() where order_id = ${made.orderId}`
  processor.wake()
  await reaches(made, 'approved')
  t.same(provider.charges, [], 'it was asked, not charged again')
  t.equal(await orderStatus(sql, made.orderId), 'booked')
})

t.test('two processes on the same rows send each charge once', async (t) => {
  const provider = new ScriptedProvider()
  provider.onCharge = () => Promise.resolve(approved)
  const made = await Promise.all(Array.from({ length: 20 }, (_, unitNo) => order({ unitNos: [unitNo] })))
  const both = [processing(t, provider), processing(t, provider)]
  await Promise.all(both.map(({ processor }) => processor.run()))
  await Promise.all(made.map((one) => reaches(one, 'approved')))
  t.equal(provider.charges.length, 20)
  t.equal(new Set(provider.charges.map(({ key }) => key)).size, 20)
})

t.test('expiry leaves an order alone whose charge is open, and approval then books it', async (t) => {
  const provider = new ScriptedProvider()
  let answer: (outcome: ChargeOutcome) => void = () => {}
  provider.onCharge = () => new Promise((resolve) => (answer = resolve))
  const made = await order()
  const { processor } = processing(t, provider)
  await processor.run()
  await until('charge', () => provider.charges.length === 1)
  await sql`update orders set pay_by = now() - interval '1 minute' where id = ${made.orderId}`
  t.same(await expireDueOrders(sql, 10, noHurry), [])
  answer(approved)
  await reaches(made, 'approved')
  t.equal(await orderStatus(sql, made.orderId), 'booked')
})

t.test('money captured for an order that is gone goes back, under one key, until it has', async (t) => {
  const provider = new ScriptedProvider()
  provider.onCharge = async ({ orderId }) => {
    // Nobody in the house does this; a repaired database or an operator might.
    await sql`update orders set status = 'cancelled' where id = ${orderId}`
    return approved
  }
  let answer: () => void = () => {}
  const seen = new Promise<void>((resolve) => (answer = resolve))
  provider.onRefund = async () => {
    const isTooEarly = provider.refunds.length <= 2
    await seen
    if (isTooEarly) throw new Error('away')
  }
  const made = await order()
  const { processor } = processing(t, provider)
  await processor.run()
  await reaches(made, 'refunding')
  answer()
  await until('it has gone back', async () => {
    await makeDue(made)
    processor.wake()
    return (await paymentState(sql, made.orderId)) === 'refunded'
  })
  t.equal(provider.refunds.length, 3)
  t.same(new Set(provider.refunds.map((refund) => JSON.stringify(refund))).size, 1)
  t.match(provider.refunds[0], { chargeKey: made.chargeKey, amountMinor: 1000 })
  t.equal(await orderStatus(sql, made.orderId), 'cancelled')
})

t.test('draining ends what was begun and begins nothing new', async (t) => {
  const provider = new ScriptedProvider()
  let answer: (outcome: ChargeOutcome) => void = () => {}
  provider.onCharge = () => new Promise((resolve) => (answer = resolve))
  const first = await order({ unitNos: [0] })
  const { processor, clock } = processing(t, provider)
  await processor.run()
  await until('charge', () => provider.charges.length === 1)
  // What it has begun to look for it would find.
  await until('it looks no more, and waits for the answer and for work', () => clock.waiting === 2)
  const drained = processor.drain()
  const second = await order({ unitNos: [1] })
  processor.wake()
  answer(approved)
  await drained
  t.equal(await paymentState(sql, first.orderId), 'approved')
  t.equal(await paymentState(sql, second.orderId), 'queued')
})

t.test('where PostgreSQL does not take the outcome the provider is not to blame', async (t) => {
  const own = unhurriedPostgres({ url: postgresUrl, connections: 2, name: 'payments-cut-off' })
  const provider = new ScriptedProvider()
  provider.onCharge = async () => {
    await own.end()
    return approved
  }
  const made = await order()
  const { processor, unheard } = processing(t, provider, { sql: own })
  await processor.run()
  await until('it was charged', () => provider.charges.length === 1)
  await processor.drain()
  t.same(unheard, [])
  t.equal(await paymentState(sql, made.orderId), 'calling')
})

t.test('stopping gives up open calls without writing an outcome', async (t) => {
  const provider = new ScriptedProvider()
  const made = await order()
  const { processor } = processing(t, provider)
  await processor.run()
  await until('charge', () => provider.charges.length === 1)
  await processor.stop()
  t.equal(await paymentState(sql, made.orderId), 'calling')
  t.equal(await orderStatus(sql, made.orderId), 'paying')
})

t.test('while PostgreSQL is away the processor waits, and ends when told to', async (t) => {
  // Nothing listens on port 1.
  const away = unhurriedPostgres({ url: 'postgres://nobody@127.0.0.1:1/none', connections: 1, name: 'away' })
  const clock = new FakeClock()
  const warnings: string[] = []
  const processor = new PaymentProcessing({
    sql: away,
    provider: new ScriptedProvider(),
    clock,
    log: pino({ level: 'debug' }, { write: (line: string) => void warnings.push(line) }),
    random: () => 0.5,
    hurry: noHurry,
    onUnheard: () => undefined,
  })
  await processor.run()
  await until('two tries', async () => {
    await clock.advance(500)
    return warnings.length >= 2
  })
  await processor.stop()
  await away.end()
  t.ok(warnings.every((line) => line.includes('could not be taken up')))
})

t.test('a buyer who cancels a paid order has the money back', async (t) => {
  const { processor } = processing(t, new SandboxProvider({ sql, clock: new FakeClock() }))
  const made = await order()
  await processor.run()
  await reaches(made, 'approved')
  await cancelOrder(sql, made, () => processor.wake())
  await reaches(made, 'refunded')
  t.match(await mustFindOrder(sql, made), { status: 'cancelled', refund: 'done' })
  const [charge] = await sql`select refunded_at from sandbox_charges where order_id = ${made.orderId}`
  t.ok(charge?.['refunded_at'])
})

t.test(
  'whatever the provider does and the buyers do, all captured money ends in a booking or a refund',
  async (t) => {
    const clock = new FakeClock()
    const provider = new SandboxProvider({ sql, clock })
    const methods = provider.methods
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, unitNo) =>
        order({
          unitNos: [unitNo],
          payment: { state: 'queued', method: methods[unitNo % methods.length] ?? '' },
        }),
      ),
    )
    const both = [processing(t, provider, { clock }), processing(t, provider, { clock })]
    await Promise.all(both.map(({ processor }) => processor.run()))
    await until('all ended', async () => {
      for (const one of made.slice(0, 8)) await cancelOrder(sql, one, noHurry).catch(() => {})
      await clock.advance(1000)
      const open = await sql`
      update payments set next_at = case when state = 'calling' then next_at else now() end
      where state in ('queued', 'calling', 'unknown', 'refunding')`
      return open.count === 0
    })
    const wrong = await sql`
    select charge.order_id, charge.outcome, orders.status, payments.state
    from sandbox_charges charge join orders on orders.id = charge.order_id
      join payments on payments.order_id = orders.id
    where orders.id = any(${made.map(({ orderId }) => orderId)})
      and case charge.outcome
        when 'approved' then not (orders.status = 'booked' and charge.refunded_at is null
          or orders.status = 'cancelled' and charge.refunded_at is not null)
        else orders.status <> 'refused' end`
    t.same([...wrong], [])
    const ends = await sql<{ status: string; count: number }[]>`
    select status, count(*)::int from orders where id = any(${made.map(({ orderId }) => orderId)}) group by status`
    t.ok(ends.some(({ status }) => status === 'booked') && ends.some(({ status }) => status === 'refused'))
  },
)
