import { pino } from 'pino'
import t from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { systemClock } from '../../clock.ts'
import { randomIds } from '../../ids.ts'
import { AccessTokens } from './access-token.ts'
import { AccountStore } from './account-store.ts'
import { Authenticator } from './authenticator.ts'
import { PostgresIdempotencyStore } from './idempotency-store.ts'
import { addOrganiserKey, ensureFirstOrganiser, OrganiserKeys } from './organiser-key.ts'
import { PostgresSigningKeyStore } from './signing-key-store.ts'
import { keyAwaitedMs } from './signing-key.ts'
import { SigningKeys } from './signing-keys.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 8, name: 'accounts-test' })
t.teardown(() => sql.end())

const log = pino({ level: 'silent' })
const issuer = 'https://openrun.test'

t.test('a crowd of guests is written in few statements, and a repeated guest is one', async (t) => {
  const store = new AccountStore(sql)
  const ids = Array.from({ length: 1000 }, () => randomIds.next('usr'))
  const made = await Promise.all([...ids, ...ids.slice(0, 10)].map((id) => store.createGuest(id)))
  t.same(made[0], { id: ids[0], kind: 'guest' })
  const [row] = await sql<{ accounts: number; transactions: number }[]>`
    select count(*)::int as accounts, count(distinct xmin::text)::int as transactions from accounts`
  t.equal(row?.accounts, 1000)
  t.ok((row?.transactions ?? 1000) <= 3)
  t.same(await store.find(ids[5]!), { id: ids[5], kind: 'guest' })
  t.equal(await store.find('usr_nobody'), undefined)
})

t.test('a crowd larger than the queue is told so, and those inside it are written', async (t) => {
  const store = new AccountStore(sql, { batchMax: 10, queueMax: 20 })
  const results = await Promise.allSettled(
    Array.from({ length: 30 }, () => store.createGuest(randomIds.next('usr'))),
  )
  const refused = results.filter((result) => result.status === 'rejected')
  t.equal(refused.length, 10)
  t.ok(refused.every((result) => (result.reason as { code?: string }).code === 'unavailable'))
})

t.test('processes that start together make one key a purpose, which a restart finds again', async (t) => {
  const clock = new FakeClock(Date.now())
  const start = async () => {
    const keys = new SigningKeys({ store: new PostgresSigningKeyStore(sql), clock, ids: randomIds, log })
    await keys.run()
    t.teardown(() => keys.stop())
    return { keys, access: new AccessTokens({ keys, clock, issuer }) }
  }
  // With all connections open the three really meet.
  await Promise.all(Array.from({ length: 8 }, () => sql`select pg_sleep(0.01)`))
  const [first, second] = await Promise.all([start(), start(), start()])
  t.equal((await sql`select kid from signing_keys`).length, 4)
  const { token } = await first.access.issue({ accountId: 'usr_1', accountKind: 'guest' })
  await t.resolves(second.access.verify(token))

  await Promise.all([first.keys.rotateOld(0), second.keys.rotateOld(0)])
  const stored = await new PostgresSigningKeyStore(sql).load()
  const ended = stored.filter((key) => key.verifiesUntilMs !== undefined)
  t.same(ended.map((key) => key.purpose).toSorted(), ['access', 'purchase', 'queue'])
  await clock.advance(keyAwaitedMs)
  const restarted = await start()
  await t.resolves(restarted.access.verify(token))
  t.not(restarted.keys.signer('access').kid, ended.find((key) => key.purpose === 'access')?.kid)
})

t.test(
  'the first organiser is made once, however many processes ask, and only the maker has the key',
  async (t) => {
    const made = await Promise.all([1, 2, 3, 4].map(() => ensureFirstOrganiser(sql, randomIds)))
    const keys = made.flatMap((answer) => answer ?? [])
    t.equal(keys.length, 1)
    t.equal((await sql`select id from organisers`).length, 1)
    const stored = JSON.stringify(await sql`select hash, organiser_id from organiser_keys`)
    t.notOk(stored.includes(keys[0]!.key.slice(7)), 'the key itself is not stored')
  },
)

t.test('an organiser key is known by its digest, and a revoked one is forgotten in seconds', async (t) => {
  const clock = new FakeClock()
  const keys = new OrganiserKeys(sql, clock)
  await sql`insert into organisers (id, name) values ('org_test', 'Test')`
  const key = await addOrganiserKey(sql, 'org_test')
  t.equal(await keys.verify(key), 'org_test')
  t.equal(await keys.verify(`${key.slice(0, -4)}AAAA`), undefined)
  t.equal(await keys.verify('orgkey_'), undefined)
  t.equal(await keys.verify(key.toUpperCase()), undefined)
  await sql`update organiser_keys set revoked_at = now() where organiser_id = 'org_test'`
  await clock.advance(10_000)
  t.equal(await keys.verify(key), undefined)
})

t.test('the authenticator knows accounts by their token and organisers by their key', async (t) => {
  const keys = new SigningKeys({
    store: new PostgresSigningKeyStore(sql),
    clock: systemClock,
    ids: randomIds,
    log,
  })
  await keys.run()
  t.teardown(() => keys.stop())
  const accessTokens = new AccessTokens({ keys, clock: systemClock, issuer })
  const authenticator = new Authenticator({
    accessTokens,
    organiserKeys: new OrganiserKeys(sql, systemClock),
  })
  const { token } = await accessTokens.issue({ accountId: 'usr_1', accountKind: 'guest' })
  const account = { kind: 'account', accountId: 'usr_1', accountKind: 'guest' }
  t.same(await authenticator.authenticate(token), account)
  t.same(authenticator.authenticate(token), account, 'a second time without waiting')
  await sql`insert into organisers (id, name) values ('org_auth', 'Test')`
  const key = await addOrganiserKey(sql, 'org_auth')
  t.same(await authenticator.authenticate(key), { kind: 'organiser', organiserId: 'org_auth' })
  for (const bearer of ['', 'x', `${token}x`, 'orgkey_x', `orgkey_${'a'.repeat(43)}`]) {
    await t.rejects(Promise.resolve(authenticator.authenticate(bearer)), { code: 'unauthenticated' }, bearer)
  }
})

const request = (key: string, fingerprint = 'f') => ({
  callerId: 'usr_1',
  route: 'POST /x',
  key,
  fingerprint,
})

t.test('a repeated request gets the stored answer; another body does not', async (t) => {
  const store = new PostgresIdempotencyStore(sql)
  t.same(await store.begin(request('a')), { state: 'new' })
  // It runs for as long as the test takes.
  await sql`update idempotency_keys set started_at = now() + interval '1 hour' where key = 'a'`
  t.same(await store.begin(request('a')), { state: 'running' })
  t.same(await store.begin(request('a', 'other')), { state: 'mismatch' })
  await store.finish(request('a'), { status: 201, body: { made: [1, 'é'] } })
  t.same(await store.begin(request('a')), { state: 'done', status: 201, body: { made: [1, 'é'] } })
  t.same(await store.begin(request('a', 'other')), { state: 'mismatch' })
  t.same(await store.begin({ ...request('a'), callerId: 'usr_2' }), { state: 'new' }, 'keys are per caller')
  t.same(await store.begin({ ...request('a'), route: 'POST /y' }), { state: 'new' }, 'and per route')
  t.same(await store.begin(request('b')), { state: 'new' })
  await store.finish(request('b'), { status: 204, body: undefined })
  t.same(await store.begin(request('b')), { state: 'done', status: 204, body: undefined })
})

t.test('of many at once exactly one runs', async (t) => {
  const store = new PostgresIdempotencyStore(sql)
  const answers = await Promise.all(Array.from({ length: 20 }, () => store.begin(request('crowd'))))
  t.equal(answers.filter(({ state }) => state === 'new').length, 1)
  t.equal(answers.filter(({ state }) => state === 'running').length, 19)
})

t.test('requests that travel together keep their own answers', async (t) => {
  const store = new PostgresIdempotencyStore(sql)
  await store.begin(request('done'))
  await store.finish(request('done'), { status: 200, body: 'made' })
  const names = ['n1', 'done', 'n2', 'n1', 'done', 'n3']
  const answers = await Promise.all([
    ...names.map((name) => store.begin(request(name))),
    store.begin(request('n2', 'other')),
    store.begin(request('done', 'other')),
  ])
  const done = { state: 'done', status: 200, body: 'made' }
  const [fresh, running, mismatch] = [{ state: 'new' }, { state: 'running' }, { state: 'mismatch' }]
  t.same(answers, [fresh, done, fresh, running, done, fresh, mismatch, mismatch])
  await Promise.all(names.map((name) => store.finish(request(name), { status: 200, body: name })))
  const kept = await Promise.all(['n1', 'n2', 'n3'].map((name) => store.begin(request(name))))
  t.same(
    kept.map((answer) => 'body' in answer && answer.body),
    ['n1', 'n2', 'n3'],
  )
  t.match(await store.begin(request('done')), done, 'the first answer stands')
})

t.test(
  'a request that failed may be tried again; one that finished is not forgotten by a late failure',
  async (t) => {
    const store = new PostgresIdempotencyStore(sql)
    await store.begin(request('c'))
    await store.abandon(request('c'))
    t.same(await store.begin(request('c')), { state: 'new' })
    await store.finish(request('c'), { status: 200, body: 1 })
    await store.abandon(request('c'))
    t.same(await store.begin(request('c')), { state: 'done', status: 200, body: 1 })
  },
)

t.test(
  'a request whose process died is taken over once after five seconds, by the same body only',
  async (t) => {
    const store = new PostgresIdempotencyStore(sql)
    await store.begin(request('d'))
    await sql`update idempotency_keys set started_at = now() - interval '1 second' where key = 'd'`
    t.same(await store.begin(request('d')), { state: 'running' })
    await sql`update idempotency_keys set started_at = now() - interval '6 seconds' where key = 'd'`
    t.same(await store.begin(request('d', 'other')), { state: 'mismatch' })
    const answers = await Promise.all([1, 2, 3].map(() => store.begin(request('d'))))
    t.same(answers.map(({ state }) => state).toSorted(), ['new', 'running', 'running'])
  },
)

t.test('answers are kept for 24 hours', async (t) => {
  const store = new PostgresIdempotencyStore(sql)
  for (const key of ['old', 'older', 'young']) {
    await store.begin(request(key))
    await store.finish(request(key), { status: 200, body: key })
  }
  await sql`update idempotency_keys set started_at = now() - interval '24 hours 1 second' where key in ('old', 'older')`
  await sql`update idempotency_keys set started_at = now() - interval '23 hours 59 minutes' where key = 'young'`
  t.same(await store.begin(request('old', 'other')), { state: 'new' })
  t.equal(await store.forgetOld(), 1)
  t.same(await store.begin(request('young')), { state: 'done', status: 200, body: 'young' })
})
