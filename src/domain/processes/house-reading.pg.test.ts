import t from 'tap'
import { addOrder, makeRow } from '../../../test/support/order-fixtures.ts'
import { makeAccount } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import type { PaymentState } from '../payments/payment.ts'
import { readHouse } from './house-reading.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 2, name: 'house-test' })
t.teardown(() => sql.end())

const { id: saleId } = await makeRow(sql)
const read = () => readHouse(sql, { reader: 'house-test', leaseLeftMs: 1_000, unheardMs: 6_000 })

t.test('a sale is unowned until it has a writer, and silent when its lease is not renewed', async (t) => {
  await sql`update sales set status = 'open' where id = ${saleId}`
  t.match(await read(), { unowned: 1, silent: 0 })
  const leased = (seconds: number) => sql`
    insert into sale_writers (sale_id, lease_until) values (${saleId}, now() + ${seconds} * interval '1 second')
    on conflict (sale_id) do update set lease_until = excluded.lease_until`
  await leased(60)
  t.match(await read(), { unowned: 0, silent: 0 })
  await leased(0.5)
  t.match(await read(), { unowned: 0, silent: 1 })
  await leased(-60)
  t.match(await read(), { unowned: 0, silent: 1 })
  await sql`update sales set status = 'closed' where id = ${saleId}`
  t.match(await read(), { unowned: 0, silent: 0 }, 'a sale that is over needs no writer')
})

t.test('the outbox is as late as its oldest entry that was not relayed', async (t) => {
  await sql`delete from outbox`
  t.equal((await read()).outboxMs, 0)
  const add = (secondsAgo: number) => sql<{ xid: string; id: string }[]>`
    insert into outbox (sale_id, topic, body, at)
    values (${saleId}, 'test', '{}', now() - ${secondsAgo} * interval '1 second') returning xid, id`
  const [first] = await add(60)
  await add(30)
  const between = (ms: number, low: number, high: number) => t.ok(ms >= low && ms < high, `${ms} ms`)
  between((await read()).outboxMs, 60_000, 90_000)
  await sql`
    insert into outbox_positions (reader, xid, id)
    values ('house-test', ${first?.xid ?? ''}::text::xid8, ${first?.id ?? ''})`
  between((await read()).outboxMs, 30_000, 60_000)
})

const afterSeconds: Readonly<Record<PaymentState, { now: boolean; later: boolean }>> = {
  queued: { now: false, later: true },
  calling: { now: false, later: true },
  unknown: { now: true, later: true },
  refunding: { now: false, later: true },
  approved: { now: false, later: false },
  refused: { now: false, later: false },
  void: { now: false, later: false },
  refunded: { now: false, later: false },
}

t.test('a payment is late when nothing was heard of it, at once or for long', async (t) => {
  const accountId = await makeAccount(sql)
  const { paymentId } = await addOrder(sql, {
    saleId,
    accountId,
    unitNos: [0],
    payment: { state: 'queued' },
  })
  // What was just now is so for as long as the test takes.
  const set = (state: string, { secondsAgo = -3600, attempts = 1 }) => sql`
    update payments set state = ${state}, attempts = ${attempts},
      updated_at = now() - ${secondsAgo} * interval '1 second' where id = ${paymentId}`
  for (const [state, late] of Object.entries(afterSeconds)) {
    await set(state, {})
    t.equal((await read()).paymentsLate, Number(late.now), `${state}, just now`)
    await set(state, { secondsAgo: 7 })
    t.equal((await read()).paymentsLate, Number(late.later), `${state}, for long`)
  }
  await set('refunding', { attempts: 3 })
  t.equal((await read()).paymentsLate, 1, 'a refund that was tried in vain')
})
