import t from 'tap'
import { createHmac } from 'node:crypto'
import { useHouse } from '../../../test/support/house.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople } from '../../../test/support/shop.ts'
import { digestOf } from './draw.ts'
import { allEntries, findDraw, holdDraw } from './draw-store.ts'
import { drawPlace } from './queue-scripts.ts'

const house = await useHouse(t)
const { sql, queue, catalogue, redis, state } = house
const lottery = async (count: number, settings: object = {}) => {
  const opensAt = new Date(Date.now() + 3_600_000).toISOString()
  const closesAt = new Date(Date.now() + 7_200_000).toISOString()
  const sale = await makeSale(sql, {
    changes: {
      opensAt,
      closesAt,
      queue: { mode: 'lottery', ratePerMinute: 600_000, maxActive: 10_000, ...settings },
    },
  })
  const begun = await house.gate(sale.id)
  const people = await makePeople(sql, count)
  await sql`insert into draw_entries (sale_id, account_id, entry_id) select ${sale.id}, id, 'ent_' || md5(id) from unnest(${people}::text[]) as id`
  const open = async () => {
    await sql`update sales set status = 'open', opens_at = now(), version = version + 1 where id = ${sale.id}`
    catalogue.forget(sale.id)
  }
  const line = () => redis.zrange(`{${sale.id}}:queue`, 0, -1)
  const published = async () => {
    const draw = await findDraw(sql, sale.id)
    const key = Buffer.from(draw?.seed ?? '', 'hex')
    return (await allEntries(sql, sale.id))
      .map((e) => ({ ...e, r: createHmac('sha256', key).update(e.entryId).digest('hex') }))
      .toSorted((a, b) => (a.r < b.r ? -1 : 1))
      .map((e) => e.accountId)
  }
  return { sale, saleId: sale.id, people, open, line, published, ...begun }
}

t.test(
  'cut off in each place: the next writer ends with the same line, nobody is let in before',
  async (t) => {
    type L = Awaited<ReturnType<typeof lottery>>
    const portionOf = async (l: L, from: number, to: number, last: 0 | 1) => {
      const order = await l.published()
      const epoch = state.epoch(l.saleId)
      await state.run(drawPlace, l.saleId, {
        fence: l.writership.fence,
        drawn_epoch: epoch,
        entrants: order.length,
        places: JSON.stringify(order.slice(from, to).map((a, i) => [a, from + i + 1])),
        last,
      })
    }
    const hold = (l: L) => holdDraw(sql, { ...l.writership, epoch: state.epoch(l.saleId) })
    const close = async (l: L) => {
      await sql`update sale_draws set closed_at = now() where sale_id = ${l.saleId}`
      await sql`update sale_draws set digest = ${digestOf((await allEntries(sql, l.saleId)).map((e) => e.entryId))}, entrants = 4500 where sale_id = ${l.saleId}`
    }
    const steps: Record<string, (l: L) => Promise<void>> = {
      'before anything': async () => {},
      'closed, not shown': close,
      shown: hold,
      'numbers reserved, nobody placed': async (l) => {
        await hold(l)
        await portionOf(l, 0, 0, 0)
      },
      'a portion': async (l) => {
        await hold(l)
        await portionOf(l, 0, 2000, 0)
      },
      'two portions': async (l) => {
        await hold(l)
        await portionOf(l, 0, 4000, 0)
      },
      'all but the last word': async (l) => {
        await hold(l)
        await portionOf(l, 0, 4500, 0)
      },
    }
    for (const [name, step] of Object.entries(steps)) {
      for (const flush of [false, true]) {
        const l = await lottery(4500)
        await l.open()
        await step(l)
        const late = at(await makePeople(sql, 1), 0)
        await t.rejects(queue.join(l.saleId, late), { code: 'not_open_yet' }, `${name}: nobody joins`)
        if (flush) await redis.flushall()
        const next = await house.gate(l.saleId)
        const first = await next.gate.tick()
        t.notOk(first?.told, `${name} flush=${flush}: nobody let in with the tick that draws`)
        await queue.join(l.saleId, late)
        t.same(await l.line(), [...(await l.published()), late], `${name} flush=${flush}`)
      }
    }
  },
)

t.test('who gave the place up while the rest was written does not come back', async (t) => {
  const l = await lottery(30)
  await l.open()
  await holdDraw(sql, { ...l.writership, epoch: state.epoch(l.saleId) })
  const order = await l.published()
  await state.run(drawPlace, l.saleId, {
    fence: l.writership.fence,
    drawn_epoch: state.epoch(l.saleId),
    entrants: 30,
    places: JSON.stringify(order.slice(0, 10).map((a, i) => [a, i + 1])),
    last: 0,
  })
  await queue.leave(l.saleId, at(order, 4))
  const next = await house.gate(l.saleId)
  await next.gate.tick()
  t.same(
    await l.line(),
    order.filter((_, i) => i !== 4),
  )
})

t.test('a writer that is fenced places nobody', async (t) => {
  const l = await lottery(5)
  await l.open()
  await holdDraw(sql, { ...l.writership, epoch: state.epoch(l.saleId) })
  const order = await l.published()
  await house.gate(l.saleId)
  await t.rejects(
    state.run(drawPlace, l.saleId, {
      fence: l.writership.fence,
      drawn_epoch: state.epoch(l.saleId),
      entrants: 5,
      places: JSON.stringify(order.map((a, i) => [a, i + 1])),
      last: 1,
    }),
  )
  t.same(await l.line(), [])
})

t.test('what is drawn is not drawn again with each tick', async (t) => {
  const l = await lottery(5)
  await l.open()
  await l.gate.tick()
  const since = () => redis.hget(`{${l.saleId}}:state`, 'opened_at')
  const before = await since()
  await house.passMs(l.saleId, 5000)
  await l.gate.tick()
  t.equal(await since(), before, 'or nobody would ever be away for too long')
})

t.test('no entries at all', async (t) => {
  const l = await lottery(0)
  await l.open()
  await l.gate.tick()
  const late = at(await makePeople(sql, 1), 0)
  await queue.join(l.saleId, late)
  t.same(await l.line(), [late])
  t.match(await findDraw(sql, l.saleId), { closed: { entrants: 0, digest: digestOf([]) } })
})
