import t, { type Test } from 'tap'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { freeSlots, type Calls } from '../support/calls.ts'
import { ChatMember } from '../support/chat-member.ts'
import { api } from '../support/contract.ts'
import { admissionsOf, mostOpen, useServers } from '../support/fleet.ts'
import { SocketViewer } from '../support/map-viewer.ts'
import { registerStore } from '../support/new-store.ts'
import { RedisCluster } from '../support/redis-cluster.ts'
import type { Server } from '../support/server-process.ts'
import { at } from '../support/shop.ts'
import { redisBinary, usePostgres } from '../support/stores.ts'
import { until } from '../support/until.ts'
import { bookInTurn, come, type Waiter } from '../support/waiters.ts'
import { begins, ends } from './told-conditions.ts'

const inside = 4
const places = 30
const redis = await RedisCluster.start({ binary: await redisBinary(), replicas: true })
t.teardown(() => redis.end())
const { sql, ...fleet } = await useServers(t, { ...(await usePostgres(t)), settings: redis.settings })
// Where they are too young to vouch for a line that is lost, it is waited for so long.
const env = { OPENRUN_RESTORE_SECONDS: '10', OPENRUN_LOG_LEVEL: 'info' }
const [one, two] = await Promise.all([fleet.start(env), fleet.start(env)])
const servers: readonly Server[] = [one, two]

const stateOf = (saleId: string): string => saleKeys(saleId).state
const join = async (server: Calls, saleId: string): Promise<number> =>
  (await (await server.guest()).call('POST', `${api}/sales/${saleId}/queue`, { body: {} })).status

/** Two sales whose state lies at different nodes. */
async function twoSales(): Promise<[string, string]> {
  const queue = { maxActive: inside, ratePerMinute: 60_000, maxPerAccount: 1 }
  const make = () => one.sale({ ...freeSlots(10, places / 10), queue })
  const first = await make()
  for (;;) {
    const second = await make()
    if ((await redis.nodeOf(stateOf(first))) !== (await redis.nodeOf(stateOf(second)))) return [first, second]
  }
}

const bookAll = (saleId: string, waiters: readonly Waiter[]): Promise<number[]> =>
  Promise.all(waiters.map((waiter) => bookInTurn(waiter, saleId)))

/** That all who came were let in once, in their order and within the gate, and have what they booked. */
async function mustHaveServed(t: Test, saleId: string, waiters: readonly Waiter[]): Promise<void> {
  const rows = await admissionsOf(sql, saleId)
  t.same(
    rows.map(({ account }) => account),
    waiters.map(({ buyer }) => buyer.id),
  )
  t.ok(mostOpen(rows) <= inside, 'the gate holds')
  const booked = await sql`
    select distinct unit_no, ordinal from bookings where sale_id = ${saleId} and status = 'booked'`
  t.equal(booked.length, waiters.length)
  const { commands } = await redis.nodeOf(stateOf(saleId))
  const free = async () => Number(await commands.hget(stateOf(saleId), 'free')) === places - waiters.length
  await until('Redis knows what is free', free)
}

const epochOf = async (saleId: string): Promise<unknown> =>
  (await sql`select epoch::int as epoch from sale_writers where sale_id = ${saleId}`)[0]?.['epoch']

t.test('sales at several nodes, their maps and a room are served by two processes', async (t) => {
  const sales = await twoSales()
  const waiters = await Promise.all(sales.map((saleId) => come(saleId, 8, servers)))
  const viewers = sales.flatMap((sale) =>
    servers.map(({ url }) => new SocketViewer(url, { sale, seatCount: 0 })),
  )
  const store = await registerStore(one)
  const guests = await one.guests(2)
  const members = guests.map(
    ({ token }, index) => new ChatMember({ url: at(servers, index).url, store, token }),
  )
  t.teardown(() => [...viewers, ...members].forEach((live) => live.stop()))
  await until('all have joined', () => [...viewers, ...members].every(({ position }) => position !== ''))
  await Promise.all(sales.map((saleId, index) => bookAll(saleId, at(waiters, index))))
  for (const [index, saleId] of sales.entries()) await mustHaveServed(t, saleId, at(waiters, index))
  const seen = ({ pools }: SocketViewer) => Object.values(pools).reduce((sum, left) => sum + left, 0)
  await until('all see what is left', () => viewers.every((viewer) => seen(viewer) === places - 8))
  members.forEach((member, index) => member.talk(`talk-${index}`, 'Hello'))
  await Promise.all(members.map((member) => member.answered()))
  await until('both hear both', () => members.every(({ entries }) => entries.length === 2))
  t.same(await Promise.all(sales.map(epochOf)), [1, 1])
})

t.test('the slot of a sale is moved while people buy: nothing is lost, nothing is sold twice', async (t) => {
  const [moved, other] = await twoSales()
  const before = await come(moved, 12, servers)
  const booking = bookAll(moved, before.slice(0, 6))
  const from = await redis.nodeOf(stateOf(moved))
  const to = await redis.moveSlot(stateOf(moved), {
    between: async () => {
      t.equal(await join(one, moved), 503, 'a state that is here in part only is not used')
      t.equal(await join(two, other), 201, 'the other sale goes on')
    },
  })
  t.not(to, from)
  const after = await come(moved, 12, servers)
  t.same(new Set(await booking), new Set([201]))
  t.same(new Set(await bookAll(moved, [...before.slice(6), ...after])), new Set([201]))
  await mustHaveServed(t, moved, [...before, ...after])
  t.same(await Promise.all([moved, other].map(epochOf)), [2, 1], 'a new life began, of this sale only')
})

t.test('a replica that missed what was said takes the place of its node: nobody loses a place', async (t) => {
  const [saleId, other] = await twoSales()
  const before = await come(saleId, 8, servers)
  t.equal(await bookInTurn(at(before, 0), saleId), 201)
  const { commands: replica } = await redis.lag(stateOf(saleId))
  const unheard = await come(saleId, 6, servers)
  t.equal(await bookInTurn(at(before, 1), saleId), 201)
  await replica.readonly()
  t.ok(await replica.exists(stateOf(saleId)))
  t.equal(await replica.zscore(saleKeys(saleId).queue, at(unheard, 5).buyer.id), null)
  await redis.failOver(stateOf(saleId))
  const others = [...before.slice(2), ...unheard]
  t.same(new Set(await bookAll(saleId, others)), new Set([201]))
  await mustHaveServed(t, saleId, [...before, ...unheard])
  t.same(await Promise.all([saleId, other].map(epochOf)), [2, 1])
})

t.test('a node is killed and comes back: its sale waits, the other goes on', async (t) => {
  const [waits, other] = await twoSales()
  const before = await come(waits, 12, servers)
  t.equal(await bookInTurn(at(before, 0), waits), 201)
  const node = await redis.nodeOf(stateOf(waits))
  // What was before.
  for (const server of servers) await ends(t, server, 'redis-node-away')
  await (await redis.replicaOf(stateOf(waits)))?.kill()
  await node.kill()
  const meanwhile = await come(other, 8, servers)
  t.same(new Set(await bookAll(other, meanwhile)), new Set([201]))
  for (const server of servers) {
    t.equal(await join(server, waits), 503)
    t.equal((await server.callFreely('GET', '/readyz')).status, 200, 'it is ready for the others')
    await begins(t, server, 'redis-node-away')
  }
  await node.restart()
  t.same(new Set(await bookAll(waits, before.slice(1))), new Set([201]))
  for (const server of servers) await ends(t, server, 'redis-node-away')
  await mustHaveServed(t, waits, before)
  await mustHaveServed(t, other, meanwhile)
  t.same(await Promise.all([waits, other].map(epochOf)), [2, 1])
})
