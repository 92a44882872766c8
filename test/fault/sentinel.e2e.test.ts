import t, { type Test } from 'tap'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { unitsOf, type Buyer } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, textAt } from '../support/contract.ts'
import { admissionsOf, mostOpen, useServers } from '../support/fleet.ts'
import type { RedisProcess } from '../support/redis-process.ts'
import { RedisSentinels } from '../support/redis-sentinels.ts'
import { at } from '../support/shop.ts'
import { redisBinary, usePostgres } from '../support/stores.ts'
import { bookInTurn, come, type Waiter } from '../support/waiters.ts'

const ten = '2027-03-01T10:00'
const inside = 6
const places = 30

/** Two servers on a master with a replica; a sale of ten slots with three places each. */
async function useSale(t: Test) {
  const redis = await RedisSentinels.start({ binary: await redisBinary() })
  t.teardown(() => redis.end())
  const fleet = await useServers(t, { ...(await usePostgres(t)), settings: redis.settings })
  const servers = await Promise.all([fleet.start(), fleet.start()])
  const queue = { maxActive: inside, ratePerMinute: 60_000, maxPerAccount: 1 }
  const saleId = await servers[0].sale({ ...freeSlots(10, places / 10), queue })
  return { redis, sql: fleet.sql, servers, saleId }
}

const bookTen = (waiter: Waiter, saleId: string): Promise<number> => bookInTurn(waiter, saleId, unitsOf(ten))

/** What a server of Redis has of what was said while the replica heard nothing. */
async function knownTo({ commands }: RedisProcess, saleId: string, said: { came: Buyer; left: Buyer }) {
  const { queue, holds } = saleKeys(saleId)
  return {
    came: (await commands.zscore(queue, said.came.id)) !== null,
    left: (await commands.zscore(queue, said.left.id)) === null,
    holds: await commands.hlen(holds),
  }
}

t.test('a fail-over to a replica that missed what was said costs nobody a place', async (t) => {
  const { redis, sql, servers, saleId } = await useSale(t)
  const before = await come(saleId, 20, servers)
  const [one, two, three, four, five] = before as [Waiter, Waiter, Waiter, Waiter, Waiter]
  t.equal(await bookTen(one, saleId), 201)

  await redis.lag()
  const unheard = await come(saleId, 10, servers)
  t.equal(await bookTen(two, saleId), 201)
  const held = await three.buyer.hold(saleId, await three.token(), unitsOf(ten))
  t.equal(held.status, 201)
  const { buyer: left } = at(before, 19)
  t.equal((await left.call('DELETE', `${api}/sales/${saleId}/queue/me`)).status, 204)
  const said = { came: at(unheard, 9).buyer, left }
  t.same(await knownTo(redis.master, saleId, said), { came: true, left: true, holds: 1 })
  const missed = await knownTo(redis.replica, saleId, said)
  t.same(missed, { came: false, left: false, holds: 0 }, 'the replica knows nothing of it')
  const lives = [await lifeOf(redis.master)]

  await redis.failOver()
  lives.push(await lifeOf(redis.master))
  t.equal(await bookTen(four, saleId), 201, 'a token stays valid')
  t.equal(await bookTen(five, saleId), 409, 'no place is sold twice')
  t.equal((await three.buyer.order(textAt(held.body, 'hold.id'))).status, 409, 'a hold without order ends')
  const others = [...before, ...unheard].filter(
    ({ buyer }) => ![one, two, four].some((w) => w.buyer === buyer),
  )
  const stayed = others.filter(({ buyer }) => buyer !== left)
  const statuses = await Promise.all(stayed.map((waiter) => bookInTurn(waiter, saleId)))
  t.same(new Set(statuses), new Set([201]), 'everybody else gets a place')

  const rows = await admissionsOf(sql, saleId)
  const everybody = [...before, ...unheard].map(({ buyer }) => buyer.id).filter((id) => id !== left.id)
  const accounts = rows.map(({ account }) => account)
  t.same(accounts, everybody, 'everybody is let in once, in the order of joining')
  t.ok(mostOpen(rows) <= inside, 'the gate holds')
  const booked = await sql`
    select distinct unit_no, ordinal from bookings where sale_id = ${saleId} and status = 'booked'`
  t.equal(booked.length, everybody.length)
  const state = await redis.master.commands.hmget(saleKeys(saleId).state, 'epoch', 'run_id', 'free')
  const [writer] = await sql`select epoch::text as epoch from sale_writers where sale_id = ${saleId}`
  t.match(state, [writer?.['epoch'], new RegExp(`^${lives[1]}`), String(places - everybody.length)])
  t.ok(Number(state[0]) > 1, 'it was rebuilt')
  t.not(lives[0], lives[1])
})

async function lifeOf({ commands }: RedisProcess): Promise<string> {
  return /^run_id:(\w+)/m.exec(await commands.info('server'))?.[1] ?? ''
}
