import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { FakeOpenrun, problem } from '../../test/support/fake-openrun.ts'
import { SwiftTime } from '../../test/support/swift-time.ts'
import { until } from '../../test/support/until.ts'
import { OpenrunClient } from './openrun-client.ts'
import type { LineEvent, Transport } from './waiting.ts'

const sale = 'sal_0a1b2c3d4e5f6g7h8i9j'
const rejoined = { state: 'waiting', ticket: 'new.m', position: 3, behind: 0, etaSeconds: 2 }
const position = {
  position: 2,
  ahead: 1,
  behind: 0,
  etaSeconds: 1,
  ratePerMinute: 60,
  pacePerMinute: 0,
  left: 9,
}
const admitted = {
  purchaseToken: 'jwt',
  expiresAt: '2026-01-01T00:05:00Z',
  admittedAt: '2026-01-01T00:00:00Z',
}

/** A line over one of the transports, whose server end the test holds in its hands. */
class Line {
  readonly fake: FakeOpenrun
  readonly transport: Transport
  readonly seen: LineEvent[] = []
  readonly joins: unknown[] = []
  readonly streams: ServerResponse[] = []
  joinReply: (body: unknown) => { status: number; body: unknown } = () => ({ status: 200, body: rejoined })
  ending: 'complete' | { code?: string; name?: string } | undefined
  readonly time = new SwiftTime()

  private constructor(fake: FakeOpenrun, transport: Transport) {
    this.fake = fake
    this.transport = transport
  }

  static async open(t: Test, transport: Transport, more: { ticket?: string } = {}): Promise<Line> {
    const line = new Line(await FakeOpenrun.start(t), transport)
    const { fake } = line
    fake.reply = ({ path, body }) => {
      if (path.endsWith('/queue/stream')) {
        return (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write('retry: 100\n\n')
          line.streams.push(response)
        }
      }
      line.joins.push(body)
      return line.joinReply(body)
    }
    fake.onFrame = ({ ref }, socket) => socket.send(JSON.stringify({ ref, ok: true }))
    const client = new OpenrunClient({
      baseUrl: fake.url,
      token: 'tok',
      time: line.time,
      random: () => 0,
      WebSocket,
    })
    const subscription = client.waitInLine({ sale, transport, ...more }).subscribe({
      next: (event) => line.seen.push(event),
      error: (error: { code?: string; name?: string }) => (line.ending = error),
      complete: () => (line.ending = 'complete'),
    })
    t.teardown(() => subscription.unsubscribe())
    await line.connections(1)
    return line
  }

  async connections(count: number): Promise<void> {
    await until(
      `connection ${count}`,
      () => this.types().filter((type) => type === 'connected').length === count,
    )
  }

  types(): string[] {
    return this.seen.map(({ type }) => type)
  }

  tell(type: string, data: object = {}): void {
    const json = JSON.stringify(data)
    if (this.transport === 'sse') this.streams.at(-1)?.write(`event: ${type}\ndata: ${json}\n\n`)
    else this.fake.sockets.at(-1)?.send(JSON.stringify({ ch: `queue:${sale}`, type, data }))
  }

  cut(): void {
    if (this.transport === 'sse') this.streams.at(-1)?.destroy()
    else this.fake.sockets.at(-1)?.terminate()
  }

  async told(...types: readonly string[]): Promise<void> {
    await until(types.join(), () => types.every((type) => this.types().includes(type)))
  }
}

for (const transport of ['sse', 'ws'] as const) {
  t.test(`over ${transport}`, async (t) => {
    t.test('what the server tells arrives, checked, until the place has ended', async (t) => {
      const line = await Line.open(t, transport)
      line.tell('position', position)
      line.tell('weather', { fine: true })
      line.tell('position', { position: 'near' })
      line.tell('admitted', admitted)
      line.tell('fulfilled')
      await until('the end', () => line.ending === 'complete')
      t.same(line.types(), ['connected', 'position', 'admitted', 'fulfilled'])
      t.same(line.seen[1]?.data, position)
    })

    t.test('after a cut it connects again, and says both', async (t) => {
      const line = await Line.open(t, transport)
      line.cut()
      await line.connections(2)
      line.tell('position', position)
      await line.told('position')
      t.same(line.types(), ['connected', 'disconnected', 'connected', 'position'])
      t.same(line.joins, [], 'the place was not lost')
    })

    t.test('a lost place is brought back with the ticket', async (t) => {
      const line = await Line.open(t, transport, { ticket: 'old.m' })
      line.tell('absent')
      await line.told('rejoined')
      line.tell('absent')
      await until('two joins', () => line.joins.length === 2)
      t.same(line.joins, [{ ticket: 'old.m' }, { ticket: 'new.m' }])
      t.equal(line.ending, undefined)
    })

    t.test('whoever comes back and is let in at once is told so', async (t) => {
      const line = await Line.open(t, transport)
      const body = { state: 'admitted', ticket: 'a.m', position: 0, behind: 0, etaSeconds: 0, ...admitted }
      line.joinReply = () => ({ status: 200, body })
      line.tell('absent')
      await line.told('rejoined', 'admitted')
      t.match(line.seen.at(-1), { type: 'admitted', data: { purchaseToken: 'jwt' } })
    })

    t.test('after a purchase the place is gone for good: nobody joins again', async (t) => {
      const line = await Line.open(t, transport)
      line.tell('admitted', admitted)
      line.tell('absent')
      await until('the end', () => line.ending === 'complete')
      t.same(line.joins, [])
    })

    t.test('an admission that is told again after a cut is told once', async (t) => {
      const line = await Line.open(t, transport)
      line.tell('admitted', admitted)
      await line.told('admitted')
      line.cut()
      await line.connections(2)
      line.tell('admitted', { ...admitted, purchaseToken: 'signed anew' })
      line.tell('expired')
      await until('the end', () => line.ending === 'complete')
      t.equal(line.types().filter((type) => type === 'admitted').length, 1)
    })

    t.test('a ticket that is not known any more does not keep anybody out', async (t) => {
      const line = await Line.open(t, transport, { ticket: 'forged' })
      line.joinReply = (body) =>
        body !== null && typeof body === 'object' && 'ticket' in body
          ? { status: 422, body: problem(422, 'queue_ticket_invalid') }
          : { status: 201, body: rejoined }
      line.tell('absent')
      await line.told('rejoined')
      t.same(line.joins, [{ ticket: 'forged' }, {}])
    })

    t.test('a sale that closed meanwhile ends the wait', async (t) => {
      const line = await Line.open(t, transport)
      line.joinReply = () => ({ status: 409, body: problem(409, 'sale_closed') })
      line.tell('absent')
      await until('the end', () => line.ending === 'complete')
      t.equal(line.types().at(-1), 'closed')
    })
  })
}

t.test('a stream that asks for a pause gets it before the next connection', async (t) => {
  const line = await Line.open(t, 'sse')
  line.cut()
  await line.connections(2)
  t.ok(line.time.waits.includes(100))
})

t.test('a stream that the server refuses for good ends the wait with its error', async (t) => {
  const fake = await FakeOpenrun.start(t)
  fake.reply = () => ({ status: 404, body: problem(404, 'no_such_sale') })
  const client = new OpenrunClient({ baseUrl: fake.url, time: new SwiftTime(), random: () => 0 })
  const ending = await new Promise((resolve) =>
    client.waitInLine({ sale, transport: 'sse' }).subscribe({ error: resolve }),
  )
  t.match(ending, { code: 'no_such_sale' })
})

t.test('a stream that falls silent is taken for dead', async (t) => {
  const fake = await FakeOpenrun.start(t)
  fake.reply = () => (response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  const time = new SwiftTime(60_000)
  const client = new OpenrunClient({ baseUrl: fake.url, timeoutMs: 100_000, time, random: () => 0 })
  const cut = await new Promise<LineEvent>((resolve) => {
    const events = client.waitInLine({ sale, transport: 'sse' }).subscribe((event) => {
      if (event.type !== 'disconnected') return
      events.unsubscribe()
      resolve(event)
    })
  })
  t.match(cut, { data: { error: { name: 'ConnectionError', message: /silent/ } } })
})
