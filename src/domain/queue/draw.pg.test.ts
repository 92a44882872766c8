import { createHash, createHmac } from 'node:crypto'
import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople } from '../../../test/support/shop.ts'
import { allEntries, enterDraws, findDraw, holdDraw } from './draw-store.ts'
import { takesEntries } from './draw-entering.ts'
import { FencedError } from '../sale-state/sale-failures.ts'

const house = await useHouse(t)
const { sql, queue, entering, catalogue, redis } = house

/** A lottery that opens in an hour, with this many who have entered; `open` lets that hour pass. */
const lottery = async (count: number) => {
  const opensAt = new Date(Date.now() + 3_600_000).toISOString()
  const closesAt = new Date(Date.now() + 7_200_000).toISOString()
  const queueSettings = { mode: 'lottery', ratePerMinute: 600_000, maxActive: 10_000 }
  const sale = await makeSale(sql, { changes: { opensAt, closesAt, queue: queueSettings } })
  const begun = await house.gate(sale.id)
  const people = await makePeople(sql, count)
  const entries = await Promise.all(people.map((account) => entering.enter(sale.id, account)))
  const open = async () => {
    await sql`update sales set status = 'open', opens_at = now(), version = version + 1 where id = ${sale.id}`
    catalogue.forget(sale.id)
  }
  const line = () => redis.zrange(`{${sale.id}}:queue`, 0, -1)
  /** The order anybody can compute from what is published. */
  const published = async () => {
    const draw = await findDraw(sql, sale.id)
    const all = await allEntries(sql, sale.id)
    const rank = ({ entryId }: { entryId: string }) =>
      createHmac('sha256', Buffer.from(draw?.seed ?? '', 'hex'))
        .update(entryId)
        .digest('hex')
    return all.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).map(({ accountId }) => accountId)
  }
  return { sale, saleId: sale.id, people, entries, open, line, published, ...begun }
}

t.test('before the opening one enters, the same entry however often, and may take it back', async (t) => {
  const { sale, saleId, people, entries } = await lottery(2)
  t.ok(takesEntries(sale))
  const account = at(people, 0)
  t.equal((await entering.enter(saleId, account)).entryId, at(entries, 0).entryId)
  t.not(at(entries, 0).entryId, at(entries, 1).entryId)
  await entering.withdraw(saleId, account)
  await t.rejects(entering.withdraw(saleId, account), { code: 'not_in_line' })
  t.not((await entering.enter(saleId, account)).entryId, at(entries, 0).entryId, 'and enter anew')
})

t.test('the draw is bound to its seed from the beginning and to its entries before the seed', async (t) => {
  const { saleId, writership } = await lottery(20)
  const before = await findDraw(sql, saleId)
  t.equal(
    before?.commitment,
    createHash('sha256')
      .update(Buffer.from(before?.seed ?? '', 'hex'))
      .digest('hex'),
  )
  t.equal(before?.closed, undefined)
  await holdDraw(sql, { ...writership, epoch: 1 })
  const after = await findDraw(sql, saleId)
  t.equal(after?.seed, before?.seed)
  t.equal(after?.closed?.entrants, 20)
  const ids = (await allEntries(sql, saleId)).map(({ entryId }) => entryId)
  t.same(ids, ids.toSorted(), 'in the order of their bytes')
  t.equal(
    after?.closed?.digest,
    createHash('sha256')
      .update(ids.map((id) => `${id}\n`).join(''))
      .digest('hex'),
  )
})

t.test('at the opening everybody stands in the drawn order, and later arrivals behind', async (t) => {
  const { saleId, gate, open, line, published } = await lottery(50)
  await gate.tick()
  t.same(await line(), [], 'nobody before')
  await open()
  await gate.tick()
  const late = at(await makePeople(sql, 1), 0)
  await queue.join(saleId, late)
  const drawn = await published()
  t.same(await line(), [...drawn, late])
  await house.passMs(saleId, 1000)
  const report = await gate.tick()
  t.ok((report?.told ?? 0) > 0, 'and is let in')
  const admitted = await sql<{ account: string }[]>`
    select account_id as account from admissions where sale_id = ${saleId} order by sequence`
  t.same(
    admitted.map(({ account }) => account),
    [...drawn, late].slice(0, admitted.length),
  )
})

t.test('no entry comes in once the draw is closed, however close the race', async (t) => {
  const { saleId, writership } = await lottery(1)
  const people = await makePeople(sql, 60)
  const enter = (account: string, index: number) =>
    enterDraws(sql, [{ saleId, accountId: account, entryId: `ent_${String(index).padStart(20, '0')}` }])
  const tries = people.map(enter)
  await Promise.race(tries)
  await holdDraw(sql, { ...writership, epoch: 1 })
  const given = (await Promise.all(tries)).flat().filter((entry) => entry !== undefined)
  const draw = await findDraw(sql, saleId)
  t.equal(draw?.closed?.entrants, given.length + 1, 'who was told an entry is in the digest, and nobody else')
  t.same(await enter(at(await makePeople(sql, 1), 0), 99), [undefined])
  t.equal((await entering.enter(saleId, at(people, 0))).entryId, given[0], 'who is in keeps the entry')
  await t.rejects(
    entering.withdraw(saleId, at(people, 0)),
    { code: 'not_in_line' },
    'and cannot take it back',
  )
})

t.test(
  'a writer that died anywhere in the draw is finished by the next one, with the same order',
  async (t) => {
    const { saleId, open, line, published, writership } = await lottery(30)
    await open()
    // It died after the draw was held and some of the places were written.
    await holdDraw(sql, { ...writership, epoch: house.state.epoch(saleId) })
    const drawn = await published()
    await redis.zadd(`{${saleId}}:queue`, house.state.epoch(saleId) * 2 ** 32 + 3, at(drawn, 2))
    const { gate } = await house.gate(saleId)
    await gate.tick()
    t.same(await line(), drawn)
    await t.rejects(holdDraw(sql, { ...writership, epoch: 9 }), FencedError, 'who was late can do nothing')
  },
)

t.test('the loss of Redis before the draw loses no entry', async (t) => {
  const { saleId, open, line, published } = await lottery(25)
  await redis.flushall()
  const { gate } = await house.gate(saleId)
  await open()
  await gate.tick()
  t.equal((await line()).length, 25)
  t.same(await line(), await published())
})

t.test(
  'after the draw it brings back those who still wait, in the drawn order, before everybody new',
  async (t) => {
    const { saleId, gate, open, line, published } = await lottery(40)
    await sql`update sales set rate_per_minute = 600 where id = ${saleId}`
    await open()
    await gate.tick()
    const drawn = await published()
    await house.passMs(saleId, 1000)
    const let_in = (await gate.tick())?.told ?? 0
    t.ok(let_in > 0 && let_in < 40)
    const left = at(drawn, 30)
    const { sequence } = await queue.leave(saleId, left)
    await sql`insert into queue_leaves (sale_id, sequence, account_id) values (${saleId}, ${sequence}, ${left})`
    await redis.flushall()
    const next = await house.gate(saleId)
    await next.gate.tick()
    const late = at(await makePeople(sql, 1), 0)
    await queue.join(saleId, late)
    const admitted = await sql<{ account: string }[]>`
    select account_id as account from admissions where sale_id = ${saleId} order by sequence`
    const gone = new Set([...admitted.map(({ account }) => account), left])
    t.same(
      await line(),
      [...drawn.filter((account) => !gone.has(account)), late].slice(-(await line()).length),
    )
    t.equal(admitted.length + (await line()).length, 40, 'everybody but who left, and the one who is new')
  },
)

t.test('pausing and going on keeps the drawn order', async (t) => {
  const { saleId, gate, open, line, published } = await lottery(10)
  await open()
  await sql`update sales set status = 'paused' where id = ${saleId}`
  await gate.tick()
  t.same(await line(), await published())
  await sql`update sales set status = 'open', version = version + 1 where id = ${saleId}`
  catalogue.forget(saleId)
  const first = await gate.tick()
  await house.passMs(saleId, 1000)
  const second = await gate.tick()
  t.ok((first?.told ?? 0) + (second?.told ?? 0) > 0)
})
