import { generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { useApp } from '../support/app.ts'
import { unitsOf, type Buyer } from '../support/buyer.ts'
import { api, textAt } from '../support/contract.ts'
import { takePicture } from '../support/state-picture.ts'
import { until } from '../support/until.ts'

const app = await useApp(t)
const saleId = await app.sale()
const buyer = await app.guest()
const good = await buyer.letIn(saleId)

/** Tries a purchase token on everything that takes one; answers the codes. */
async function codesOf(token: string, who: Buyer = buyer, sale: string = saleId): Promise<unknown[]> {
  const held = await who.hold(sale, token, unitsOf('A-01-01'))
  return [held.body['code']]
}

t.test('a purchase token serves nobody but its account, in no sale but its own', async (t) => {
  const other = await app.guest()
  const mine = await other.letIn(saleId)
  const otherSale = await app.sale()
  await other.letIn(otherSale)
  const before = await takePicture(app)
  t.same(await codesOf(good, other), ['purchase_token_foreign'])
  t.same(await codesOf(mine), ['purchase_token_foreign'])
  t.same(await codesOf(good, buyer, otherSale), ['purchase_token_foreign'])
  t.same(await takePicture(app), before)
})

t.test('tokens of one kind do not serve as the other', async (t) => {
  t.same(await codesOf(buyer.token), ['purchase_token_invalid'])
  t.same(await codesOf(app.organiserKey), ['purchase_token_invalid'])
  const joined = await app.call('POST', `${api}/sales/${saleId}/queue`, { token: good, body: {} })
  t.equal(joined.body['code'], 'unauthenticated')
  const asCookie = await app.call('GET', `${api}/orders`, { headers: { cookie: `openrun_session=${good}` } })
  t.equal(asCookie.body['code'], 'unauthenticated')
})

t.test('a token that was tampered with or signed elsewhere is none', async (t) => {
  const { privateKey } = await generateKeyPair('ES256')
  const [head = '', payload = '', signature = ''] = good.split('.')
  const claims = decoded(payload)
  const resigned = (header: object): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ ...decoded(head), alg: 'ES256', ...header }).sign(privateKey)
  const secret = new TextEncoder().encode(
    JSON.stringify((await app.call('GET', '/.well-known/jwks.json')).body),
  )
  const bad: Readonly<Record<string, string>> = {
    'another key': await resigned({}),
    'another key, unknown': await resigned({ kid: 'unknown' }),
    'the key of a ticket or an access token': await resigned({
      kid: decoded(buyer.token.split('.')[0] ?? '')['kid'],
    }),
    'no algorithm': `${encoded({ ...decoded(head), alg: 'none' })}.${payload}.`,
    'a secret made of the public key': await new SignJWT(claims)
      .setProtectedHeader({ ...decoded(head), alg: 'HS256' })
      .sign(secret),
    'a later end': `${head}.${encoded({ ...claims, exp: Number(claims['exp']) + 3600 })}.${signature}`,
    'another account': `${head}.${encoded({ ...claims, sub: 'usr_x' })}.${signature}`,
    'no signature': `${head}.${payload}.`,
    'cut off': good.slice(0, -20),
    'two dots': '..',
    huge: 'x'.repeat(4000),
    'not base64': `${head}.!!!.${signature}`,
    'a key in the header': await resigned({ jwk: { kty: 'EC' }, jku: 'http://127.0.0.1:1/' }),
  }
  const before = await takePicture(app)
  for (const [name, token] of Object.entries(bad)) {
    t.same(await codesOf(token), ['purchase_token_invalid'], name)
    const asAccess = token.replaceAll(head, buyer.token.split('.')[0] ?? '')
    const listed = await app.call('GET', `${api}/orders`, { token: asAccess })
    t.equal(listed.body['code'], 'unauthenticated', `${name}, as an access token`)
  }
  t.same(await takePicture(app), before)
})

t.test('without a token, or with an empty one, nothing is held', async (t) => {
  const before = await takePicture(app)
  for (const headers of [{}, { 'purchase-token': '' }]) {
    const held = await buyer.call('POST', `${api}/sales/${saleId}/holds`, {
      body: unitsOf('A-01-01'),
      headers,
    })
    t.equal(held.body['code'], 'invalid_request')
  }
  t.same(await takePicture(app), before)
})

t.test('a token that has ended, was given back, or was followed by another is over', async (t) => {
  const brief = await app.sale()
  const late = await app.guest()
  const ended = await late.letIn(brief)
  // A token lasts for 300 s by the clock that Redis goes by in this sale.
  await app.redis.hincrby(saleKeys(brief).state, 'offset_ms', 301_000)
  await until('it has ended', async () => {
    const { body } = await late.call('GET', `${api}/sales/${brief}/queue/me`)
    return body['code'] === 'not_in_line'
  })
  const code = (await late.hold(brief, ended, unitsOf('A-01-01'))).body['code']
  t.match(code, /^(admission_over|purchase_token_expired)$/)

  const leaver = await app.guest()
  const first = await leaver.letIn(saleId)
  await leaver.call('DELETE', `${api}/sales/${saleId}/queue/me`)
  t.same(await codesOf(first, leaver), ['admission_over'])
  const second = await leaver.letIn(saleId)
  t.same(await codesOf(first, leaver), ['admission_over'], 'the first does not come back with the second')
  t.equal((await leaver.hold(saleId, second, unitsOf('A-01-20'))).status, 201)
})

t.test('a queue ticket that is foreign, forged or of this epoch gives no better place', async (t) => {
  const crowded = await app.sale({ queue: { maxActive: 1 } })
  const [inside, first, second] = await app.guests(3)
  if (!inside || !first || !second) throw new Error('no guests')
  await inside.letIn(crowded)
  const ticket = textAt((await first.join(crowded)).body, 'ticket')
  await second.join(crowded)
  const otherSale = await app.sale()
  const bad = { foreign: ticket, empty: '', dots: 'a.b', huge: 'x'.repeat(1024), cut: ticket.slice(0, -3) }
  for (const [name, text] of Object.entries(bad)) {
    t.equal((await second.join(crowded, text)).body['code'], 'queue_ticket_invalid', name)
  }
  t.equal((await first.join(otherSale, ticket)).body['code'], 'queue_ticket_invalid', 'of another sale')
  await first.call('DELETE', `${api}/sales/${crowded}/queue/me`)
  const back = await first.join(crowded, ticket)
  t.equal(back.body['position'], 2, 'who left stands at the end, ticket or not')
})

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
