import t from 'tap'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import { ChatMember } from '../support/chat-member.ts'
import { api } from '../support/contract.ts'
import { useCuttableProxy } from '../support/cuttable-proxy.ts'
import { useFleet, type Fleet } from '../support/fleet.ts'
import { registerStore } from '../support/new-store.ts'
import type { Server } from '../support/server-process.ts'
import type { Scope } from '../support/stores.ts'
import { until } from '../support/until.ts'

/** Members of a room, at one server after the other. */
async function gather(
  t: Scope,
  { store, count, servers }: { store: string; count: number; servers: readonly Server[] },
): Promise<ChatMember[]> {
  const guests = (await servers[0]?.guests(count)) ?? []
  const members = guests.map(({ token }, index) => {
    const { url } = servers[index % servers.length] as Server
    return new ChatMember({ url, store, token })
  })
  t.teardown(() => members.forEach((member) => member.stop()))
  await until('all have joined', () => members.every(({ position }) => position !== ''))
  return members
}

const written = async ({ sql }: Fleet, store: string) => {
  const rows = await sql<{ seq: number; id: string }[]>`
    select seq::int, id from chat_entries where store_id = ${store} order by seq`
  return rows.map(({ seq, id }) => `${seq} ${id}`)
}
const heardBy = ({ entries }: ChatMember) => entries.map(({ seq, id }) => `${seq} ${id}`)
const allHear = (members: readonly ChatMember[], want: readonly string[]) =>
  until(`everybody has ${want.length} entries`, () =>
    members.every((member) => heardBy(member).join() === want.join()),
  )
/** A server whose statements wait for a lock for as long as a machine that is busy takes. */
const patientServer = (fleet: Fleet): Promise<Server> =>
  fleet.start({ DATABASE_URL: `${fleet.postgresUrl}?lock_timeout=60000&statement_timeout=60000` })
/** Resolves when a statement waits for a lock of this kind, and not for a row as writers of sales do. */
const someWait = ({ sql }: Fleet, kind: 'relation' | 'advisory') =>
  until('it waits for a lock', async () => {
    const rows = await sql`
      select 1 from pg_stat_activity
      where wait_event_type = 'Lock' and wait_event = ${kind} and application_name like 'openrun %'`
    return rows.length > 0
  })

t.test(
  'a server is killed before the commit: what was said was not, and said again it stands once',
  async (t) => {
    const fleet = await useFleet(t)
    const servers = [await patientServer(fleet), await patientServer(fleet)] as const
    const store = await registerStore(servers[0])
    const members = await gather(t, { store, count: 2, servers })
    const [one, two] = members
    if (!one || !two) throw new Error('no members')
    const blocked = await fleet.sql.reserve()
    await blocked`begin`
    // However long the machine takes.
    await blocked`set local idle_in_transaction_session_timeout = 0`
    await blocked`lock table chat_entries in exclusive mode`
    one.talk('one', 'Hello')
    await someWait(fleet, 'relation')
    await servers[0].process.kill()
    await blocked`commit`
    blocked.release()
    t.same([...one.written], [])
    one.moveTo(servers[1].url)
    await one.answered()
    await allHear(members, ['1 one'])
    t.same(await written(fleet, store), ['1 one'])
  },
)

t.test('a server is killed after the commit and before its answer: said again it stands once', async (t) => {
  const fleet = await useFleet(t)
  const servers = [await patientServer(fleet), await patientServer(fleet)] as const
  const store = await registerStore(servers[0])
  const members = await gather(t, { store, count: 2, servers })
  const [one, two] = members
  if (!one || !two) throw new Error('no members')
  // The commit waits for a lock of ours, and the server is put to sleep meanwhile.
  await fleet.sql`
    create function wait_for_test() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(1); return null; end $$`
  await fleet.sql`
    create constraint trigger waits after insert on chat_entries deferrable initially deferred
    for each row execute function wait_for_test()`
  const blocked = await fleet.sql.reserve()
  await blocked`select pg_advisory_lock(1)`
  one.talk('one', 'Hello')
  await someWait(fleet, 'advisory')
  servers[0].process.signal('SIGSTOP')
  await blocked`select pg_advisory_unlock(1)`
  blocked.release()
  await until('it is on disk', async () => (await written(fleet, store)).length === 1)
  await until('the other one hears of it, though nobody told', () => heardBy(two).length === 1)
  t.same([...one.written], [])
  await servers[0].process.kill()
  one.moveTo(servers[1].url)
  await one.answered()
  t.same([...one.written], ['one'])
  await allHear(members, ['1 one'])
  t.same(await written(fleet, store), ['1 one'])
})

t.test(
  'after any cut of Redis or of members everybody has the entries of PostgreSQL, in their order',
  async (t) => {
    const fleet = await useFleet(t)
    const proxies = [
      await useCuttableProxy(t, fleet.redisServer.url),
      await useCuttableProxy(t, fleet.redisServer.url),
    ]
    const servers = await Promise.all(proxies.map(({ url }) => fleet.start({ REDIS_URL: url })))
    const [first, second] = servers
    if (!first || !second) throw new Error('no servers')
    const store = await registerStore(first)
    const members = await gather(t, { store, count: 12, servers })
    const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)
    t.comment(`seed ${seed}`)
    const random = seededRandom(seed, 0)
    const below = (count: number): number => Math.floor(random() * count)
    const notices: Promise<unknown>[] = []
    for (let step = 0; step < 250; step++) {
      const dice = random()
      const server = servers[below(2)] ?? first
      if (dice < 0.2) {
        // Within the pace of each.
        if (step < 60 * 4) members[below(12)]?.talk(`talk-${step}`, `Talk ${step}`)
      } else if (dice < 0.6) {
        const body = { text: `Notice ${step}`, notice: true }
        notices.push(
          server.call('POST', `${api}/stores/${store}/messages`, { token: first.organiserKey, body }),
        )
        if (dice < 0.5) await notices.at(-1)
      } else if (dice < 0.7) members[below(12)]?.cut()
      else if (dice < 0.8) proxies[below(2)]?.cut()
      else if (dice < 0.95) proxies[below(2)]?.open()
      else if (dice < 0.98) await fleet.redis.client('KILL', 'TYPE', 'pubsub')
      else await fleet.redis.flushall()
    }
    for (const proxy of proxies) proxy.open()
    await Promise.all([...notices, ...members.map((member) => member.answered())])
    const all = await written(fleet, store)
    t.same(
      all.map((line) => Number.parseInt(line, 10)),
      all.map((_, index) => index + 1),
      'no number is missing',
    )
    await allHear(members, all)
    const said = members.flatMap((member) => [...member.written])
    t.same(all.filter((line) => line.includes('talk-')).length, said.length, 'what was answered stands, once')
    t.same(
      members.flatMap(({ refused }) => refused),
      [],
    )
    t.same(
      members.reduce((sum, { gaps }) => sum + gaps, 0),
      0,
    )
  },
)
