import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople, openShop } from '../../../test/support/shop.ts'
import { unhurriedSubscriber } from '../../../test/support/unhurried.ts'
import { until } from '../../../test/support/until.ts'
import { rebuildSale } from '../sale-state/sale-rebuilding.ts'
import { FencedError } from '../sale-state/sale-failures.ts'
import { saleChannels, saleKeys } from '../sale-state/sale-keys.ts'
import { stateClose, stateConfigure } from '../sale-state/sale-state-scripts.ts'
import { settingsOf } from './admission-gate.ts'
import { recordAdmissions } from './admission-store.ts'
import { AdmissionTicks } from './admission-ticks.ts'
import { queueNotice } from './queue-messages.ts'

const house = await useHouse(t)
const { sql, queue, state } = house
const subscriber = unhurriedSubscriber({ url: house.server.url, name: 'test', log: house.log })
t.teardown(() => subscriber.disconnect())
await subscriber.connect()

/** A sale with a line before its gate, and what is told about it from now on. */
const lineOf = async (count: number) => {
  const sale = await makeSale(sql, { changes: { queue: { ratePerMinute: 60_000, maxActive: 1000 } } })
  const { gate, writership } = await house.gate(sale.id)
  const people = await makePeople(sql, count)
  for (const account of people) await queue.join(sale.id, account)
  await house.passMs(sale.id, 1000)
  const told: string[] = []
  const channel = saleChannels.queue(sale.id)
  await subscriber.subscribe(channel)
  subscriber.on('message', (from: string, text: string) => {
    if (from !== channel) return
    const notice = queueNotice.parse(JSON.parse(text))
    if (notice.type === 'admitted') told.push(...notice.list.map(([account]) => account))
  })
  const ticks = new AdmissionTicks({ state, writership })
  const states = async () => (await queue.standing(sale.id, people)).places.map((place) => place.state)
  return { sale, gate, writership, people, told, ticks, states, saleId: sale.id }
}
const durable = async (saleId: string) => {
  const rows = await sql<{ account_id: string }[]>`
    select account_id from admissions where sale_id = ${saleId} and closed_at is null order by sequence`
  return rows.map((row) => row.account_id)
}

t.test('a writer that died after taking people from the line is finished by the next one', async (t) => {
  const { saleId, people, told, ticks, states } = await lineOf(3)
  const report = await ticks.admit()
  t.same(report.grants.map((grant) => grant.accountId).toSorted(), people.toSorted())
  t.same(await states(), ['waiting', 'waiting', 'waiting'], 'nobody is in before it is durable')
  t.same(await durable(saleId), [])
  t.same(told, [])
  const next = await house.gate(saleId)
  t.equal((await next.gate.tick())?.told, 3)
  t.same(await durable(saleId), people)
  t.same(await states(), ['admitted', 'admitted', 'admitted'])
  await next.gate.tick()
  await until('they are told', () => told.length >= 3)
  t.same(told.toSorted(), people.toSorted(), 'each of them once')
})

t.test('a writer that died before telling is finished by the next one', async (t) => {
  const { saleId, people, told, ticks, writership, states } = await lineOf(3)
  const { grants, closings } = await ticks.admit()
  await recordAdmissions(sql, { saleId, fence: writership.fence, grants, closings })
  t.same(await states(), ['waiting', 'waiting', 'waiting'])
  const next = await house.gate(saleId)
  t.equal((await next.gate.tick())?.told, 3)
  t.same(await durable(saleId), people)
  await next.gate.tick()
  await until('they are told', () => told.length >= 3)
  t.same(told.toSorted(), people.toSorted())
})

t.test('what one tick left undone comes before anybody else, unchanged', async (t) => {
  const { saleId, people, ticks, gate } = await lineOf(2)
  const { grants } = await ticks.admit()
  const late = at(await makePeople(sql, 1), 0)
  await queue.join(saleId, late)
  await house.passMs(saleId, 5000)
  t.same((await ticks.admit()).grants, grants, 'the same people, with the same times')
  t.equal((await gate.tick())?.told, 2)
  await gate.tick()
  t.same(await durable(saleId), [...people, late])
})

t.test('who is being let in can neither hold, leave nor join twice', async (t) => {
  const { saleId, people, ticks } = await lineOf(1)
  const { grants } = await ticks.admit()
  const { accountId, sequence } = at(grants, 0)
  const asked = { accountId, sequence, holdId: 'hol_a', alternatives: [[{ unitNo: 0, quantity: 1 }]] }
  await t.rejects(house.holds.take(saleId, asked), { code: 'admission_over' })
  await t.rejects(queue.leave(saleId, accountId), { code: 'being_admitted' })
  t.match(await queue.join(saleId, at(people, 0)), { state: 'waiting', created: false, sequence, ahead: 0 })
})

t.test('of two writers the older one can do nothing any more', async (t) => {
  const { saleId, sale, people, ticks, writership, states } = await lineOf(3)
  const { grants, closings } = await ticks.admit()
  const young = await house.gate(saleId)
  t.ok(young.writership.fence > writership.fence)
  const { fence } = writership
  const done = { granted: people, refused: [], closed: [] }
  await t.rejects(ticks.admit(), FencedError, 'take people from the line')
  await t.rejects(recordAdmissions(sql, { saleId, fence, grants, closings }), FencedError, 'write admissions')
  await t.rejects(ticks.confirm(done), FencedError, 'tell')
  await t.rejects(house.holds.sweep(saleId, { fence, batch: 10, pinnedMs: 0 }), FencedError, 'sweep')
  await t.rejects(state.run(stateConfigure, saleId, { fence, fields: '[]', restored: 0 }), FencedError, 'set')
  await t.rejects(state.run(stateClose, saleId, { fence }), FencedError, 'close')
  const rebuilding = { settings: settingsOf(sale), restoreMs: 0, replay: async () => {} }
  await t.rejects(rebuildSale({ sql, state, saleId, fence, ...rebuilding }), FencedError, 'rebuild')
  t.same(await durable(saleId), [])
  t.same(await states(), ['waiting', 'waiting', 'waiting'])
  t.equal((await young.gate.tick())?.told, 3, 'and the younger one goes on as if nothing had been')
})

t.test('a gate that was paused and wakes up says that it has lost the sale', async (t) => {
  const { saleId, gate, people } = await lineOf(2)
  const young = await house.gate(saleId)
  await Promise.all([t.rejects(gate.tick(), FencedError), young.gate.tick()])
  await t.rejects(gate.tick(), FencedError)
  t.same(await durable(saleId), people)
  await t.rejects(gate.begin(), FencedError)
})

t.test('writing admissions and becoming the writer wait for each other', async (t) => {
  const { saleId, ticks, writership, people } = await lineOf(2)
  const { grants, closings } = await ticks.admit()
  const { fence } = writership
  const order: string[] = []
  // Whichever comes first: either the admissions are there before the younger fence, or they are refused.
  await Promise.all([
    recordAdmissions(sql, { saleId, fence, grants, closings }).then(
      () => order.push('written'),
      () => order.push('refused'),
    ),
    sql`update sale_writers set fence = fence + 1 where sale_id = ${saleId}`,
  ])
  t.same(await durable(saleId), order[0] === 'written' ? people : [])
  await t.rejects(recordAdmissions(sql, { saleId, fence, grants, closings }), FencedError)
})

t.test('while admissions are being written nobody becomes the writer', async (t) => {
  const { saleId, writership, ticks, people } = await lineOf(1)
  const { grants, closings } = await ticks.admit()
  const { sequence, accountId } = at(grants, 0)
  const raise = () =>
    sql.begin(async (tx) => {
      await tx`set local lock_timeout = '50ms'`
      await tx`update sale_writers set fence = fence + 1 where sale_id = ${saleId}`
    })
  let writing: Promise<unknown> = Promise.resolve()
  const blocker = sql.begin(async (tx) => {
    await tx`
      insert into admissions (sale_id, sequence, account_id, admitted_at, expires_at)
      values (${saleId}, ${sequence}, ${accountId}, now(), now())`
    writing = recordAdmissions(sql, { saleId, fence: writership.fence, grants, closings })
    await until('the writing waits in the middle', async () => {
      const [row] = await sql<{ waits: boolean }[]>`
        select exists (select from pg_locks join pg_stat_activity using (pid)
          where not granted and datname = current_database()) as waits`
      return row?.waits === true
    })
    await t.rejects(raise(), { code: '55P03' })
    throw new Error('rolled back')
  })
  await t.rejects(blocker, { message: 'rolled back' })
  await writing
  t.same(await durable(saleId), people)
  await raise()
})

t.test('who comes and goes in one tick is written as gone, and an older admission makes room', async (t) => {
  const { saleId, people, ticks, writership } = await lineOf(3)
  const { grants } = await ticks.admit()
  const [first, second] = [at(grants, 0), at(grants, 1)]
  await sql`
    insert into admissions (sale_id, sequence, account_id, admitted_at, expires_at)
    values (${saleId}, 7, ${second.accountId}, now(), now() + interval '1 hour')`
  const closings = [
    { sequence: first.sequence, accountId: first.accountId, reason: 'left' as const, atMs: Date.now() },
    { sequence: 999, accountId: at(people, 2), reason: 'no_show' as const, atMs: Date.now() },
  ]
  const { fence } = writership
  const standing = await recordAdmissions(sql, { saleId, fence, grants, closings })
  t.notOk(standing.has(first.accountId))
  t.same(
    await durable(saleId),
    grants.slice(1).map(({ accountId }) => accountId),
  )
  const closed = await sql`
    select sequence, closed_as from admissions where sale_id = ${saleId} and closed_at is not null order by sequence`
  t.strictSame(
    [...closed],
    [
      { sequence: 7, closed_as: 'ended' },
      { sequence: first.sequence, closed_as: 'left' },
    ],
  )
  const lost = await sql`select sequence, reason from queue_leaves where sale_id = ${saleId}`
  t.strictSame([...lost], [{ sequence: 999, reason: 'no_show' }])
})

t.test(
  'an admission that ends between being written and being told keeps the gate from nobody',
  async (t) => {
    const { saleId, ticks, writership, gate } = await lineOf(1)
    const { grants } = await ticks.admit()
    await recordAdmissions(sql, { saleId, fence: writership.fence, grants, closings: [] })
    const { accountId, sequence } = at(grants, 0)
    const keys = saleKeys(saleId)
    // As a payment does that comes to its end just now.
    await house.redis.hdel(keys.active, accountId)
    await house.redis.zrem(keys.ends, accountId)
    await house.redis.hset(keys.closing, String(sequence), `fulfilled:${Date.now()}:${accountId}`)
    await gate.tick()
    const next = at(await makePeople(sql, 1), 0)
    await queue.join(saleId, next)
    await house.passMs(saleId, 1000)
    await gate.tick()
    t.same(await durable(saleId), [next])
  },
)

t.test('a tick that only comes and goes is written in one go', async (t) => {
  const { saleId, ticks, writership } = await lineOf(2)
  const { grants } = await ticks.admit()
  const { sequence, accountId } = at(grants, 0)
  const closings = [{ sequence, accountId, reason: 'ended' as const, atMs: Date.now() }]
  await recordAdmissions(sql, { saleId, fence: writership.fence, grants, closings })
  t.same(await durable(saleId), [at(grants, 1).accountId])
})

t.test('writing a tick twice changes nothing', async (t) => {
  const { saleId, ticks, writership } = await lineOf(3)
  const { grants, closings } = await ticks.admit()
  const tick = { saleId, fence: writership.fence, grants, closings }
  const first = await recordAdmissions(sql, tick)
  t.equal(first.size, 3)
  const rows = await sql`select * from admissions where sale_id = ${saleId} order by sequence`
  t.same(await recordAdmissions(sql, tick), first)
  t.same(await sql`select * from admissions where sale_id = ${saleId} order by sequence`, rows)
})

t.test('PostgreSQL holds one open admission of an account, and one of a sequence', async (t) => {
  const { saleId, ticks, writership } = await lineOf(1)
  const { grants, closings } = await ticks.admit()
  await recordAdmissions(sql, { saleId, fence: writership.fence, grants, closings })
  const { accountId, sequence } = at(grants, 0)
  const insert = (account: string, number: number) => sql`
    insert into admissions (sale_id, sequence, account_id, admitted_at, expires_at)
    values (${saleId}, ${number}, ${account}, now(), now())`
  await t.rejects(insert(accountId, sequence + 1), { code: '23505' })
  await t.rejects(insert(at(await makePeople(sql, 1), 0), sequence), { code: '23505' })
})

t.test('whom PostgreSQL refuses is not told and has no place', async (t) => {
  const { saleId, people, ticks, gate, told, states } = await lineOf(2)
  const { grants } = await ticks.admit()
  const clash = grants.find((grant) => grant.accountId === people[0])
  const stranger = at(await makePeople(sql, 1), 0)
  // Somebody else's admission stands under this sequence already, as no correct Redis would have it.
  await sql`
    insert into admissions (sale_id, sequence, account_id, admitted_at, expires_at)
    values (${saleId}, ${clash?.sequence ?? 0}, ${stranger}, now(), now())`
  t.equal((await gate.tick())?.told, 1)
  t.same(await states(), ['absent', 'admitted'])
  await until('the other is told', () => told.length > 0)
  t.same(told, people.slice(1))
  t.equal(await house.redis.hlen(saleKeys(saleId).active), 1)
})

t.test('a new admission of an account closes the one Redis no longer knows', async (t) => {
  const { sale, buyers, letIn } = await openShop(house, { buyers: 1 })
  const { accountId, sequence } = at(buyers, 0)
  const keys = saleKeys(sale.id)
  await house.redis.hdel(keys.active, accountId)
  await house.redis.zrem(keys.ends, accountId)
  const again = at(await letIn([accountId]), 0)
  const rows = await sql`
    select sequence, closed_as from admissions where sale_id = ${sale.id} order by sequence`
  t.same(rows, [
    { sequence, closed_as: 'ended' },
    { sequence: again.sequence, closed_as: null },
  ])
})
