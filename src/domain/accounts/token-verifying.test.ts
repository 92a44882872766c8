import { SignJWT, UnsecuredJWT, decodeJwt } from 'jose'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { MemoryKeyStore } from '../../../test/support/memory-key-store.ts'
import { randomIds } from '../../ids.ts'
import { AccessTokens, accessTokenLifeMs } from './access-token.ts'
import { PurchaseTokens } from './purchase-token.ts'
import { SigningKeys } from './signing-keys.ts'
import { TokenVerifier } from './token-verifying.ts'

const issuer = 'https://openrun.test'
const guest = { accountId: 'usr_1', accountKind: 'guest' } as const
const kind = { purpose: 'access', typ: 'at+jwt' } as const

async function parts(t: Test) {
  const clock = new FakeClock()
  const log = pino({ level: 'silent' })
  const keys = new SigningKeys({ store: new MemoryKeyStore(), clock, ids: randomIds, log })
  await keys.run()
  t.teardown(() => keys.stop())
  return { clock, keys, access: new AccessTokens({ keys, clock, issuer }) }
}

t.test('an access token is good for twelve hours and not a second longer', async (t) => {
  const { clock, access } = await parts(t)
  const { token, expiresAtMs } = await access.issue(guest)
  t.equal(expiresAtMs, clock.nowMs() + accessTokenLifeMs)
  t.same(await access.verify(token), guest)
  await clock.advance(accessTokenLifeMs - 1)
  t.same(access.recall(token), guest)
  await clock.advance(1)
  t.equal(access.recall(token), undefined)
  await t.rejects(access.verify(token), { code: 'unauthenticated' })
})

t.test('a token that was issued here is known without a look at its signature, until it ends', async (t) => {
  const { clock, keys, access } = await parts(t)
  const { token } = await access.issue(guest)
  t.same(access.recall(token), guest)
  t.equal(new AccessTokens({ keys, clock, issuer }).recall(token), undefined, 'elsewhere it is checked')
  await clock.advance(accessTokenLifeMs)
  t.equal(access.recall(token), undefined)
})

t.test('a token that ends like one met before is not taken for it', async (t) => {
  const { access } = await parts(t)
  const { token } = await access.issue(guest)
  t.same(await access.verify(token), guest)
  const [head = '', , signature = ''] = token.split('.')
  const otherBody = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'usr_2' })).toString('base64url')
  const forged = `${head}.${otherBody}.${signature}`
  t.equal(access.recall(forged), undefined)
  await t.rejects(access.verify(forged), { code: 'unauthenticated' })
  t.same(access.recall(token), guest, 'and does not push it out')
})

t.test('tampered, unsigned, foreign and shapeless tokens are refused', async (t) => {
  const { clock, keys, access } = await parts(t)
  const { token } = await access.issue(guest)
  const [head = '', body = '', signature = ''] = token.split('.')
  const otherBody = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'usr_2' })).toString('base64url')
  const signer = keys.signer('access')
  const purchaseSigner = keys.signer('purchase')
  if (signer.kind !== 'pair' || purchaseSigner.kind !== 'pair') throw new Error('no pair')
  const claims = { iss: issuer, sub: 'usr_1', scope: 'guest' }
  const nowS = Math.floor(clock.nowMs() / 1000)
  const signed = (payload: object, typ = 'at+jwt', key = signer) =>
    new SignJWT({ iat: nowS, exp: nowS + 60, ...payload })
      .setProtectedHeader({ alg: 'ES256', typ, kid: key.kid })
      .sign(key.sign)
  const publicText = JSON.stringify(keys.jwks().keys[0])
  const confused = await new SignJWT({ ...claims, iat: nowS, exp: nowS + 60 })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: signer.kid })
    .sign(Buffer.from(publicText))
  t.same(await access.verify(await signed(claims)), guest, 'the test signs as the house does')
  const bad: Record<string, string> = {
    'another body': `${head}.${otherBody}.${signature}`,
    'another signature': `${head}.${body}.${signature.slice(0, -4)}AAAA`,
    'no signature': `${head}.${body}.`,
    unsecured: new UnsecuredJWT(claims).setExpirationTime(nowS + 60).encode(),
    'a public key as a secret': confused,
    'another issuer': await signed({ ...claims, iss: 'https://other.test' }),
    'another type': await signed(claims, 'purchase+jwt'),
    'an unknown scope': await signed({ ...claims, scope: 'admin' }),
    'no subject': await signed({ iss: issuer, scope: 'guest' }),
    'no end': await new SignJWT({ ...claims, iat: nowS })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: signer.kid })
      .sign(signer.sign),
    'the key of another purpose': await signed(claims, 'at+jwt', purchaseSigner),
    'no token': 'x',
    empty: '',
    'too long': `${token}${'a'.repeat(4000)}`,
    dots: '..',
    'no UTF-8': '\uD800.\uD800.\uD800',
  }
  for (const [name, text] of Object.entries(bad)) {
    await t.rejects(access.verify(text), { code: 'unauthenticated' }, name)
  }
})

t.test('a purchase token serves one account in one sale', async (t) => {
  const { clock, keys } = await parts(t)
  const purchase = new PurchaseTokens({ keys, clock, issuer })
  const claims = { saleId: 'sal_1', accountId: 'usr_1', jti: '1a' }
  const { token, expiresAtMs } = await purchase.issue({ ...claims, expiresAtMs: clock.nowMs() + 60_001 })
  t.equal(expiresAtMs, clock.nowMs() + 61_000, 'the whole second counts')
  t.same(await purchase.verify(token, claims), claims)
  await t.rejects(purchase.verify(token, { ...claims, saleId: 'sal_2' }), { code: 'purchase_token_foreign' })
  await t.rejects(purchase.verify(token, { ...claims, accountId: 'usr_2' }), {
    code: 'purchase_token_foreign',
  })
  await clock.advance(61_000)
  await t.rejects(purchase.verify(token, claims), { code: 'purchase_token_expired' })
  await t.rejects(purchase.issue({ ...claims, expiresAtMs: clock.nowMs() + 26 * 3_600_000 }), RangeError)
})

t.test('whoever asks again is given the purchase token they have, known without a look at it', async (t) => {
  const { clock, keys } = await parts(t)
  const purchases = new PurchaseTokens({ keys, clock, issuer, cacheMax: 2 })
  const expiresAtMs = clock.nowMs() + 600_000
  const claims = { saleId: 'sal_1', accountId: 'usr_1', jti: '1', expiresAtMs }
  const issued = await purchases.issue(claims)
  t.same(await purchases.issue(claims), issued)
  await keys.stop()
  const expected = { saleId: 'sal_1', accountId: 'usr_1' }
  t.same(await purchases.verify(issued.token, expected), { ...expected, jti: '1' })
  for (const other of [
    { accountId: 'usr_2' },
    { jti: '2' },
    { saleId: 'sal_2' },
    { expiresAtMs: expiresAtMs + 1000 },
  ])
    t.not((await purchases.issue({ ...claims, ...other })).token, issued.token)
  t.not((await purchases.issue(claims)).token, issued.token, 'those issued long ago are forgotten')
  await clock.advance(600_000)
  await t.rejects(purchases.verify(issued.token, expected), { code: 'purchase_token_expired' })
})

t.test('a token is checked once, and what is remembered is bounded', async (t) => {
  const { clock, keys, access } = await parts(t)
  let checks = 0
  const counted = Object.create(keys, {
    findVerifier: {
      value: (...args: Parameters<SigningKeys['findVerifier']>) => {
        checks++
        return keys.findVerifier(...args)
      },
    },
  }) as SigningKeys
  const verifier = new TokenVerifier({
    keys: counted,
    clock,
    issuer,
    kind,
    cacheMax: 2,
    read: ({ sub }) => sub,
  })
  const tokens = await Promise.all([1, 2, 3].map((n) => access.issue({ ...guest, accountId: `usr_${n}` })))
  for (const { token } of tokens) for (let again = 0; again < 5; again++) await verifier.verify(token)
  t.equal(checks, 3)
  t.equal(verifier.remembered, 2)
  await verifier.verify(tokens[0]!.token)
  t.equal(checks, 4, 'the oldest was forgotten')
})
