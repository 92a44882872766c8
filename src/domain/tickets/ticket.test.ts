import { compactVerify, createLocalJWKSet, decodeProtectedHeader, SignJWT, type JSONWebKeySet } from 'jose'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { MemoryKeyStore } from '../../../test/support/memory-key-store.ts'
import { randomIds } from '../../ids.ts'
import { AccessTokens } from '../accounts/access-token.ts'
import { SigningKeys } from '../accounts/signing-keys.ts'
import { ticketPng, ticketSvg } from './ticket-image.ts'
import { TicketCodes } from './ticket.ts'

const fields = {
  booking: randomIds.next('bkg'),
  sale: randomIds.next('sal'),
  unit: '2026-11-22T10:00',
  issue: 1,
}

async function parts(t: Test) {
  const clock = new FakeClock()
  const log = pino({ level: 'silent' })
  const keys = new SigningKeys({ store: new MemoryKeyStore(), clock, ids: randomIds, log })
  await keys.run()
  t.teardown(() => keys.stop())
  return { clock, keys, codes: new TicketCodes(keys) }
}

t.test('whoever has the published keys verifies a ticket without asking anybody', async (t) => {
  const { codes, keys, clock } = await parts(t)
  const code = await codes.sign(fields)
  // All that a scanner has: the text it read and the document it loaded some time ago.
  const published = JSON.parse(JSON.stringify(keys.jwks())) as JSONWebKeySet
  const { payload, protectedHeader } = await compactVerify(code, createLocalJWKSet(published), {
    algorithms: ['ES256'],
  })
  t.equal(protectedHeader.typ, 'ticket+jwt')
  t.same(JSON.parse(Buffer.from(payload).toString()), {
    b: fields.booking,
    s: fields.sale,
    u: fields.unit,
    n: 1,
  })
  await keys.rotate('ticket')
  await clock.advance(10 * 60_000)
  const next = JSON.parse(JSON.stringify(keys.jwks())) as JSONWebKeySet
  await t.resolves(compactVerify(code, createLocalJWKSet(next)), 'also with the keys of after a rotation')
  const later = await codes.sign(fields)
  t.not(decodeProtectedHeader(later).kid, protectedHeader.kid)
  await t.resolves(compactVerify(later, createLocalJWKSet(next)))
})

t.test('a code says what it was signed with, years later too', async (t) => {
  const { codes, keys, clock } = await parts(t)
  const code = await codes.sign(fields)
  t.same(await codes.verify(code), fields)
  // Reading the keys each minute of three years would only take time.
  await keys.stop()
  await clock.advance(3 * 366 * 86_400_000)
  t.same(await codes.verify(code), fields)
})

t.test('forged, tampered, foreign and other tokens are no tickets', async (t) => {
  const { codes, keys, clock } = await parts(t)
  const other = await parts(t)
  const code = await codes.sign(fields)
  const [head = '', , signature = ''] = code.split('.')
  const upgraded = Buffer.from(JSON.stringify({ ...fields, u: 'A-01-01' })).toString('base64url')
  const access = await new AccessTokens({ keys, clock, issuer: 'https://openrun.test' }).issue({
    accountId: 'usr_1',
    accountKind: 'guest',
  })
  const signer = keys.signer('ticket')
  if (signer.kind !== 'pair') throw new Error('no pair')
  const signed = (payload: Record<string, unknown>, typ = 'ticket+jwt') =>
    new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ, kid: signer.kid }).sign(signer.sign)
  const good = { b: 'bkg_1', s: 'sal_1', u: 'A', n: 1 }
  t.same((await codes.verify(await signed(good))).booking, 'bkg_1', 'the test signs as the house does')
  const bad = [
    `${head}.${upgraded}.${signature}`,
    code.slice(0, -4),
    await other.codes.sign(fields),
    access.token,
    await signed(good, 'at+jwt'),
    await signed({ ...good, n: '1' }),
    await signed({ b: 'bkg_1' }),
    '',
    'x',
    'a.b.c',
    `${code}${'a'.repeat(2000)}`,
  ]
  for (const text of bad) await t.rejects(codes.verify(text), { code: 'ticket_invalid' }, text.slice(0, 40))
})

t.test('the code is drawn as SVG and as PNG', async (t) => {
  const { codes } = await parts(t)
  const code = await codes.sign(fields)
  const svg = await ticketSvg(code)
  t.match(svg, /^<svg [^]*<\/svg>\s*$/)
  // 73 modules and the quiet zone: coarse enough for the camera of any phone.
  const side = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1])
  t.ok(side > 21 && side <= 89, `${side} modules`)
  const png = await ticketPng(code)
  t.equal(png.subarray(1, 4).toString(), 'PNG')
  t.equal(png.readUInt32BE(16), side * 8)
})
