import t from 'tap'
import { addOrganiserKey } from '../../src/domain/accounts/organiser-key.ts'
import { useApp } from '../support/app.ts'
import { unitsOf, type Buyer } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt } from '../support/contract.ts'
import { strangers } from '../support/examples.ts'
import { makeOrganiser } from '../support/sales.ts'
import { takePicture } from '../support/state-picture.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)

async function admitted(saleId: string): Promise<{ buyer: Buyer; token: string }> {
  const buyer = await app.guest()
  return { buyer, token: await buyer.letIn(saleId) }
}

t.test('what is held or sold cannot be held, and a hold is all or nothing', async (t) => {
  const saleId = await app.sale()
  const one = await admitted(saleId)
  const two = await admitted(saleId)
  await one.buyer.hold(saleId, one.token, unitsOf('A-01-02'))
  const sold = await one.buyer.hold(saleId, one.token, unitsOf('A-01-03'))
  const orderId = textAt(
    (await one.buyer.order(textAt(sold.body, 'hold.id'), 'sandbox_approve')).body,
    'order.id',
  )
  await one.buyer.became(orderId, 'booked')
  const before = await takePicture(app)
  for (const taken of ['A-01-02', 'A-01-03']) {
    const held = await two.buyer.hold(saleId, two.token, unitsOf('A-01-01', taken))
    t.match(held.body, { code: 'unit_taken', units: [taken] })
  }
  for (const best of [{ count: 4, section: 'Z' }, { count: 4, priceClass: 'Gold' }, { count: 18 }]) {
    t.equal((await two.buyer.hold(saleId, two.token, { best })).body['code'], 'none_together')
  }
  t.same(await takePicture(app), before)
})

t.test('nobody gets more than one may have, also not in many steps at once', async (t) => {
  const saleId = await app.sale({ queue: { maxPerAccount: 2 } })
  const { buyer, token } = await admitted(saleId)
  const before = await takePicture(app)
  const tooMany = await buyer.hold(saleId, token, unitsOf('A-01-01', 'A-01-02', 'A-01-03'))
  t.equal(tooMany.body['code'], 'limit_reached')
  t.same(await takePicture(app), before)
  const codes = ['01', '02', '03', '04', '05', '06', '07', '08'].map((seat) => `A-01-${seat}`)
  const all = await Promise.all(codes.map((code) => buyer.hold(saleId, token, unitsOf(code))))
  t.equal(all.filter(({ status }) => status === 201).length, 2)
  t.same(new Set(all.map(({ body }) => body['code'])), new Set([undefined, 'limit_reached']))
})

t.test('a unit that is named twice, is unknown, or has less room is refused', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1, 3), queue: { maxPerAccount: 10 } })
  const { buyer, token } = await admitted(saleId)
  const before = await takePicture(app)
  const ten = '2027-03-01T10:00'
  const tries: [unknown, string][] = [
    [unitsOf('nowhere'), 'no_such_unit'],
    [unitsOf(ten, 'nowhere'), 'no_such_unit'],
    [unitsOf('__proto__'), 'no_such_unit'],
    [{ units: [{ unit: ten, quantity: 4 }] }, 'beyond_capacity'],
    [unitsOf(ten, ten, ten, ten), 'beyond_capacity'],
    [{ best: { count: 4 } }, 'none_together'],
  ]
  for (const [body, code] of tries) {
    for (const path of ['holds', 'bookings']) {
      const answer = await buyer.call('POST', `${api}/sales/${saleId}/${path}`, {
        body,
        headers: { 'purchase-token': token },
      })
      t.equal(answer.body['code'], code, `${path}: ${JSON.stringify(body)}`)
    }
  }
  t.same(await takePicture(app), before)
})

t.test('what costs something is not booked for nothing', async (t) => {
  const saleId = await app.sale()
  const { buyer, token } = await admitted(saleId)
  const held = await buyer.hold(saleId, token, unitsOf('A-01-01'))
  const before = await takePicture(app)
  t.equal((await buyer.book(saleId, token, unitsOf('A-01-02'))).body['code'], 'payment_needed')
  for (const method of [undefined, 'cash', 'SANDBOX_APPROVE', 'x'.repeat(64), '__proto__']) {
    const ordered = await buyer.order(textAt(held.body, 'hold.id'), method)
    t.equal(ordered.body['code'], 'payment_method_unknown', String(method))
  }
  t.same(await takePicture(app), before)
})

t.test('a hold is ordered once and by nobody else, however often it is asked', async (t) => {
  const saleId = await app.sale(freeSlots(1))
  const { buyer, token } = await admitted(saleId)
  const stranger = await app.guest()
  const hold = textAt((await buyer.hold(saleId, token, { best: { count: 2 } })).body, 'hold.id')
  t.equal((await stranger.order(hold)).body['code'], 'hold_gone')
  const nowhere = strangers['hold'] ?? ''
  t.equal((await buyer.order(nowhere)).body['code'], 'hold_gone', 'a hold of a sale that never was')
  const answers = await Promise.all(Array.from({ length: 12 }, () => buyer.order(hold)))
  t.same(answers.filter(({ status }) => status === 201).length, 1)
  t.equal(new Set(answers.map(({ body }) => at(body, 'order.id'))).size, 1)
  t.equal(
    (await buyer.call('DELETE', `${api}/holds/${hold}`)).body['code'],
    'hold_gone',
    'and cannot be released then',
  )
  const [row] = await app.sql`select count(*)::int as count from bookings where sale_id = ${saleId}`
  t.equal(row?.['count'], 2)
})

t.test('joining in a loop gives one place', async (t) => {
  const saleId = await app.sale({ queue: { maxActive: 1 } })
  await admitted(saleId)
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const joins = await Promise.all(Array.from({ length: 20 }, () => one.join(saleId)))
  t.equal(joins.filter(({ status }) => status === 201).length, 1)
  t.equal((await two.join(saleId)).body['position'], 2)
})

t.test('an Idempotency-Key belongs to one request of one account', async (t) => {
  const saleId = await app.sale({ ...freeSlots(2), queue: { maxPerAccount: 10 } })
  const [one, two] = [await admitted(saleId), await admitted(saleId)]
  const key = { 'idempotency-key': 'the key' }
  const first = await one.buyer.hold(saleId, one.token, { best: { count: 1 } }, key)
  t.equal(first.status, 201)
  t.same((await one.buyer.hold(saleId, one.token, { best: { count: 1 } }, key)).body, first.body)
  const reused = await one.buyer.hold(saleId, one.token, { best: { count: 2 } }, key)
  t.equal(reused.body['code'], 'idempotency_key_reused')
  const theirs = await two.buyer.hold(saleId, two.token, { best: { count: 1 } }, key)
  t.not(at(theirs.body, 'hold.id'), at(first.body, 'hold.id'))
  const other = await one.buyer.book(saleId, one.token, { best: { count: 1 } }, key)
  t.equal(other.status, 201, 'another call has keys of its own')

  const before = await takePicture(app)
  const long = await one.buyer.hold(
    saleId,
    one.token,
    { best: { count: 1 } },
    { 'idempotency-key': 'k'.repeat(256) },
  )
  t.equal(long.body['code'], 'invalid_request')
  t.same(await takePicture(app), before)
  const full = await one.buyer.hold(
    saleId,
    one.token,
    { best: { count: 1 } },
    { 'idempotency-key': 'k'.repeat(255) },
  )
  t.equal(full.status, 201)
})

t.test('the same key many times at once does one thing', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1), queue: { maxPerAccount: 10 } })
  const { buyer, token } = await admitted(saleId)
  const key = { 'idempotency-key': 'at once' }
  const all = await Promise.all(
    Array.from({ length: 10 }, () => buyer.book(saleId, token, { best: { count: 1 } }, key)),
  )
  const codes = new Set(all.map(({ status, body }) => body['code'] ?? status))
  t.ok(
    [...codes].every((code) => code === 201 || code === 'in_progress'),
    [...codes].map(String).join(),
  )
  const [row] = await app.sql`select count(*)::int as count from bookings where sale_id = ${saleId}`
  t.equal(row?.['count'], 1)
})

t.test('a booking whose answer was never kept is the same booking when it is asked for again', async (t) => {
  for (const maxPerAccount of [1, 10]) {
    const saleId = await app.sale({ ...freeSlots(1), queue: { maxPerAccount } })
    const { buyer, token } = await admitted(saleId)
    const book = () => buyer.book(saleId, token, { best: { count: 1 } }, { 'idempotency-key': 'lost' })
    const first = await book()
    await app.sql`delete from idempotency_keys where caller_id = ${buyer.id}`
    const before = await takePicture(app)
    t.same((await book()).body, first.body)
    const { keys, rows } = await takePicture(app)
    t.same(keys, before.keys, 'and no place is taken for it')
    t.equal(rows['bookings'], before.rows['bookings'])
  }
})

t.test('a hold that is asked for again after it was ordered takes nothing for long', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1), queue: { maxPerAccount: 10 } })
  const { buyer, token } = await admitted(saleId)
  const hold = async (): Promise<string> => {
    const { body } = await buyer.hold(
      saleId,
      token,
      { best: { count: 1 } },
      { 'idempotency-key': 'forgotten' },
    )
    return textAt(body, 'hold.id')
  }
  const first = await hold()
  const ordered = await buyer.order(first)
  await app.sql`delete from idempotency_keys where caller_id = ${buyer.id}`
  t.equal(await hold(), first)
  t.same((await buyer.order(first)).body, ordered.body)
  // Whoever looks after forsaken holds does so after ten seconds.
  await app.redis.hincrby(`{${saleId}}:state`, 'offset_ms', 11_000)
  await until('one place is taken', async () => (await app.redis.hlen(`{${saleId}}:places`)) === 1)
  t.same(await app.redis.hmget(`{${saleId}}:state`, 'free', 'sold'), ['9', '1'])
})

t.test('a request that failed leaves its key free', async (t) => {
  const saleId = await app.sale({ ...freeSlots(1), queue: { maxPerAccount: 1 } })
  const { buyer, token } = await admitted(saleId)
  const key = { 'idempotency-key': 'again' }
  t.equal((await buyer.book(saleId, token, unitsOf('nowhere'), key)).body['code'], 'no_such_unit')
  t.equal((await buyer.book(saleId, token, { best: { count: 1 } }, key)).status, 201)
})

t.test('a sale that is another organiser’s, closed, or wrongly timed is not changed', async (t) => {
  const saleId = await app.sale()
  await admitted(saleId)
  const tries: [object, string][] = [
    [{ opensAt: new Date(Date.now() + 60_000).toISOString() }, 'sale_change_not_allowed'],
    [{ closesAt: new Date(Date.now() - 60_000).toISOString() }, 'sale_change_not_allowed'],
    [{}, 'invalid_request'],
    [{ status: 'soldout' }, 'invalid_request'],
    [{ queue: { maxPerAccount: 9 } }, 'invalid_request'],
    [{ opensAt: '2027-01-02T00:00:00Z', closesAt: '2027-01-01T00:00:00Z' }, 'invalid_request'],
  ]
  const stranger = await addOrganiserKey(app.sql, await makeOrganiser(app.sql))
  const before = await takePicture(app)
  const theirs = await app.call('PATCH', `${api}/sales/${saleId}`, {
    token: stranger,
    body: { status: 'closed' },
  })
  t.equal(theirs.body['code'], 'forbidden')
  const revoked = await app.call('GET', `${api}/sales/${saleId}/revoked`, { token: stranger })
  t.equal(revoked.body['code'], 'forbidden')
  for (const [changes, code] of tries) {
    t.equal((await app.change(saleId, { ...changes })).body['code'], code, JSON.stringify(changes))
  }
  t.same(await takePicture(app), before)
})
