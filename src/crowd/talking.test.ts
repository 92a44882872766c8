import t, { type Test } from 'tap'
import { FakeOpenrun, problem, type FakeReply } from '../../test/support/fake-openrun.ts'
import { SwiftTime } from '../../test/support/swift-time.ts'
import { OpenrunClient } from '../client/openrun-client.ts'
import { buyerPlan } from './buyer-plan.ts'
import type { JournalFact } from './journal.ts'
import type { SaleOffer } from './sale-offer.ts'
import { talk } from './talking.ts'

const store = 'sto_0a1b2c3d4e5f6g7h8i9j'

async function talking(
  t: Test,
  says: number,
  reply: (text: string) => FakeReply,
  in_: string | null = store,
) {
  const fake = await FakeOpenrun.start(t)
  const texts: string[] = []
  fake.reply = ({ path, body }) => {
    const { text } = body as { text: string }
    texts.push(text)
    return path === `/api/v1/stores/${store}/messages` ? reply(text) : { status: 404, body: {} }
  }
  const time = new SwiftTime(40_000)
  const client = new OpenrunClient({ baseUrl: fake.url, time, random: () => 0, timeoutMs: 100_000 })
  const facts: JournalFact[] = []
  let chance = 0
  await talk({
    client,
    secondTab: client,
    offer: { sale: { id: 'sal_1', store: in_ } } as SaleOffer,
    plan: { ...buyerPlan(1, 1), says },
    time,
    random: () => (chance += 0.01),
    note: (fact) => facts.push(fact),
    signal: new AbortController().signal,
  })
  return { facts, texts, types: facts.map(({ type }) => type) }
}

const entry = (text: string, seq: number): FakeReply => ({
  status: 201,
  body: {
    seq,
    id: 'a',
    kind: 'talk',
    member: { id: 'cme_1', name: 'A' },
    text,
    at: '2026-01-01T00:00:00.000Z',
  },
})

t.test('a buyer says as much as planned, and notes what the server made of it', async (t) => {
  let seq = 0
  const { facts, texts } = await talking(t, 2, (text) => entry(text, ++seq))
  t.match(facts, [
    { type: 'say-sent', text: texts[0] },
    { type: 'said', text: texts[0], seq: 1 },
    { type: 'say-sent', text: texts[1] },
    { type: 'said', text: texts[1], seq: 2 },
  ])
  t.not(texts[0], texts[1], 'no two are alike')
})

t.test('where there is no store nothing is said', async (t) => {
  t.same((await talking(t, 2, (text) => entry(text, 1), null)).facts, [])
})

t.test('a room that is closed is no failure of the server', async (t) => {
  const closed = { status: 409, body: problem(409, 'room_closed') }
  t.same((await talking(t, 2, () => closed)).types, ['say-sent', 'say-sent'])
})

t.test('a server that fails is', async (t) => {
  const broken = { status: 500, body: problem(500, 'internal') }
  t.same((await talking(t, 1, () => broken)).types, ['say-sent', 'failed'])
})
