import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { pino } from 'pino'
import t from 'tap'
import { startEdge } from '../../../test/support/edge.ts'
import { addOrder, makeRow, paymentState } from '../../../test/support/order-fixtures.ts'
import { makeAccount, makeOrganiser } from '../../../test/support/sales.ts'
import { usePostgres } from '../../../test/support/stores.ts'
import { systemClock } from '../../clock.ts'
import { AccessTokens } from '../../domain/accounts/access-token.ts'
import type { GuestAnswer } from '../../domain/accounts/account-messages.ts'
import { AccountStore } from '../../domain/accounts/account-store.ts'
import { Authenticator } from '../../domain/accounts/authenticator.ts'
import { PostgresIdempotencyStore } from '../../domain/accounts/idempotency-store.ts'
import { addOrganiserKey, OrganiserKeys } from '../../domain/accounts/organiser-key.ts'
import { PostgresSigningKeyStore } from '../../domain/accounts/signing-key-store.ts'
import { SigningKeys } from '../../domain/accounts/signing-keys.ts'
import { noHurry } from '../../domain/orders/order-outbox.ts'
import { randomIds } from '../../ids.ts'
import { KeyedLimiter } from '../limits.ts'
import { authRoutes } from './auth.ts'
import { orderRoutes } from './orders.ts'
import { ticketRoutes } from './tickets.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 6, name: 'account-routes' })
t.teardown(() => sql.end())

const clock = systemClock
const log = pino({ level: 'silent' })
const keys = new SigningKeys({ store: new PostgresSigningKeyStore(sql), clock, ids: randomIds, log })
await keys.run()
t.teardown(() => keys.stop())
const accessTokens = new AccessTokens({ keys, clock, issuer: 'openrun' })
// A token a day: what the test spends does not come back while it runs.
const limiter = new KeyedLimiter({ rate: { perSecond: 1 / 86_400, burst: 3 }, keysMax: 10, clock })
const edge = await startEdge(t, {
  routes: [
    ...authRoutes({ accounts: new AccountStore(sql), accessTokens, keys, limiter, secureCookies: false }),
    ...orderRoutes({ sql, hurry: noHurry, notes: { find: async () => undefined } }),
    ...ticketRoutes({ sql, keys }),
  ],
  authenticator: new Authenticator({ accessTokens, organiserKeys: new OrganiserKeys(sql, clock) }),
  idempotency: new PostgresIdempotencyStore(sql),
})

const organiserId = await makeOrganiser(sql)
const organiserKey = await addOrganiserKey(sql, organiserId)
const { id: saleId } = await makeRow(sql, { organiserId })
t.afterEach(async () => {
  await sql`update bookings set status = 'released', checked_in_at = null where status in ('pending', 'booked')`
})

interface Call {
  readonly method?: string
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

async function call(path: string, { method = 'GET', token, body, headers = {} }: Call = {}) {
  const response = await fetch(`${edge.url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    body: (isJson ? JSON.parse(bytes.toString()) : undefined) as Record<string, unknown> | undefined,
  }
}

async function buyer() {
  const accountId = await makeAccount(sql)
  const { token } = await accessTokens.issue({ accountId, accountKind: 'guest' })
  return { accountId, token }
}

t.test('a guest gets a token and a cookie, and both speak for the new account', async (t) => {
  const { status, body, headers } = await call('/api/v1/auth/guest', { method: 'POST', token: organiserKey })
  t.equal(status, 201)
  const { accessToken, expiresAt, user } = body as GuestAnswer
  t.match(user, { id: /^usr_/, kind: 'guest' })
  t.ok(Date.parse(expiresAt) > Date.now() + 11 * 3_600_000)
  t.equal((await sql`select id from accounts where id = ${user.id}`).length, 1)
  t.equal((await call('/api/v1/orders', { token: accessToken })).status, 200)
  const cookie = headers.get('set-cookie') ?? ''
  t.match(cookie, /HttpOnly/)
  t.match(cookie, /SameSite=Lax/)
  t.equal((await call('/api/v1/orders', { headers: { cookie: cookie.split(';')[0] ?? '' } })).status, 200)
})

t.test(
  'an address makes a few guests, then is told to wait; an organiser makes as many as it likes',
  async (t) => {
    const make = (token?: string) =>
      call('/api/v1/auth/guest', { method: 'POST', ...(token === undefined ? {} : { token }) })
    for (let count = 0; count < 3; count++) t.equal((await make()).status, 201)
    const refused = await make()
    t.equal(refused.status, 429)
    t.ok(Number(refused.headers.get('retry-after')) > 0)
    t.match(refused.body, { code: 'too_many_requests', retryable: true })
    for (let count = 0; count < 10; count++) t.equal((await make(organiserKey)).status, 201)
    t.equal((await make('orgkey_wrong')).status, 401, 'a wrong key is no way round')
  },
)

t.test('the published keys verify an access token and may be cached', async (t) => {
  const { status, headers, bytes } = await call('/.well-known/jwks.json')
  t.equal(status, 200)
  t.match(headers.get('cache-control'), /public, max-age=\d+/)
  t.notMatch(bytes.toString(), /"d":|"k":/)
  const { token, accountId } = await buyer()
  const set = createLocalJWKSet(JSON.parse(bytes.toString()) as JSONWebKeySet)
  t.equal((await jwtVerify(token, set)).payload.sub, accountId)
})

t.test('orders are seen, cancelled and hidden by their owner alone', async (t) => {
  const owner = await buyer()
  const stranger = await buyer()
  const payment = { state: 'approved' } as const
  const { orderId } = await addOrder(sql, { saleId, ...owner, unitNos: [0, 1], status: 'booked', payment })
  const path = `/api/v1/orders/${orderId}`
  for (const [method, at] of [
    ['GET', path],
    ['POST', `${path}/cancel`],
    ['DELETE', path],
  ] as const) {
    const refused = await call(at, { method, token: stranger.token })
    t.equal(refused.status, 404)
    t.match(refused.body, { code: 'no_such_order' })
    t.equal((await call(at, { method })).status, 401)
    t.equal((await call(at, { method, token: organiserKey })).status, 403)
  }
  t.match((await call(path, { token: owner.token })).body, {
    order: { id: orderId, status: 'booked', total: { amountMinor: 2000, currency: 'KRW' }, refund: 'none' },
  })
  t.match((await call(path, { method: 'DELETE', token: owner.token })).body, { code: 'order_not_ended' })
  const cancelled = await call(`${path}/cancel`, { method: 'POST', token: owner.token })
  t.match(cancelled, {
    status: 200,
    body: { order: { id: orderId, status: 'cancelled', refund: 'under_way' } },
  })
  const again = await call(`${path}/cancel`, { method: 'POST', token: owner.token })
  t.same(again.body, cancelled.body)
  t.equal(await paymentState(sql, orderId), 'refunding')
  const listed = async () =>
    (await call('/api/v1/orders', { token: owner.token })).body?.['items'] as unknown[]
  t.equal((await listed()).length, 1)
  t.equal((await call(path, { method: 'DELETE', token: owner.token })).status, 204)
  t.same(await listed(), [])
})

t.test('an order whose payment is under way is not cancelled, but may be later', async (t) => {
  const owner = await buyer()
  const payment = { state: 'calling' } as const
  const { orderId } = await addOrder(sql, { saleId, ...owner, unitNos: [0], status: 'paying', payment })
  const refused = await call(`/api/v1/orders/${orderId}/cancel`, { method: 'POST', token: owner.token })
  t.match(refused, { status: 409, body: { code: 'payment_under_way', retryable: true } })
  t.equal(refused.headers.get('retry-after'), '2')
})

t.test('what names no order or booking, or asks for a strange page, is refused without harm', async (t) => {
  const { token } = await buyer()
  for (const id of [
    'x',
    'ord_',
    `ord_${'0'.repeat(20)}`,
    'ord_%00',
    '%F0%9F%8E%AB',
    'a'.repeat(3000),
    '__proto__',
  ]) {
    const { status } = await call(`/api/v1/orders/${id}`, { token })
    t.ok([400, 404].includes(status), `${status} ${id.slice(0, 20)}`)
    t.equal((await call(`/api/v1/bookings/${id}/ticket`, { token })).status, status)
    t.equal((await call(`/api/v1/sales/${id}/revoked`, { token: organiserKey })).status, status)
  }
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'limit=1e1000', 'cursor=x', 'cursor=']) {
    const { status, body } = await call(`/api/v1/orders?${query}`, { token })
    t.equal(status, 422, query)
    t.match(body, { code: 'invalid_request', errors: [{ field: query.split('=')[0] }] })
  }
})

t.test('a ticket comes as JSON, SVG or PNG, to its owner alone', async (t) => {
  const owner = await buyer()
  const { bookingIds } = await addOrder(sql, { saleId, ...owner, unitNos: [0], status: 'booked' })
  const path = `/api/v1/bookings/${bookingIds[0]}/ticket`
  const get = (accept: string) => call(path, { token: owner.token, headers: { accept } })
  const json = await get('application/json')
  t.match(json.body, {
    booking: bookingIds[0],
    sale: saleId,
    unit: 'A-01-01',
    issue: 1,
    code: /^ey/,
    svg: /^<svg/,
  })
  const svg = await get('image/svg+xml')
  t.equal(svg.headers.get('content-type'), 'image/svg+xml')
  t.match(svg.bytes.toString(), /^<svg/)
  const png = await get('image/png')
  t.equal(png.headers.get('content-type'), 'image/png')
  t.equal(png.bytes.subarray(1, 4).toString(), 'PNG')
  t.equal((await call(path, { token: (await buyer()).token })).status, 404)
})

t.test('a ticket is shown at the door once; the sale lists it when it is revoked', async (t) => {
  const owner = await buyer()
  const { bookingIds } = await addOrder(sql, { saleId, ...owner, unitNos: [0], status: 'booked' })
  const revoked = await addOrder(sql, { saleId, ...(await buyer()), unitNos: [1], status: 'booked' })
  const codeOf = async (bookingId: string | undefined, token: string) =>
    (await call(`/api/v1/bookings/${bookingId}/ticket`, { token })).body?.['code']
  const code = await codeOf(bookingIds[0], owner.token)
  const checkIn = (body: unknown, token = organiserKey, headers = {}) =>
    call('/api/v1/checkin', { method: 'POST', token, body, headers })

  const otherKey = await addOrganiserKey(sql, await makeOrganiser(sql))
  t.equal((await checkIn({ code }, owner.token)).status, 403)
  t.match((await checkIn({ code }, otherKey)).body, { code: 'no_such_booking' })
  const first = await checkIn({ code }, organiserKey, { 'idempotency-key': 'door-1' })
  t.match(first, { status: 200, body: { booking: { id: bookingIds[0], unit: 'A-01-01' } } })
  const { booking } = first.body as { booking: { checkedInAt: string } }
  t.match(await checkIn({ code }), {
    status: 409,
    body: { code: 'already_checked_in', checkedInAt: booking.checkedInAt, retryable: false },
  })
  t.same((await checkIn({ code }, organiserKey, { 'idempotency-key': 'door-1' })).body, first.body)
  for (const bad of [{ code: `${String(code).slice(0, -4)}AAAA` }, { code: owner.token }, { code: 'x' }]) {
    t.match(await checkIn(bad), { status: 422, body: { code: 'ticket_invalid' } })
  }
  for (const bad of [{}, { code: '' }, { code: 1 }, { code: 'a'.repeat(3000) }, []]) {
    t.match(await checkIn(bad), { status: 422, body: { code: 'invalid_request' } })
  }

  await sql`update bookings set status = 'cancelled', cancelled_at = now() where order_id = ${revoked.orderId}`
  const list = await call(`/api/v1/sales/${saleId}/revoked`, { token: organiserKey })
  const { items } = list.body as { items: unknown[] }
  t.match(items.at(-1), { booking: revoked.bookingIds[0], issue: 1, at: /Z$/ })
  t.equal((await call(`/api/v1/sales/${saleId}/revoked`, { token: otherKey })).status, 403)
  t.equal((await call(`/api/v1/sales/${saleId}/revoked`, { token: owner.token })).status, 403)
})
