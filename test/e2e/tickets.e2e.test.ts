import { createLocalJWKSet, generateKeyPair, jwtVerify, SignJWT, type JSONWebKeySet } from 'jose'
import t from 'tap'
import { useApp } from '../support/app.ts'
import type { Buyer } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt } from '../support/contract.ts'

const app = await useApp(t)
const saleId = await app.sale(freeSlots(1, 100))
const organiser = { token: app.organiserKey }

async function booked(): Promise<{ buyer: Buyer; orderId: string; bookingId: string }> {
  const buyer = await app.guest()
  const { body } = await buyer.book(saleId, await buyer.letIn(saleId), { best: { count: 1 } })
  return { buyer, orderId: textAt(body, 'order.id'), bookingId: textAt(body, 'order.bookings.0.id') }
}

async function codeOf({ buyer, bookingId }: { buyer: Buyer; bookingId: string }): Promise<string> {
  return textAt((await buyer.call('GET', `${api}/bookings/${bookingId}/ticket`)).body, 'code')
}

const checkIn = (code: unknown) => app.call('POST', `${api}/checkin`, { ...organiser, body: { code } })

t.test('a ticket comes as JSON, SVG or PNG, to its holder alone', async (t) => {
  const one = await booked()
  const path = `${api}/bookings/${one.bookingId}/ticket`
  const json = await one.buyer.call('GET', path)
  t.match(json.body, { booking: one.bookingId, sale: saleId, unit: '2027-03-01T10:00' })
  t.match(json.body['svg'], /^<svg/)
  const svg = await one.buyer.call('GET', path, { headers: { accept: 'image/svg+xml' } })
  t.match(svg.headers.get('content-type'), /^image\/svg\+xml/)
  t.match(svg.bytes.toString(), /^<svg/)
  const png = await one.buyer.call('GET', path, { headers: { accept: 'image/png' } })
  t.equal(png.headers.get('content-type'), 'image/png')
  t.equal(png.bytes.subarray(1, 4).toString(), 'PNG')
  const stranger = await app.guest()
  t.equal((await stranger.call('GET', path)).body['code'], 'no_such_booking')
})

t.test('a scanner without a network verifies a ticket with the published keys', async (t) => {
  const one = await booked()
  const code = await codeOf(one)
  const { body } = await app.call('GET', '/.well-known/jwks.json')
  const keys = createLocalJWKSet(body as unknown as JSONWebKeySet)
  const { payload, protectedHeader } = await jwtVerify(code, keys, {
    typ: 'ticket+jwt',
    algorithms: ['ES256'],
  })
  t.same(payload, { b: one.bookingId, s: saleId, u: '2027-03-01T10:00', n: 1 })
  t.equal(protectedHeader.alg, 'ES256')
  await t.rejects(jwtVerify(`${code.slice(0, -4)}AAAA`, keys))
})

t.test('a ticket lets in once', async (t) => {
  const one = await booked()
  const code = await codeOf(one)
  const answers = await Promise.all([1, 2, 3, 4].map(() => checkIn(code)))
  t.same(
    answers.map((answer) => answer.status).toSorted((a, b) => a - b),
    [200, 409, 409, 409],
  )
  const first = answers.find((answer) => answer.status === 200)
  t.match(at(first?.body, 'booking'), { id: one.bookingId, order: one.orderId, sale: saleId })
  const second = await checkIn(code)
  t.match(second.body, { code: 'already_checked_in', checkedInAt: at(first?.body, 'booking.checkedInAt') })
  t.equal((await one.buyer.cancel(one.orderId)).body['code'], 'order_checked_in')
})

t.test('the ticket of a cancelled booking is revoked', async (t) => {
  const one = await booked()
  const code = await codeOf(one)
  await one.buyer.cancel(one.orderId)
  t.equal((await checkIn(code)).body['code'], 'ticket_revoked')
  t.equal((await one.buyer.call('GET', `${api}/bookings/${one.bookingId}/ticket`)).body['code'], 'not_booked')
  const { body } = await app.call('GET', `${api}/sales/${saleId}/revoked`, organiser)
  t.ok((body['items'] as { booking: string }[]).some((item) => item.booking === one.bookingId))
})

t.test('nothing but a ticket of this server checks in', async (t) => {
  const one = await booked()
  const code = await codeOf(one)
  const [head = '', payload = '', signature = ''] = code.split('.')
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const { privateKey } = await generateKeyPair('ES256')
  const foreign = await new SignJWT({ b: one.bookingId, s: saleId, u: '2027-03-01T10:00', n: 1 })
    .setProtectedHeader({ alg: 'ES256', typ: 'ticket+jwt', kid: textAt(decoded(head), 'kid') })
    .sign(privateKey)
  const bad = {
    'another key': foreign,
    'no algorithm': `${encode({ alg: 'none', typ: 'ticket+jwt' })}.${payload}.`,
    'another booking': `${head}.${encode({ ...decoded(payload), b: `bkg_${'0'.repeat(20)}` })}.${signature}`,
    'an access token': one.buyer.token,
    'no token': 'hello',
    huge: 'x'.repeat(2048),
  }
  for (const [name, code] of Object.entries(bad)) {
    t.equal((await checkIn(code)).body['code'], 'ticket_invalid', name)
  }
  for (const code of ['', 7, null, [], 'x'.repeat(2049)]) {
    t.equal((await checkIn(code)).body['code'], 'invalid_request', typeof code)
  }
  t.equal((await one.buyer.call('POST', `${api}/checkin`, { body: { code } })).body['code'], 'forbidden')
  const [row] = await app.sql`select checked_in_at from bookings where id = ${one.bookingId}`
  t.equal(row?.['checked_in_at'], null)
})

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
}
