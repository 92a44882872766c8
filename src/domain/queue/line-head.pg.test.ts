import t, { type Test } from 'tap'
import { useHouse } from '../../../test/support/house.ts'
import { makeSale } from '../../../test/support/sales.ts'
import { at, makePeople } from '../../../test/support/shop.ts'
import { unhurriedSubscriber } from '../../../test/support/unhurried.ts'
import { until } from '../../../test/support/until.ts'
import { saleChannels, saleKeys } from '../sale-state/sale-keys.ts'
import { headUpdate, type HeadUpdate } from './queue-messages.ts'

const house = await useHouse(t)
const { sql, queue, redis, catalogue, log } = house
const graceMs = 90_000

/** A sale that lets one in each second, and the head updates that are published of its line. */
const lineOf = async (t: Test, count: number, changes: Readonly<Record<string, number>> = {}) => {
  const sale = await makeSale(sql, {
    changes: { queue: { ratePerMinute: 60, maxActive: 50, graceSeconds: 90, ...changes } },
  })
  const subscriber = unhurriedSubscriber({ url: house.server.url, name: 'test', log })
  await subscriber.connect()
  t.teardown(() => subscriber.disconnect())
  const heads: HeadUpdate[] = []
  subscriber.on('message', (_channel: string, text: string) => heads.push(headUpdate.parse(JSON.parse(text))))
  await subscriber.subscribe(saleChannels.line(sale.id))
  const { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, count)
  for (const account of people) await queue.join(sale.id, account)
  const tick = async (ms: number) => {
    await house.passMs(sale.id, ms)
    return await gate.tick()
  }
  /** What is told once everything has arrived. */
  const head = async (): Promise<HeadUpdate> => {
    await tick(1001)
    const seq = Number(await redis.hget(saleKeys(sale.id).state, 'head_seq'))
    await until('the head is told', () => heads.at(-1)?.seq === seq)
    return at(heads, -1)
  }
  const set = async (status: string) => {
    await sql`update sales set status = ${status}, version = version + 1 where id = ${sale.id}`
    catalogue.forget(sale.id)
    await gate.tick()
  }
  return { sale, gate, people, heads, tick, head, set }
}

/** Between two updates, in milliseconds of the clock by which they are made: how long a test takes does not matter. */
const gapsOf = (heads: readonly HeadUpdate[]) =>
  heads.slice(1).map(({ at: atMs }, index) => atMs - at(heads, index).at)

t.test(
  'one update follows the other, at most five in a second, and one a second when nothing happens',
  async (t) => {
    const { sale, heads, tick, head } = await lineOf(t, 0)
    await head()
    const [first] = heads.splice(0)
    for (let times = 0; times < 40; times++) {
      const [account] = await makePeople(sql, 1)
      await queue.join(sale.id, at([account ?? ''], 0))
      await tick(100)
    }
    const busy = (await head()).seq - (first?.seq ?? 0)
    t.ok(busy >= 10, `${busy} in at least four seconds`)
    t.ok(Math.min(...gapsOf(heads)) >= 200, 'at most five in a second')
    heads.splice(0)
    await sql`update sales set status = 'paused', version = version + 1 where id = ${sale.id}`
    for (let times = 0; times < 50; times++) await tick(100)
    const quiet = (await head()).seq - at(heads, 0).seq
    t.ok(quiet >= 4, `${quiet} in at least five seconds`)
    // The pace of the last minute falls while nothing else happens, and that is told.
    const early = gapsOf(heads).filter((gapMs) => gapMs < 1000)
    t.ok(early.length <= 2, `one a second, not after ${early.join(', ')} ms`)
    for (const [index, { prev, seq }] of heads.entries()) {
      if (index > 0) t.same([prev, seq], [at(heads, index - 1).seq, at(heads, index - 1).seq + 1])
    }
  },
)

t.test('the figures are those of the line and its gate', async (t) => {
  const { sale, people, head, tick } = await lineOf(t, 5)
  await tick(0)
  await queue.leave(sale.id, at(people, 4))
  await house.passAtWorkMs(sale.id, graceMs + 1000)
  await queue.present(sale.id, people.slice(3, 4))
  const told = await head()
  const keys = saleKeys(sale.id)
  t.match(told, {
    tail: 5,
    arrivals: 5,
    waiting: await redis.zcard(keys.queue),
    aside: await redis.zcard(keys.aside),
    active: await redis.hlen(keys.active),
    free: 10,
    sold: 0,
    total: 10,
    rate: 60,
    max_active: 50,
    status: 'open',
  })
  t.equal(told.waiting + told.aside + told.active, 4, 'of five, one has left')
})

t.test(
  'arrivals go on over the loss of Redis where the line is kept, the numbering begins anew',
  async (t) => {
    const { sale, gate, head } = await lineOf(t, 3)
    const before = await head()
    await redis.hset(saleKeys(sale.id).state, 'run_id', 'another')
    await gate.tick()
    for (const account of await makePeople(sql, 2)) await queue.join(sale.id, account)
    const after = await head()
    t.ok(after.epoch > before.epoch)
    t.match(after, { arrivals: 5, tail: 2 })
  },
)

t.test('the pace is what the last minute has seen, also while the sale is paused', async (t) => {
  const { head, set } = await lineOf(t, 8)
  for (let times = 0; times < 4; times++) await head()
  t.ok((await head()).pace >= 4)
  await set('paused')
  for (let times = 0; times < 62; times++) await head()
  t.equal((await head()).pace, 0)
})

t.test('of who was set aside nobody loses the place because the server was down', async (t) => {
  const { sale, gate, people } = await lineOf(t, 1)
  await house.passAtWorkMs(sale.id, graceMs + 1000)
  t.equal((await gate.tick())?.setAside, 1)
  await house.passMs(sale.id, 10 * 60_000)
  await gate.tick()
  t.equal(await queue.present(sale.id, people), 1, 'who comes back within a grace is first again')
  await house.passAtWorkMs(sale.id, graceMs + 1000)
  t.equal((await gate.tick())?.setAside, 1)
  await house.passAtWorkMs(sale.id, graceMs + 1000)
  await gate.tick()
  t.equal(await queue.present(sale.id, people), 0, 'as always, when the gate goes on')
})

t.test('a server that was down for longer than the grace sets nobody aside for it', async (t) => {
  const { people, sale, gate, tick } = await lineOf(t, 5)
  await queue.present(sale.id, people)
  t.equal((await tick(1000))?.told, 1)
  // Nobody could say that they are there: no edge lived, and no gate.
  await house.passMs(sale.id, 10 * 60_000)
  const report = await gate.tick()
  t.equal(report?.setAside, 0)
  t.equal(report?.told, 1)
})
