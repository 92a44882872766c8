import { createLocalJWKSet, jwtVerify } from 'jose'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { MemoryKeyStore } from '../../../test/support/memory-key-store.ts'
import { randomIds } from '../../ids.ts'
import { AccessTokens, accessTokenLifeMs } from './access-token.ts'
import { PurchaseTokens } from './purchase-token.ts'
import { keyAwaitedMs, keyPurposes, keyReloadMs } from './signing-key.ts'
import { SigningKeys } from './signing-keys.ts'

const log = pino({ level: 'silent' })
const issuer = 'https://openrun.test'

async function started(t: Test, store = new MemoryKeyStore(), clock = new FakeClock()) {
  const keys = new SigningKeys({ store, clock, ids: randomIds, log })
  await keys.run()
  t.teardown(() => keys.stop())
  return { keys, store, clock, access: new AccessTokens({ keys, clock, issuer }) }
}

t.test('several processes that start together share one set of keys', async (t) => {
  const store = new MemoryKeyStore()
  const clock = new FakeClock()
  const processes = await Promise.all([1, 2, 3].map(() => started(t, store, clock)))
  t.equal((await store.load()).length, 4, 'one key a purpose')
  const [first, second, third] = processes
  const { token } = await first!.access.issue({ accountId: 'usr_1', accountKind: 'guest' })
  for (const other of [second!, third!]) {
    t.same(await other.access.verify(token), { accountId: 'usr_1', accountKind: 'guest' })
  }
})

t.test('rotation logs nobody out: each token is good until its own end', async (t) => {
  const { access, keys, clock } = await started(t)
  // One token an hour for three days, all keys rotated every seven hours, and every token asked at every hour.
  let issued: { token: string; expiresAtMs: number }[] = []
  for (let hour = 0; hour < 72; hour++) {
    if (hour % 7 === 3) for (const purpose of keyPurposes) await keys.rotate(purpose)
    issued.push(await access.issue({ accountId: `usr_${hour}`, accountKind: 'guest' }))
    await clock.advance(3_600_000 / 2)
    // Only a verifier that remembers nothing really checks each signature.
    const fresh = new AccessTokens({ keys, clock, issuer })
    for (const { token, expiresAtMs } of issued) {
      if (clock.nowMs() < expiresAtMs) await t.resolves(fresh.verify(token))
      else await t.rejects(fresh.verify(token), { code: 'unauthenticated' })
    }
    issued = issued.filter(({ expiresAtMs }) => clock.nowMs() < expiresAtMs)
    await clock.advance(3_600_000 / 2)
  }
  const { keys: published } = keys.jwks()
  t.ok(published.length < 25, 'keys whose tokens have all ended are published no longer')
})

t.test('a process that has not read the new key signs on, and its tokens stay good', async (t) => {
  const store = new MemoryKeyStore()
  const clock = new FakeClock()
  const rotating = await started(t, store, clock)
  const behind = new SigningKeys({ store, clock, ids: randomIds, log })
  await behind.reload()
  await rotating.keys.rotate('access')
  await clock.advance(keyAwaitedMs + keyReloadMs)
  const { token } = await new AccessTokens({ keys: behind, clock, issuer }).issue({
    accountId: 'usr_1',
    accountKind: 'guest',
  })
  await clock.advance(accessTokenLifeMs - 2000)
  await t.resolves(rotating.access.verify(token))
})

t.test('a new key is published before it signs', async (t) => {
  const { keys, clock } = await started(t)
  const before = keys.signer('access').kid
  await keys.rotate('access')
  t.equal(keys.signer('access').kid, before)
  const accessKeys = keys.jwks().keys.length
  t.equal(accessKeys, 4, 'both access keys, purchase, ticket')
  await clock.advance(keyAwaitedMs)
  t.not(keys.signer('access').kid, before)
})

t.test('what another process signs with a key not met before is verified after one reading', async (t) => {
  const store = new MemoryKeyStore()
  const clock = new FakeClock()
  const { access, keys } = await started(t, store, clock)
  const late = new SigningKeys({ store, clock, ids: randomIds, log })
  await late.reload()
  await keys.rotate('access')
  await clock.advance(keyAwaitedMs)
  const { token } = await access.issue({ accountId: 'usr_1', accountKind: 'guest' })
  const loads = store.loads
  const verifier = new AccessTokens({ keys: late, clock, issuer })
  await t.resolves(verifier.verify(token))
  t.equal(store.loads, loads + 1)
})

t.test(
  'unknown key names cost one reading a second, however many ask, and no good token is refused for it',
  async (t) => {
    const { keys, store, clock } = await started(t)
    await keys.findVerifier('access', randomIds.next('key'))
    const loads = store.loads
    const asked = Array.from({ length: 100 }, () => keys.findVerifier('access', randomIds.next('key')))
    t.equal(store.loads, loads, 'they wait')
    await clock.advance(1000)
    t.same(new Set(await Promise.all(asked)), new Set([undefined]))
    t.equal(store.loads, loads + 1)
    await keys.findVerifier('access', 'no-such-shape')
    t.equal(store.loads, loads + 1, 'a name that cannot be ours is not looked for')
  },
)

t.test('old keys are rotated once however many processes ask', async (t) => {
  const store = new MemoryKeyStore()
  const clock = new FakeClock()
  const processes = await Promise.all([1, 2, 3].map(() => started(t, store, clock)))
  await Promise.all(processes.map(({ keys }) => keys.stop()))
  await clock.advance(30 * 86_400_000)
  await Promise.all(processes.map(({ keys }) => keys.rotateOld(30)))
  const access = (await store.load()).filter((key) => key.purpose === 'access')
  t.equal(access.length, 2)
  await Promise.all(processes.map(({ keys }) => keys.rotateOld(30)))
  t.equal((await store.load()).filter((key) => key.purpose === 'access').length, 2, 'the new one is young')
})

t.test(
  'keys that no longer verify are deleted at the next rotation, but ticket keys never are',
  async (t) => {
    const { keys, store, clock } = await started(t)
    const [ticketKey] = (await store.load()).filter((key) => key.purpose === 'ticket')
    // Reading the keys each minute for two years would only take time.
    await keys.stop()
    for (let month = 0; month < 24; month++) {
      await clock.advance(31 * 86_400_000)
      await keys.rotateOld(30)
    }
    const stored = await store.load()
    t.equal(stored.filter((key) => key.purpose === 'access').length, 2)
    t.ok(stored.some((key) => key.kid === ticketKey?.kid))
  },
)

t.test('the published set verifies tokens and holds nothing private', async (t) => {
  const { access, keys, clock } = await started(t)
  const { token } = await access.issue({ accountId: 'usr_1', accountKind: 'guest' })
  const set = keys.jwks()
  t.notMatch(JSON.stringify(set), /"d"|"k"/)
  const { payload } = await jwtVerify(token, createLocalJWKSet(set), { currentDate: new Date(clock.nowMs()) })
  t.equal(payload.sub, 'usr_1')
})

t.test('a token of one kind is refused where another is wanted', async (t) => {
  const { access, keys, clock } = await started(t)
  const purchase = new PurchaseTokens({ keys, clock, issuer })
  const expected = { saleId: 'sal_1', accountId: 'usr_1' }
  const forAccess = await access.issue({ accountId: 'usr_1', accountKind: 'guest' })
  const forPurchase = await purchase.issue({ ...expected, jti: 'a', expiresAtMs: clock.nowMs() + 60_000 })
  t.same(await purchase.verify(forPurchase.token, expected), { ...expected, jti: 'a' })
  await t.rejects(access.verify(forPurchase.token), { code: 'unauthenticated' })
  await t.rejects(purchase.verify(forAccess.token, expected), { code: 'purchase_token_invalid' })
})
