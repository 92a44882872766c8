import t from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople, mustHold, openShop, slots } from '../../../test/support/shop.ts'
import { saleKeys } from '../sale-state/sale-keys.ts'

const house = await useHouse(t)
const { sql, queue } = house
const join = async (saleId: string, accounts: readonly string[]) => {
  for (const account of accounts) await queue.join(saleId, account)
}
const standing = async (saleId: string, accounts: readonly string[]) =>
  (await queue.standing(saleId, accounts)).places.map((place) => place.state)
interface Admitted {
  accountId: string
  atMs: number
  endMs: number
}
/** What is durable, in the order of the line. `endMs` is when the token was no longer valid. */
const admissions = async (saleId: string): Promise<Admitted[]> => {
  const rows = await sql<
    { account_id: string; admitted_at: Date; expires_at: Date; closed_at: Date | null }[]
  >`
    select account_id, admitted_at, expires_at, closed_at from admissions where sale_id = ${saleId} order by sequence`
  return rows.map((row) => ({
    accountId: row.account_id,
    atMs: row.admitted_at.getTime(),
    endMs: Math.min(row.expires_at.getTime(), row.closed_at?.getTime() ?? Infinity),
  }))
}

t.test(
  'lets people in one after another, in the order in which they came, at the pace of the sale',
  async (t) => {
    const sale = await makeSale(sql, { changes: { queue: { ratePerMinute: 120, maxActive: 100 } } })
    const { gate } = await house.gate(sale.id)
    const people = await makePeople(sql, 4)
    await join(sale.id, people)
    await house.passMs(sale.id, 1000)
    await gate.tick()
    t.same(await standing(sale.id, people), ['admitted', 'admitted', 'waiting', 'waiting'])
    await house.passMs(sale.id, 1000)
    await gate.tick()
    t.same(await standing(sale.id, people.slice(2)), ['admitted', 'admitted'])
    t.same(
      (await admissions(sale.id)).map((one) => one.accountId),
      people,
      'each is durable',
    )
  },
)

t.test('who joins again, from wherever, keeps the place and overtakes nobody', async (t) => {
  const sale = await makeSale(sql, { changes: { queue: { ratePerMinute: 60, maxActive: 100 } } })
  const { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, 30)
  const first = []
  for (const account of people) first.push(await queue.join(sale.id, account))
  for (let round = 0; round < 12; round++) {
    const again = await Promise.all(people.toReversed().map((account) => queue.join(sale.id, account)))
    if (round === 0) {
      t.same(
        again.toReversed().map((one) => one.sequence),
        first.map((one) => one.sequence),
      )
      t.ok(again.every((one) => one.state === 'waiting' && !one.created))
    }
    await house.passMs(sale.id, 1000)
    await gate.tick()
  }
  const letIn = (await admissions(sale.id)).map((one) => one.accountId)
  t.same(letIn, people.slice(0, letIn.length))
  t.ok(letIn.length >= 10)
  const line = await queue.standing(sale.id, people.slice(letIn.length))
  t.same(
    line.places.map((place) => place.state === 'waiting' && place.ahead),
    people.slice(letIn.length).map((_, index) => index),
  )
})

t.test('a thousand joins at once give a thousand places, one each', async (t) => {
  const sale = await makeSale(sql)
  await house.gate(sale.id)
  const people = await makePeople(sql, 250)
  const joins = await Promise.all(
    [0, 1, 2, 3].flatMap(() => people.map((account) => queue.join(sale.id, account))),
  )
  const created = joins.filter((one) => one.state === 'waiting' && one.created)
  t.equal(created.length, 250)
  t.equal(new Set(joins.map((one) => one.sequence)).size, 250)
  t.equal(await house.redis.zcard(saleKeys(sale.id).queue), 250)
})

t.test('no rolling minute admits more than the pace, and nobody waits longer than it asks', async (t) => {
  const rate = 90
  const sale = await makeSale(sql, {
    changes: { ...slots(24, 100), queue: { ratePerMinute: rate, maxActive: 10_000 } },
  })
  const { gate } = await house.gate(sale.id)
  await join(sale.id, await makePeople(sql, 400))
  // Uneven steps, a long silence, a crowd of ticks: no rhythm may let more in.
  const steps = [...repeat(120, 250), 45_000, ...repeat(340, 270), ...repeat(20, 4_000), ...repeat(150, 230)]
  let admitted = 0
  for (const ms of steps) {
    await house.passMs(sale.id, ms)
    admitted += (await gate.tick())?.told ?? 0
  }
  const times = (await admissions(sale.id)).map((one) => one.atMs)
  t.equal(times.length, admitted)
  const windows = times.map((from) => times.filter((ms) => ms >= from && ms < from + 60_000).length)
  t.ok(Math.max(...windows) <= rate, `at most ${Math.max(...windows)} within a minute`)
  t.ok(Math.max(...windows) >= rate * 0.95, 'and the pace is used')
  const seconds = times.map((from) => times.filter((ms) => ms >= from && ms < from + 1000).length)
  t.ok(
    Math.max(...seconds) <= 4,
    `a minute's people do not come at once (${Math.max(...seconds)} in a second)`,
  )
  t.same(
    times,
    times.toSorted((a, b) => a - b),
    'in the order of the line',
  )
})

t.test('a pace below one a second admits, and keeps its minute', async (t) => {
  const sale = await makeSale(sql, { changes: { queue: { ratePerMinute: 3, maxActive: 100 } } })
  const { gate } = await house.gate(sale.id)
  await join(sale.id, await makePeople(sql, 12))
  const nows: number[] = []
  for (let step = 0; step < 100; step++) {
    await house.passMs(sale.id, 2_000)
    nows.push((await gate.tick())?.nowMs ?? NaN)
  }
  const times = (await admissions(sale.id)).map((one) => one.atMs)
  // The ticks take their time, too.
  const spanMs = 2_000 + at(nows, -1) - at(nows, 0)
  const most = 1 + Math.floor(spanMs / 20_000)
  t.ok(times.length >= 9 && times.length <= most, `${times.length} within ${spanMs} ms`)
  for (const from of times) t.ok(times.filter((ms) => ms >= from && ms < from + 60_000).length <= 3)
})

t.test(
  'at no instant are more tokens valid than maxActive, and a token that ends lets the next one in',
  async (t) => {
    const maxActive = 7
    const queueSettings = { ratePerMinute: 6000, maxActive, tokenTtlSeconds: 20 }
    const sale = await makeSale(sql, { changes: { ...slots(10), queue: queueSettings } })
    const { gate } = await house.gate(sale.id)
    const people = await makePeople(sql, 60)
    await join(sale.id, people)
    for (let step = 0; step < 150; step++) {
      await house.passMs(sale.id, 1_500)
      const report = await gate.tick()
      if (report && report.active > maxActive) t.fail(`${report.active} are in`)
      // Some leave before their time.
      const inside = report?.grants.at(step % 3)
      if (inside) await queue.leave(sale.id, inside.accountId)
    }
    const all = await admissions(sale.id)
    t.equal(all.length, 60)
    const most = Math.max(
      ...all.map(({ atMs }) => all.filter((o) => o.atMs <= atMs && o.endMs > atMs).length),
    )
    t.ok(most <= maxActive, `at most ${most} at once`)
    t.equal(most, maxActive, 'and all places of the gate are used')
  },
)

t.test('a booking up to the limit, a leave and an end make room for the next one at once', async (t) => {
  const { sale, gate, buyers } = await openShop(house, {
    buyers: 3,
    queue: { maxActive: 3, maxPerAccount: 1 },
  })
  const [a, b, c] = [at(buyers, 0), at(buyers, 1), at(buyers, 2)]
  const next = await makePeople(sql, 3)
  await join(sale.id, next)
  const hold = await mustHold(house, { saleId: sale.id, buyer: a, wants: [{ unitNo: 0, quantity: 1 }] })
  await house.holds.pin(sale.id, { holdId: hold.id, accountId: a.accountId, orderId: 'ord_a' })
  const sold = { order: 'ord_a', hold: hold.id, account: a.accountId, status: 'booked' as const }
  await house.holds.apply(sale.id, [{ ...sold, places: [[0, 1, 1]] }])
  await queue.leave(sale.id, b.accountId)
  await house.passMs(sale.id, 1000)
  await gate.tick()
  t.same(
    await standing(
      sale.id,
      [a, b, c, ...next].map((one) => (typeof one === 'string' ? one : one.accountId)),
    ),
    ['absent', 'absent', 'admitted', 'admitted', 'admitted', 'waiting'],
  )
  const ends = await sql`
    select account_id, closed_as from admissions where sale_id = ${sale.id} and closed_at is not null order by sequence`
  t.same(ends, [
    { account_id: a.accountId, closed_as: 'fulfilled' },
    { account_id: b.accountId, closed_as: 'left' },
  ])
  await house.passMs(sale.id, 300_000)
  await gate.tick()
  t.same(await standing(sale.id, [at(next, 2)]), ['admitted'])
})

t.test('nobody is let in for places that are being chosen already', async (t) => {
  const sale = await makeSale(sql, {
    changes: { ...slots(1), queue: { ratePerMinute: 60_000, maxActive: 1_000 } },
  })
  const { gate } = await house.gate(sale.id)
  await join(sale.id, await makePeople(sql, 100))
  await house.passMs(sale.id, 1000)
  const report = await gate.tick()
  t.equal(report?.told, 15, 'half as many again as there are places')
  await house.passMs(sale.id, 1000)
  t.equal((await gate.tick())?.told, 0)
})

t.test('a paused sale admits nobody, and one that goes on does', async (t) => {
  const { sale, gate } = await openShop(house, { buyers: 0 })
  const people = await makePeople(sql, 2)
  await join(sale.id, people)
  const set = async (status: string) => {
    await sql`update sales set status = ${status}, version = version + 1 where id = ${sale.id}`
    house.catalogue.forget(sale.id)
    await gate.tick()
    await house.passMs(sale.id, 1000)
    await gate.tick()
    return await standing(sale.id, people)
  }
  await set('paused')
  const third = at(await makePeople(sql, 1), 0)
  t.equal((await queue.join(sale.id, third)).state, 'waiting', 'one can still queue')
  await house.passMs(sale.id, 1000)
  await gate.tick()
  t.same(await standing(sale.id, [third]), ['waiting'])
  await set('open')
  t.same(await standing(sale.id, [third]), ['admitted'])
})

t.test('nobody is let in by settings that are known to be old', async (t) => {
  const { sale, gate } = await openShop(house, { buyers: 0 })
  await gate.tick()
  await sql`update sales set status = 'paused', version = version + 1 where id = ${sale.id}`
  house.catalogue.forget(sale.id)
  const people = await makePeople(sql, 1)
  await join(sale.id, people)
  await gate.tick()
  t.same(await standing(sale.id, people), ['waiting'])
})

t.test('a sale that is over closes every token and takes nobody any more', async (t) => {
  const { sale, gate, buyers } = await openShop(house, { buyers: 2 })
  await sql`update sales set status = 'closed', version = version + 1 where id = ${sale.id}`
  house.catalogue.forget(sale.id)
  const report = await gate.tick()
  t.equal(report?.over, true)
  const open = await sql`select 1 from admissions where sale_id = ${sale.id} and closed_at is null`
  t.equal(open.length, 0)
  t.same(
    await standing(
      sale.id,
      buyers.map((one) => one.accountId),
    ),
    ['absent', 'absent'],
  )
  await t.rejects(queue.join(sale.id, at(await makePeople(sql, 1), 0)), { code: 'sale_closed' })
  const wants = [{ unitNo: 0, quantity: 1 }]
  await t.rejects(mustHold(house, { saleId: sale.id, buyer: at(buyers, 0), wants }), {
    code: 'admission_over',
  })
})

t.test('nobody joins before the opening', async (t) => {
  const opensAt = new Date(Date.now() + 3_000_000).toISOString()
  const sale = await makeSale(sql, { changes: { opensAt } })
  await house.gate(sale.id)
  await t.rejects(queue.join(sale.id, at(await makePeople(sql, 1), 0)), { code: 'not_open_yet' })
})

function repeat(times: number, ms: number): number[] {
  return Array.from({ length: times }, () => ms)
}
