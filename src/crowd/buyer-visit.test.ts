import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { FakeOpenrun, problem, type FakeReply, type FakeRequest } from '../../test/support/fake-openrun.ts'
import { SwiftTime } from '../../test/support/swift-time.ts'
import { until } from '../../test/support/until.ts'
import { OpenrunClient } from '../client/openrun-client.ts'
import { buyerPlan, type BuyerPlan } from './buyer-plan.ts'
import { visit } from './buyer-visit.ts'
import type { JournalFact } from './journal.ts'
import type { SaleOffer } from './sale-offer.ts'

const saleId = 'sal_0a1b2c3d4e5f6g7h8i9j'
const sequence = 2 ** 32 + 5
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const ticket = `${base64(['key', saleId, 'usr_1', sequence, 1, 0])}.mac`
const admitted = {
  purchaseToken: `head.${base64({ jti: sequence.toString(36) })}.mac`,
  admittedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-01T00:05:00.000Z',
}
const waiting = { state: 'waiting', ticket, position: 1, behind: 0, etaSeconds: 1 }
const nothingLeft = {
  position: 9,
  ahead: 8,
  behind: 0,
  etaSeconds: 9,
  ratePerMinute: 60,
  pacePerMinute: 0,
  left: 0,
}
const calm: BuyerPlan = {
  ...buyerPlan(1, 1),
  transport: 'sse',
  joinsTwice: false,
  leavesAfterMs: undefined,
  away: undefined,
  count: 2,
  chooses: 'best',
  tries: 3,
  firstHold: 'order',
  method: 'sandbox_approve',
  booksInOneCall: false,
}

function order(status: string, id = 'ord_1') {
  const rest = { total: { amountMinor: 9, currency: 'KRW' }, refund: 'none', payBy: null, endedAt: null }
  const booking = { id: 'bkg_1', unit: 'A-01-01', priceClass: 'A', priceMinor: 9, checkedInAt: null }
  const bookings = [{ ...booking, status: status === 'booked' ? 'booked' : 'pending' }]
  return { order: { id, sale: saleId, status, createdAt: admitted.admittedAt, ...rest, bookings } }
}

/** What a friendly server answers; a test puts its own answers before these. */
function friendly({ method, path }: FakeRequest): FakeReply {
  const call = `${method} ${path.replace('/api/v1', '').replace(saleId, 'SALE')}`
  const replies: Record<string, FakeReply> = {
    'POST /sales/SALE/queue': { status: 201, body: waiting },
    'DELETE /sales/SALE/queue/me': { status: 204 },
    'GET /sales/SALE/queue/stream': events(['admitted', admitted]),
    'POST /sales/SALE/holds': {
      status: 201,
      body: {
        hold: {
          id: 'hol_1',
          units: [{ unit: 'A-01-01', quantity: 1 }],
          expiresAt: admitted.expiresAt,
          extendable: true,
        },
      },
    },
    'DELETE /holds/hol_1': { status: 204 },
    'POST /orders': { status: 201, body: order('pending') },
    'GET /orders/ord_1': { status: 200, body: order('booked') },
    'POST /sales/SALE/bookings': { status: 201, body: order('booked') },
    'GET /bookings/bkg_1/ticket': {
      status: 200,
      body: {
        booking: 'bkg_1',
        sale: saleId,
        unit: 'A-01-01',
        issue: 1,
        code: `h.${base64({ b: 'bkg_1', u: 'A-01-01' })}.s`,
        svg: '<svg/>',
      },
    },
  }
  return replies[call] ?? { status: 404, body: problem(404, 'no_such_route') }
}

function events(...sent: readonly (readonly [string, object])[]) {
  return (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    for (const [type, data] of sent) response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
  }
}

async function visiting(
  t: Test,
  plan: Partial<BuyerPlan>,
  reply: (request: FakeRequest, count: number) => FakeReply | undefined = () => undefined,
  offerMore: Partial<SaleOffer> = {},
) {
  const fake = await FakeOpenrun.start(t)
  const counts = new Map<string, number>()
  fake.reply = (request) => {
    const call = `${request.method} ${request.path}`
    counts.set(call, (counts.get(call) ?? 0) + 1)
    return reply(request, counts.get(call) ?? 0) ?? friendly(request)
  }
  const facts: JournalFact[] = []
  const time = new SwiftTime(40_000)
  const client = new OpenrunClient({
    baseUrl: fake.url,
    timeoutMs: 100_000,
    time,
    random: () => 0,
    WebSocket,
  })
  const queue = { maxPerAccount: 4 } as SaleOffer['sale']['queue']
  const sale = { id: saleId, store: null, queue } as SaleOffer['sale']
  const codes = ['A-01-01', 'A-01-02']
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  fake.onFrame = ({ ref, ch }, socket) => {
    socket.send(JSON.stringify({ ref, ok: true }))
    socket.send(JSON.stringify({ ch, type: 'admitted', data: admitted }))
  }
  const outcome = visit({
    client,
    secondTab: client,
    offer: { sale, kind: 'seats', isFree: false, codes, capacities: new Map(), ...offerMore },
    plan: { ...calm, ...plan },
    time,
    random: () => 0,
    note: (fact) => facts.push(fact),
    signal: stop.signal,
  })
  return {
    outcome,
    facts,
    stop,
    calls: () =>
      fake.requests.map(({ method, path }) => `${method} ${path.replace(`/api/v1/sales/${saleId}`, '')}`),
    bodies: (path: string) => fake.requests.filter((one) => one.path.endsWith(path)).map(({ body }) => body),
    types: () => facts.map(({ type }) => type),
  }
}

t.test(
  'a buyer joins, waits, holds, orders, follows the payment, takes the ticket and makes room',
  async (t) => {
    const { outcome, types, facts, bodies } = await visiting(t, {})
    t.equal(await outcome, 'bought')
    t.same(types(), [
      'join-sent',
      'joined',
      'connected',
      'admitted',
      'held',
      'order-sent',
      'order-said',
      'order-said',
      'order-decided',
      'ticket',
      'leave-sent',
      'done',
    ])
    t.match(facts[1], { sequence })
    t.match(facts[3], { sequence, admittedAtMs: Date.parse(admitted.admittedAt) })
    t.match(facts[9], { isRight: true })
    t.same(bodies('/holds'), [{ best: { count: 2 } }])
    t.same(bodies('/orders'), [{ hold: 'hol_1', payment: { method: 'sandbox_approve' } }])
  },
)

t.test('who is refused what it chose takes what there is', async (t) => {
  const taken = { status: 409, body: problem(409, 'unit_taken') }
  const { outcome, bodies } = await visiting(t, { chooses: 'single' }, ({ path }, count) =>
    path.endsWith('/holds') && count < 3 ? taken : undefined,
  )
  t.equal(await outcome, 'bought')
  t.same(bodies('/holds'), [{ units: [{ unit: 'A-01-01' }] }, { best: { count: 2 } }, { best: { count: 1 } }])
})

t.test('a hold that was lost is taken again', async (t) => {
  const { outcome, calls } = await visiting(t, {}, ({ method, path }, count) =>
    method === 'POST' && path.endsWith('/orders') && count === 1
      ? { status: 409, body: problem(409, 'hold_gone') }
      : undefined,
  )
  t.equal(await outcome, 'bought')
  t.equal(calls().filter((call) => call === 'POST /holds').length, 2)
})

t.test('a refused payment is tried again with one that works', async (t) => {
  const { outcome, bodies } = await visiting(t, { method: 'sandbox_refuse' }, ({ path }, count) =>
    path.endsWith('/ord_1') && count === 1 ? { status: 200, body: order('refused') } : undefined,
  )
  t.equal(await outcome, 'bought')
  t.same(
    bodies('/orders').map((body) => (body as { payment: { method: string } }).payment.method),
    ['sandbox_refuse', 'sandbox_approve'],
  )
})

t.test('who changes its mind gives the first hold back', async (t) => {
  const { outcome, calls } = await visiting(t, { firstHold: 'release' })
  t.equal(await outcome, 'bought')
  t.same(
    calls().filter((call) => call.includes('hol')),
    ['POST /holds', 'DELETE /api/v1/holds/hol_1', 'POST /holds'],
  )
})

t.test('who walks away with a hold says nothing', async (t) => {
  const { outcome, types } = await visiting(t, { firstHold: 'abandon' })
  t.equal(await outcome, 'abandoned')
  t.notOk(types().includes('leave-sent'))
  t.notOk(types().includes('order-sent'))
})

t.test('where nothing is to be paid one call may do', async (t) => {
  const { outcome, calls } = await visiting(t, { booksInOneCall: true }, undefined, { isFree: true })
  t.equal(await outcome, 'bought')
  t.ok(calls().includes('POST /bookings'))
  t.notOk(calls().includes('POST /holds'))
})

t.test('two tabs join at once and wait once', async (t) => {
  const { outcome, types } = await visiting(t, { joinsTwice: true })
  await outcome
  t.equal(types().filter((type) => type === 'joined').length, 2)
  t.equal(types().filter((type) => type === 'connected').length, 1)
})

t.test('when all is sold the buyer goes', async (t) => {
  const { outcome, types } = await visiting(t, {}, ({ path }) =>
    path.endsWith('/stream') ? events(['soldout', {}]) : undefined,
  )
  t.equal(await outcome, 'sold-out')
  t.same(types().slice(-3), ['soldout', 'leave-sent', 'done'])
})

t.test('when nothing is left the buyer waits for as long as its patience lasts', async (t) => {
  const { outcome, types } = await visiting(t, { patienceMs: 20_000 }, ({ path }) =>
    path.endsWith('/stream') ? events(['position', nothingLeft]) : undefined,
  )
  t.equal(await outcome, 'sold-out')
  t.ok(types().includes('seen-waiting'))
})

t.test('who gives up the line leaves it', async (t) => {
  const { outcome, types } = await visiting(t, { leavesAfterMs: 5_000 }, ({ path }) =>
    path.endsWith('/stream') ? events() : undefined,
  )
  t.equal(await outcome, 'left')
  t.ok(types().includes('leave-sent'))
})

t.test('who leaves listens no longer, and so does not come back for a lost place', async (t) => {
  let stream: ServerResponse | undefined
  let answer = (): void => undefined
  const { outcome, calls } = await visiting(t, { patienceMs: 5_000 }, ({ path, method }, count) => {
    if (method === 'POST' && count > 1) answer()
    if (method === 'DELETE') {
      // Answered when the stream was left, or when whoever listens to it has come back.
      return (response) => {
        answer = () => void response.writeHead(204).end()
        if (stream?.closed !== false) return answer()
        stream.once('close', answer)
        stream.write('event: absent\ndata: {}\n\n')
      }
    }
    if (!path.endsWith('/stream')) return undefined
    return (response) => {
      stream = response
      events(['position', nothingLeft])(response)
    }
  })
  t.equal(await outcome, 'sold-out')
  t.equal(calls().filter((call) => call === 'POST /queue').length, 1)
})

t.test('who goes away comes back, and is let in', async (t) => {
  const away = { afterMs: 1_000, forMs: 1_000 }
  const { outcome, types } = await visiting(t, { away }, ({ path }) =>
    path.endsWith('/stream') ? events() : undefined,
  )
  t.equal(await outcome, 'bought')
  t.ok(types().includes('disconnected'))
  t.ok(types().indexOf('disconnected') < types().lastIndexOf('connected'))
})

t.test('a token that has ended is too late', async (t) => {
  const { outcome } = await visiting(t, {}, ({ path }) =>
    path.endsWith('/holds') ? { status: 403, body: problem(403, 'admission_over') } : undefined,
  )
  t.equal(await outcome, 'too-late')
})

t.test('what should never happen is noted and ends the visit', async (t) => {
  const { outcome, facts } = await visiting(t, {}, ({ path }) =>
    path.endsWith('/holds') ? { status: 422, body: problem(422, 'invalid_request') } : undefined,
  )
  t.equal(await outcome, 'failed')
  t.match(
    facts.find(({ type }) => type === 'failed'),
    { call: 'buying', why: /invalid_request/ },
  )
})

t.test('when the crowd goes home the buyer does not keep it waiting', async (t) => {
  const { outcome, stop, types } = await visiting(t, {}, ({ path }) =>
    path.endsWith('/stream') ? events() : undefined,
  )
  await until('waiting', () => types().includes('connected'))
  stop.abort()
  t.equal(await outcome, 'out-of-time')
})
