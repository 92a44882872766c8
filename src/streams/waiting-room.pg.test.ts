import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { useHouse } from '../../test/support/house.ts'
import { makeSale } from '../../test/support/sales.ts'
import { at, makePeople, mustHold, openShop } from '../../test/support/shop.ts'
import { unhurriedSubscriber } from '../../test/support/unhurried.ts'
import { until } from '../../test/support/until.ts'
import { beat, sayGoodbye } from '../domain/processes/process-store.ts'
import type { QueueEvent } from '../domain/queue/queue-messages.ts'
import { saleChannels, saleKeys } from '../domain/sale-state/sale-keys.ts'
import { Broker } from './broker.ts'
import { epochChannel } from './house-channels.ts'
import { WaitingRoom } from './waiting-room.ts'

const house = await useHouse(t)
const { sql, queue, catalogue, redis, log } = house
t.beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
t.afterEach(() => mock.timers.reset())

const clock = new FakeClock()
/** Time in which everybody near the front is told. */
const round = () => {
  void clock.advance(2000)
  mock.timers.tick(2000)
}

const roomOf = async (t: Test, processId = 'prc_edge') => {
  const subscriber = unhurriedSubscriber({ url: house.server.url, name: 'test', log })
  await subscriber.connect()
  const broker = new Broker({ subscriber, log })
  const failing = { times: 0 }
  const room = new WaitingRoom({
    sql,
    queue,
    catalogue,
    broker,
    entering: house.entering,
    processId,
    clock,
    log,
    signToken: async ({ accountId, jti }) => {
      if (failing.times-- > 0) throw new Error('no key')
      return { token: `${accountId}/${jti}` }
    },
  })
  t.teardown(() => {
    room.stop()
    subscriber.disconnect()
  })
  await until(
    'it listens for epochs',
    async () => Number((await redis.pubsub('NUMSUB', epochChannel))[1]) > 0,
  )
  /** What an account is told, as type and the most telling figure. */
  const watch = async (saleId: string, accountId: string) => {
    const told: string[] = []
    const subscription = room.watch(saleId, accountId).subscribe((event) => told.push(brief(event)))
    await until('the sale is listened to', async () => {
      const [, count] = await redis.pubsub('NUMSUB', saleChannels.queue(saleId))
      return Number(count) > 0
    })
    const isTold = (want: string) =>
      until(`"${want}" is told after ${told.join(', ')}`, () => told.at(-1) === want)
    return { told, subscription, isTold }
  }
  return { room, watch, failing }
}
function brief(event: QueueEvent): string {
  if (event.type === 'position')
    return `${event.data.position} of ${event.data.ahead + event.data.behind + 1}`
  return event.type === 'admitted' ? `admitted ${event.data.purchaseToken}` : event.type
}
/** A sale in which one is let in each second, and its line. */
const lineOf = async (count: number) => {
  const sale = await makeSale(sql, { changes: { queue: { ratePerMinute: 60, maxActive: 50 } } })
  const { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, count)
  const sequences = []
  for (const account of people) sequences.push((await queue.join(sale.id, account)).sequence)
  const letOneIn = async () => {
    await house.passMs(sale.id, 1000)
    await gate.tick()
  }
  return { saleId: sale.id, gate, people, sequences, letOneIn, sale }
}

t.test('one who waits is told the place at once, and again only when it has changed', async (t) => {
  const { saleId, people, letOneIn } = await lineOf(3)
  const { watch } = await roomOf(t)
  const last = await watch(saleId, at(people, 2))
  await last.isTold('3 of 3')
  for (let times = 0; times < 3; times++) {
    round()
    await queue.standing(saleId, [])
  }
  t.same(last.told, ['3 of 3'])
  await letOneIn()
  round()
  await last.isTold('2 of 2')
  t.same(last.told, ['3 of 3', '2 of 2'])
})

t.test('whose turn it is gets the token at once, over each of his connections, once', async (t) => {
  const { saleId, people, sequences, letOneIn } = await lineOf(2)
  const { watch } = await roomOf(t)
  const account = at(people, 0)
  const [one, two] = [await watch(saleId, account), await watch(saleId, account)]
  await one.isTold('1 of 2')
  await two.isTold('1 of 2')
  await letOneIn()
  const admitted = `admitted ${account}/${at(sequences, 0).toString(36)}`
  await one.isTold(admitted)
  await two.isTold(admitted)
  for (let times = 0; times < 3; times++) {
    round()
    await queue.standing(saleId, [])
  }
  t.equal(one.told.filter((event) => event === admitted).length, 1)
  t.equal(two.told.filter((event) => event === admitted).length, 1)
  const late = await watch(saleId, account)
  await late.isTold(admitted)
})

t.test('a token that could not be signed is told with the next round', async (t) => {
  const { saleId, people, letOneIn } = await lineOf(1)
  const { watch, failing } = await roomOf(t)
  const one = await watch(saleId, at(people, 0))
  await one.isTold('1 of 1')
  failing.times = 1
  await letOneIn()
  await until('it was tried', () => failing.times === 0)
  await until('it is told', () => {
    round()
    return one.told.at(-1)?.startsWith('admitted') === true
  })
  t.equal(one.told.length, 2)
})

t.test('an admission whose message was lost is found by the next round', async (t) => {
  const { saleId, people, letOneIn } = await lineOf(1)
  const { watch } = await roomOf(t)
  const one = await watch(saleId, at(people, 0))
  await one.isTold('1 of 1')
  await redis.client('KILL', 'TYPE', 'pubsub')
  await letOneIn()
  await until('it is told', () => {
    round()
    return one.told.at(-1)?.startsWith('admitted') === true
  })
  t.equal(one.told.filter((event) => event.startsWith('admitted')).length, 1)
})

t.test('one who has no place is told so, and told when there is one', async (t) => {
  const { saleId } = await lineOf(0)
  const account = at(await makePeople(sql, 1), 0)
  const { watch } = await roomOf(t)
  const one = await watch(saleId, account)
  await one.isTold('absent')
  await queue.join(saleId, account)
  round()
  await one.isTold('1 of 1')
  await queue.leave(saleId, account)
  round()
  await one.isTold('absent')
  t.same(one.told, ['absent', '1 of 1', 'absent'])
})

t.test('the end of a token is told as what it was', async (t) => {
  const { sale, gate, buyers } = await openShop(house, {
    buyers: 2,
    queue: { maxPerAccount: 1, tokenTtlSeconds: 60 },
  })
  const { watch } = await roomOf(t)
  const [a, b] = [at(buyers, 0), at(buyers, 1)]
  const [one, two] = [await watch(sale.id, a.accountId), await watch(sale.id, b.accountId)]
  await until('both have their tokens', () => one.told.length === 1 && two.told.length === 1)
  const hold = await mustHold(house, { saleId: sale.id, buyer: a, wants: [{ unitNo: 0, quantity: 1 }] })
  await house.holds.pin(sale.id, { holdId: hold.id, accountId: a.accountId, orderId: 'ord_a' })
  const sold = { order: 'ord_a', hold: hold.id, account: a.accountId, status: 'booked' as const }
  await house.holds.apply(sale.id, [{ ...sold, places: [[0, 1, 1]] }])
  await one.isTold('fulfilled')
  await house.passMs(sale.id, 60_000)
  await gate.tick()
  await two.isTold('expired')
  round()
  await queue.standing(sale.id, [])
  t.same(one.told.slice(1), ['fulfilled'], 'and not as absent besides')
  t.same(two.told.slice(1), ['expired'])
})

t.test('a sale that pauses, goes on and closes tells those who wait, and those who come', async (t) => {
  const { saleId, people, gate } = await lineOf(3)
  const { watch } = await roomOf(t)
  const one = await watch(saleId, at(people, 0))
  await one.isTold('1 of 3')
  const set = async (status: string) => {
    await sql`update sales set status = ${status}, version = version + 1 where id = ${saleId}`
    catalogue.forget(saleId)
    await gate.tick()
  }
  await set('paused')
  await one.isTold('paused')
  const late = await watch(saleId, at(people, 1))
  await late.isTold('2 of 3')
  t.same(late.told, ['paused', '2 of 3'])
  await set('open')
  await one.isTold('resumed')
  await set('closed')
  await until('it is told', () => one.told.includes('closed'))
  t.equal(one.told.filter((event) => event === 'paused').length, 1)
  const tooLate = await watch(saleId, at(people, 2))
  await tooLate.isTold('closed')
  round()
  t.same(tooLate.told, ['closed'], 'also who comes when it is over, once')
})

t.test(
  'after the loss of the line an edge puts back whom it knew, in the old order, and says that it is done',
  async (t) => {
    const { saleId, people, sequences } = await lineOf(5)
    const { room, watch } = await roomOf(t, 'prc_room')
    t.teardown(() => sayGoodbye(sql, 'prc_room'))
    await beat(sql, { id: 'prc_room', roles: ['edge'] })
    // It lives for as long as the test takes.
    await sql`update processes set started_at = now() - interval '1 minute', seen_at = now() + interval '1 hour'`
    // One listens, the others joined through this edge and went silent; the last did neither.
    const one = await watch(saleId, at(people, 3))
    await one.isTold('4 of 5')
    for (const index of [2, 0, 1])
      room.remember(saleId, { accountId: at(people, index), sequence: at(sequences, index) })
    await redis.flushall()
    const announceEpoch = (sale: string, epoch: number) =>
      void redis.publish(epochChannel, JSON.stringify({ sale, epoch }))
    const { gate } = await house.gate(saleId, { restoreMs: 15_000, announceEpoch })
    await until(
      'it has answered',
      async () => (await redis.sismember(saleKeys(saleId).restored, 'prc_room')) === 1,
    )
    t.same(await redis.zrange(saleKeys(saleId).queue, 0, -1), people.slice(0, 4))
    await gate.tick()
    await house.passMs(saleId, 1000)
    t.equal((await gate.tick())?.told, 1, 'and the gate need not wait any longer')
    round()
    await one.isTold('3 of 3')
    t.notOk(one.told.includes('absent'), 'nobody was told anything wrong meanwhile')
  },
)

t.test('an edge does not put back who left or was let in meanwhile', async (t) => {
  const { saleId, people, sequences, letOneIn } = await lineOf(3)
  const { room } = await roomOf(t)
  people.forEach((accountId, index) => room.remember(saleId, { accountId, sequence: at(sequences, index) }))
  await letOneIn()
  await sql`
    insert into queue_leaves (sale_id, sequence, account_id) values (${saleId}, ${at(sequences, 1)}, ${at(people, 1)})`
  await sql`update admissions set closed_at = now(), closed_as = 'ended' where sale_id = ${saleId}`
  await redis.flushall()
  const announceEpoch = (sale: string, epoch: number) =>
    void redis.publish(epochChannel, JSON.stringify({ sale, epoch }))
  await house.gate(saleId, { restoreMs: 15_000, announceEpoch })
  await until('it has answered', async () => (await redis.scard(saleKeys(saleId).restored)) === 1)
  t.same(await redis.zrange(saleKeys(saleId).queue, 0, -1), people.slice(2))
})

t.test(
  'an edge that missed the notice of the epoch puts its people back when it finds them missing',
  async (t) => {
    const { saleId, people } = await lineOf(2)
    const { watch } = await roomOf(t)
    const one = await watch(saleId, at(people, 1))
    await one.isTold('2 of 2')
    await redis.flushall()
    await house.gate(saleId, { restoreMs: 15_000 })
    await until('it has its place again', async () => {
      round()
      return (await redis.zscore(saleKeys(saleId).queue, at(people, 1))) !== null
    })
    await until('it is told', () => {
      round()
      return one.told.at(-1) === '1 of 1'
    })
    t.notOk(one.told.includes('absent'))
  },
)

t.test('an edge without anybody of the sale answers a new epoch too', async (t) => {
  const { saleId } = await lineOf(0)
  await roomOf(t, 'prc_empty')
  await redis.publish(epochChannel, JSON.stringify({ sale: saleId, epoch: house.state.epoch(saleId) }))
  await until(
    'it has answered',
    async () => (await redis.sismember(saleKeys(saleId).restored, 'prc_empty')) === 1,
  )
  t.pass('so that nobody waits for it')
})

t.test('a notice that is repeated while it is answered begins nothing anew', async (t) => {
  const { saleId, people, sequences } = await lineOf(3)
  const { room } = await roomOf(t, 'prc_slow')
  people.forEach((accountId, index) => room.remember(saleId, { accountId, sequence: at(sequences, index) }))
  await redis.flushall()
  await house.gate(saleId, { restoreMs: 15_000 })
  const restore = queue.restore.bind(queue)
  const calls = t.capture(queue, 'restore', restore)
  const notice = JSON.stringify({ sale: saleId, epoch: house.state.epoch(saleId) })
  await Promise.all(Array.from({ length: 20 }, () => redis.publish(epochChannel, notice)))
  await until(
    'it has answered',
    async () => (await redis.sismember(saleKeys(saleId).restored, 'prc_slow')) === 1,
  )
  t.equal(calls().filter(({ args: [, waiters] }) => waiters.length > 0).length, 1)
  t.same(await redis.zrange(saleKeys(saleId).queue, 0, -1), people)
})

t.test('of a sale that is over nothing is kept', async (t) => {
  const { saleId, people, sequences, gate } = await lineOf(1)
  const { room } = await roomOf(t)
  room.remember(saleId, { accountId: at(people, 0), sequence: at(sequences, 0) })
  const listeners = async () => Number((await redis.pubsub('NUMSUB', saleChannels.queue(saleId)))[1])
  await until('the sale is listened to', async () => (await listeners()) === 1)
  await sql`update sales set status = 'closed', version = version + 1 where id = ${saleId}`
  catalogue.forget(saleId)
  await gate.tick()
  await until('it is not any more', async () => (await listeners()) === 0)

  const other = await lineOf(1)
  room.remember(other.saleId, { accountId: at(other.people, 0), sequence: at(other.sequences, 0) })
  const channel = saleChannels.queue(other.saleId)
  await until('it is listened to', async () => Number((await redis.pubsub('NUMSUB', channel))[1]) === 1)
  await sql`update sales set status = 'closed', version = version + 1 where id = ${other.saleId}`
  catalogue.forget(other.saleId)
  // Nobody says so.
  await until('that is found out', async () => {
    mock.timers.tick(5000)
    return Number((await redis.pubsub('NUMSUB', channel))[1]) === 0
  })
})

t.test('who goes away is told nothing more and costs nothing', async (t) => {
  const { saleId, people } = await lineOf(1)
  const { room, watch } = await roomOf(t)
  const stranger = at(await makePeople(sql, 1), 0)
  const one = await watch(saleId, stranger)
  await one.isTold('absent')
  t.equal(room.listening, 1)
  one.subscription.unsubscribe()
  t.equal(room.listening, 0)
  await until(
    'the channel is left',
    async () => Number((await redis.pubsub('NUMSUB', saleChannels.queue(saleId)))[1]) === 0,
  )
  const two = await watch(saleId, at(people, 0))
  await two.isTold('1 of 1')
})

t.test('who listens is first again at once when the gate had not heard that they are there', async (t) => {
  const queueOf = { ratePerMinute: 60, maxActive: 50, graceSeconds: 90 }
  const sale = await makeSale(sql, { changes: { queue: queueOf } })
  const { gate } = await house.gate(sale.id)
  const people = await makePeople(sql, 3)
  for (const account of people) await queue.join(sale.id, account)
  const edges = [await roomOf(t, 'prc_one'), await roomOf(t, 'prc_two')]
  const [first, second] = [
    await at(edges, 0).watch(sale.id, at(people, 0)),
    await at(edges, 1).watch(sale.id, at(people, 1)),
  ]
  await first.isTold('1 of 3')
  await second.isTold('2 of 3')
  await house.passAtWorkMs(sale.id, 91_000)
  t.equal((await gate.tick())?.setAside, 3)
  const places = async () => (await queue.standing(sale.id, people)).places
  await until('those who listen are back', async () => {
    const states = (await places()).map(({ state }) => state)
    return states.join(' ') === 'waiting waiting aside'
  })
  t.match((await places()).slice(0, 2), [{ ahead: 0 }, { ahead: 1 }], 'in their order')
  await house.passMs(sale.id, 1000)
  t.equal((await gate.tick())?.told, 1)
  await until('it is told', () => first.told.at(-1)?.startsWith('admitted') === true)
  round()
  await second.isTold('1 of 1')
  t.notOk([...first.told, ...second.told].some((event) => event === 'aside' || event === 'absent'))
})
