import fc from 'fast-check'
import t from 'tap'
import { errorCatalogue } from '../../src/error-catalogue.ts'
import { closeCodes } from '../../src/server/protocol/close-codes.ts'
import { useApp } from '../support/app.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at } from '../support/contract.ts'
import { examples, strangers } from '../support/examples.ts'
import { mutationsOf } from '../support/mutations.ts'

const app = await useApp(t)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121)

const hall = await app.sale()
const slots = await app.sale({ ...freeSlots(2), queue: { maxPerAccount: 20 } })
const buyers = await app.guests(3)
const purchaseTokens = await Promise.all(
  [hall, slots].flatMap((sale) => buyers.map((buyer) => buyer.letIn(sale))),
)
const holds: string[] = []
const orders: string[] = []
const bookings: string[] = []

const tokens = [...buyers.map((buyer) => buyer.token), app.organiserKey, purchaseTokens[0] ?? '', 'nope']
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    'null',
    '2027-03-01T10:00',
    'A-01-01',
    '__proto__',
    '../..',
    "' or 1=1",
    'x'.repeat(300),
  ),
)

/** One of what is there, one that is not, or anything. */
function idOf(name: string): fc.Arbitrary<string> {
  const known: Readonly<Record<string, () => readonly string[]>> = {
    sale: () => [hall, slots],
    hold: () => holds,
    order: () => orders,
    booking: () => bookings,
  }
  const pick = fc.nat().map((index) => {
    const list = known[name]?.() ?? []
    return list[index % Math.max(1, list.length)] ?? strangers[name] ?? ''
  })
  return fc.oneof({ weight: 6, arbitrary: pick }, fc.constant(strangers[name] ?? ''), texts)
}

const bodies = Object.entries(examples()).map(([call, list]) => {
  const mutated = list.flatMap((example) => mutationsOf(example).map(({ value }) => value))
  return [
    call,
    fc.oneof(fc.constantFrom(...list), fc.constantFrom(...mutated), fc.jsonValue(), texts),
  ] as const
})
const bodyOf = new Map<string, fc.Arbitrary<unknown>>([
  ...bodies,
  [
    'POST /api/v1/orders',
    fc.record({
      hold: idOf('hold'),
      payment: fc.option(fc.record({ method: fc.constantFrom('sandbox_approve', 'sandbox_refuse', 'x') }), {
        nil: undefined,
      }),
    }),
  ],
])

interface Request {
  readonly method: string
  readonly path: string
  readonly token: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

const endless = /\/stream$/
const requests = app.contract.operations
  .filter(({ path }) => !endless.test(path))
  .map(({ method, path, operation }) => {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
    const queries = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query')
    return fc.record({
      method: fc.constant(method),
      path: fc
        .tuple(
          fc.tuple(...names.map(idOf)),
          fc.array(fc.tuple(fc.constantFrom('x', ...queries.map(({ name }) => name)), texts), {
            maxLength: 3,
          }),
        )
        .map(([ids, query]) => addressOf(path, names, ids, query)),
      token: fc.constantFrom(...tokens),
      headers: fc.record(
        {
          'purchase-token': fc.constantFrom(...purchaseTokens, 'nope'),
          'idempotency-key': fc.constantFrom('a', 'b', 'c', 'k'.repeat(256)),
          accept: fc.constantFrom('image/png', 'image/svg+xml', '*/*;q=x'),
          'if-none-match': fc.constantFrom('*', '"x"'),
        },
        { requiredKeys: [] },
      ),
      body: bodyOf.get(`${method} ${path}`) ?? fc.constant(undefined),
    })
  })

function addressOf(
  path: string,
  names: readonly string[],
  ids: readonly string[],
  query: readonly [string, string][],
): string {
  const filled = names.reduce(
    (text, name, index) => text.replace(`{${name}}`, encodeURIComponent(ids[index] ?? '')),
    path,
  )
  const search = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  return search === '' ? filled : `${filled}?${search}`
}

/** Requests that may well succeed, so that there is something to go wrong. */
const sensible: fc.Arbitrary<Request> = fc
  .record({
    who: fc.nat(2),
    kind: fc.constantFrom('holds', 'bookings'),
    seat: fc.integer({ min: 1, max: 20 }),
    count: fc.integer({ min: 1, max: 3 }),
    named: fc.boolean(),
  })
  .map(({ who, kind, seat, count, named }) => {
    const unit = kind === 'holds' ? `A-01-${String(seat).padStart(2, '0')}` : '2027-03-01T10:00'
    const token = purchaseTokens[kind === 'holds' ? who : who + buyers.length] ?? ''
    return {
      method: 'POST',
      path: `${api}/sales/${kind === 'holds' ? hall : slots}/${kind}`,
      token: buyers[who]?.token ?? '',
      headers: { 'purchase-token': token },
      body: named ? { units: [{ unit }] } : { best: { count } },
    }
  })

/** What was made is used by requests that follow. */
function learn(body: unknown): void {
  const hold = at(body, 'hold.id')
  const order = at(body, 'order.id')
  const booking = at(body, 'order.bookings.0.id')
  if (typeof hold === 'string') holds.push(hold)
  if (typeof order === 'string') orders.push(order)
  if (typeof booking === 'string') bookings.push(booking)
}

t.test('whatever is asked, each answer is a documented one', async (t) => {
  let asked = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof({ weight: 30, arbitrary: fc.oneof(...requests) }, { weight: 10, arbitrary: sensible }),
        { minLength: 1, maxLength: 8 },
      ),
      async (crowd: Request[]) => {
        const answers = await Promise.all(
          crowd.map(({ method, path, ...options }) => app.call(method, path, options)),
        )
        for (const { body } of answers) learn(body)
        asked += answers.length
      },
    ),
    { seed, numRuns: 150 },
  )
  t.comment(`${asked} requests, ${holds.length} holds, ${orders.length} orders; seed ${seed}`)
  t.ok(asked > 100 && orders.length > 0)
  t.equal((await app.call('GET', '/readyz')).status, 200)
})

const frames = fc.oneof(
  fc
    .record(
      {
        op: fc.oneof(fc.constantFrom('subscribe', 'unsubscribe', 'publish'), fc.jsonValue()),
        ch: fc.oneof(
          fc.constantFrom('me', `queue:${hall}`, `queue:${slots}`, 'queue:', 'chat:x'),
          fc.jsonValue(),
        ),
        since: fc.oneof(fc.constantFrom('1:1', ''), fc.jsonValue()),
        data: fc.jsonValue(),
        ref: fc.oneof(fc.nat(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    .map((frame) => JSON.stringify(frame)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)

t.test('whatever is sent over a WebSocket, each error and each end is a documented one', async (t) => {
  const codes = new Set(errorCatalogue.filter(({ status }) => status !== 500).map(({ code }) => code))
  const ends = new Set<number>([1005, ...Object.values(closeCodes).map(({ code }) => code)])
  let sent = 0
  await fc.assert(
    fc.asyncProperty(fc.array(frames, { minLength: 1, maxLength: 15 }), fc.nat(2), async (list, who) => {
      const socket = await app.ws(buyers[who]?.token ?? '')
      for (const frame of list) socket.socket.send(frame, { binary: typeof frame !== 'string' })
      sent += list.length
      // A closing handshake comes behind all answers.
      socket.socket.close()
      const { code } = await socket.closed
      if (!ends.has(code)) throw new Error(`closed with ${code}`)
      for (const { data } of socket.replies.all) {
        const error = at(data, 'error.code')
        if (error !== undefined && (typeof error !== 'string' || !codes.has(error)))
          throw new Error(`answered ${JSON.stringify(data)}`)
      }
    }),
    { seed, numRuns: 1000 },
  )
  t.comment(`${sent} frames; seed ${seed}`)
  t.ok(sent > 300)
  t.ok(await (await app.ws(buyers[0]?.token ?? '')).subscribe('me'))
})
