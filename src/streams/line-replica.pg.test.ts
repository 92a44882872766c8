import fc from 'fast-check'
import t, { type Test } from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { useHouse } from '../../test/support/house.ts'
import { makeSale } from '../../test/support/sales.ts'
import { at, makePeople } from '../../test/support/shop.ts'
import { unhurriedSubscriber } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { saleChannels, saleKeys } from '../domain/sale-state/sale-keys.ts'
import { Problem } from '../errors.ts'
import { Broker } from './broker.ts'
import { LineReplica } from './line-replica.ts'

const house = await useHouse(t)
const { sql, queue, redis, log } = house
const clock = new FakeClock()
const graceMs = 90_000

const brokerOf = async (t: Test) => {
  const subscriber = unhurriedSubscriber({ url: house.server.url, name: 'test', log })
  await subscriber.connect()
  t.teardown(() => subscriber.disconnect())
  return new Broker({ subscriber, log })
}

/** A sale with its gate, and edges that follow its line. */
const lineOf = async (broker: Broker, count: number) => {
  const changes = { queue: { ratePerMinute: 600, maxActive: 4, tokenTtlSeconds: 60, graceSeconds: 90 } }
  const sale = await makeSale(sql, { changes })
  const { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, count)
  const keys = saleKeys(sale.id)
  const edges: { replica: LineReplica; readings: () => number }[] = []
  const follow = async () => {
    let readings = 0
    const onRead = () => readings++
    const replica = new LineReplica({ saleId: sale.id, queue, broker, clock, log, onRead })
    edges.push({ replica, readings: () => readings })
    await until('the line is listened to', async () => {
      return Number((await redis.pubsub('NUMSUB', saleChannels.line(sale.id)))[1]) > 0
    })
  }
  const tick = async (ms: number) => {
    if (ms > graceMs) await house.passAtWorkMs(sale.id, ms)
    else await house.passMs(sale.id, ms)
    await gate.tick()
  }
  const headSeq = async () => Number(await redis.hget(keys.state, 'head_seq'))
  /** Lets every edge hear of the head; says what is wrong with their ranks then. */
  const wrongRanks = async (): Promise<string[]> => {
    for (let times = 0; times < 3; times++) {
      await clock.advance(1001)
      await tick(1001)
      const seq = await headSeq()
      await until('the head is heard', () => edges.every(({ replica }) => replica.head?.seq === seq))
    }
    await until('the line is read', () => edges.every(({ readings }) => readings() > 0))
    const flat = await redis.zrange(keys.queue, 0, -1, 'WITHSCORES')
    const sequences = flat.filter((_, index) => index % 2 === 1).map(Number)
    return edges.flatMap(({ replica }, edge) => [
      ...(replica.size === sequences.length ? [] : [`edge ${edge}: ${replica.size} of ${sequences.length}`]),
      ...sequences.flatMap((sequence, rank) =>
        replica.rank(sequence) === rank
          ? []
          : [`edge ${edge}: ${sequence} is ${replica.rank(sequence)}, not ${rank}`],
      ),
    ])
  }
  const stop = () => edges.forEach(({ replica }) => replica.stop())
  return { sale, gate, people, keys, edges, follow, tick, wrongRanks, stop }
}
type Line = Awaited<ReturnType<typeof lineOf>>

/** Redis loses the line, or comes back with it as another process; those who stood in it are put back. */
const lose = async ({ sale, gate, keys }: Line, isKept: boolean) => {
  const flat = await redis.zrange(keys.queue, 0, -1, 'WITHSCORES')
  const waiters = flat.flatMap((accountId, index) =>
    index % 2 === 0 ? [{ accountId, sequence: Number(flat[index + 1]) }] : [],
  )
  if (isKept) await redis.hset(keys.state, 'run_id', 'another')
  else {
    const offset = (await redis.hget(keys.state, 'offset_ms')) ?? '0'
    await redis.flushall()
    await redis.hset(keys.state, 'offset_ms', offset)
  }
  await gate.tick()
  if (!isKept) await queue.restore(sale.id, waiters)
}

const person = fc.nat(19)
const few = fc.array(person, { minLength: 1, maxLength: 4 })
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('join' as const), people: few }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave' as const), people: few }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('present' as const), people: few }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      ms: fc.constantFrom(0, 100, 300, 1000, graceMs + 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), isKept: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'follow' as const }) },
)

t.test('whatever the scripts do to a line, every edge has the ranks that Redis has', async (t) => {
  const broker = await brokerOf(t)
  let [asides, losses] = [0, 0]
  const property = fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 40 }), async (steps) => {
    const line = await lineOf(broker, 20)
    await line.follow()
    for (const one of steps) {
      if (one.kind === 'tick') await line.tick(one.ms)
      else if (one.kind === 'lose') await lose(line, one.isKept)
      else if (one.kind === 'follow') await line.follow()
      else if (one.kind === 'present') {
        await queue.present(
          line.sale.id,
          one.people.map((index) => at(line.people, index)),
        )
      } else {
        for (const index of one.people) {
          await queue[one.kind](line.sale.id, at(line.people, index)).catch((error: unknown) => {
            if (!(error instanceof Problem)) throw error
          })
        }
      }
      asides += await redis.zcard(line.keys.aside)
      if (one.kind === 'lose') losses++
    }
    const wrong = await line.wrongRanks()
    line.stop()
    if (wrong.length > 0) throw new Error(wrong.join('; '))
  })
  await t.resolves(fc.assert(property, { numRuns: 40 }))
  t.ok(asides > 0 && losses > 0, 'some were set aside, and lines were lost')
})

t.test('as long as nothing is lost an edge reads the line once, and knows of each change', async (t) => {
  const line = await lineOf(await brokerOf(t), 12)
  await line.follow()
  for (const account of line.people) await queue.join(line.sale.id, account)
  t.same(await line.wrongRanks(), [])
  await queue.leave(line.sale.id, at(line.people, 10))
  t.same(await line.wrongRanks(), [])
  await line.tick(graceMs + 1)
  t.not(await redis.zcard(line.keys.aside), 0)
  await queue.present(line.sale.id, line.people)
  t.same(await line.wrongRanks(), [])
  t.same(
    line.edges.map(({ readings }) => readings()),
    [1],
  )
  await line.follow()
  t.same(await line.wrongRanks(), [], 'also an edge that comes after some have come back')
  line.stop()
})

t.test('more moves than one update may carry are not told one by one: the line is read anew', async (t) => {
  const line = await lineOf(await brokerOf(t), 4300)
  await line.follow()
  await Promise.all(line.people.map((account) => queue.join(line.sale.id, account)))
  t.same(await line.wrongRanks(), [])
  const going = line.people.filter((_, index) => index > 10 && index < 4200)
  const states = (await queue.standing(line.sale.id, going)).places.map(({ state }) => state)
  const waiting = going.filter((_, index) => states[index] === 'waiting')
  await Promise.all(waiting.map((account) => queue.leave(line.sale.id, account)))
  t.ok((await redis.llen(line.keys.moves)) < 4000)
  t.same(await line.wrongRanks(), [])
  t.same(
    line.edges.map(({ readings }) => readings()),
    [2],
  )
  line.stop()
})
