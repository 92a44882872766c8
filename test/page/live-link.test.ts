import t from 'tap'
import { LiveLink, type Connection } from '../../public/live/live-link.js'
import { Problem } from '../../public/live/problem.js'
import type { Beginning, Wire, WireEvents } from '../../public/live/wire.js'
import { FakeClock } from '../support/fake-clock.ts'

/** A wire that tells what it was asked, and does what the test says. */
class FakeWire implements Wire {
  readonly subscribed: [string, Beginning][] = []
  readonly unsubscribed: string[] = []
  readonly said: [string, unknown][] = []
  checks = 0
  isClosed = false

  constructor(
    readonly kind: 'socket' | 'streams',
    readonly events: WireEvents,
  ) {}

  subscribe(ch: string, how: Beginning): void {
    this.subscribed.push([ch, how])
  }
  unsubscribe(ch: string): void {
    this.unsubscribed.push(ch)
  }
  say(ch: string, data: unknown): void {
    this.said.push([ch, data])
  }
  check(): void {
    this.checks++
  }
  close(): void {
    this.isClosed = true
  }

  opens(): void {
    this.events.onOpen()
    for (const [ch] of this.subscribed) this.events.onTaken(ch)
  }
  cut(how: { isFinal?: boolean; wasOpen?: boolean } = {}): void {
    this.events.onClosed({ isFinal: false, wasOpen: true, ...how })
  }
}

function setUp({ isReachable = true } = {}) {
  const clock = new FakeClock()
  const wires: FakeWire[] = []
  const states: Connection['state'][] = []
  const renewals: string[] = []
  const link = new LiveLink({
    timers: {
      nowMs: () => clock.nowMs(),
      after: (work, ms) => {
        const calledOff = new AbortController()
        void clock.wait(ms, calledOff.signal).then(() => calledOff.signal.aborted || work())
        return () => calledOff.abort()
      },
    },
    random: () => 0,
    renewAccount: async () => void renewals.push('renewed'),
    isReachable: async () => isReachable,
    wire: (kind, events) => {
      const wire = new FakeWire(kind, events)
      wires.push(wire)
      return wire
    },
    onChange: ({ state }) => {
      if (states.at(-1) !== state) states.push(state)
    },
  })
  const last = (): FakeWire => {
    const wire = wires.at(-1)
    if (wire === undefined) throw new Error('There is no wire yet')
    return wire
  }
  return { clock, link, wires, states, renewals, last }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
const refusal = (code: string, status: number, retryAfterSeconds = 0) =>
  new Problem({ code, status }, { retryAfterSeconds })

t.test('every channel goes on where it was after a cut, and says again what it keeps saying', async (t) => {
  const { clock, link, wires, states, last } = setUp()
  const heard: unknown[] = []
  let position: string | undefined
  const listening = link.listen('units:sal_a', {
    since: () => position,
    onEvent: ({ data, id }) => {
      heard.push(data)
      position = id
    },
  })
  link.listen('queue:sal_a', { onEvent: ({ data }) => heard.push(data) })
  last().opens()
  listening.keepSaying({ watch: ['A-01-01'] })
  last().events.onEvent('units:sal_a', { type: 'delta', data: 1, id: '1:7' })

  last().cut()
  await clock.advance(60_000)
  t.equal(wires.length, 2, 'one connection for all channels')
  last().opens()
  t.strictSame(last().subscribed, [
    ['units:sal_a', { since: '1:7', said: { watch: ['A-01-01'] } }],
    ['queue:sal_a', { since: undefined, said: undefined }],
  ])
  last().events.onEvent('queue:sal_a', { type: 'position', data: 2, id: undefined })
  t.strictSame(heard, [1, 2])
  t.strictSame(states, ['connecting', 'open', 'lost', 'open'])
})

t.test('attempts go on for ever, with pauses that grow up to a limit', async (t) => {
  const { clock, link, wires, last } = setUp({ isReachable: false })
  link.listen('queue:sal_a', { onEvent: () => {} })
  const pauses: number[] = []
  for (let cut = 0; cut < 12; cut++) {
    const before = clock.nowMs()
    last().cut({ wasOpen: false })
    await settled()
    pauses.push(link.connection.nextTryAtMs - before)
    await clock.advance(link.connection.nextTryAtMs - before)
  }
  t.equal(wires.length, 13)
  t.same(pauses.slice(0, 3), [200, 400, 800])
  t.ok(pauses.every((pause) => pause <= 15_000))
  t.equal(pauses.at(-1), 7_500)
})

t.test('whatever an old connection still says is not heard', async (t) => {
  const { clock, link, last } = setUp()
  const heard: unknown[] = []
  link.listen('queue:sal_a', { onEvent: ({ data }) => heard.push(data) })
  const old = last()
  old.opens()
  old.cut()
  await clock.advance(60_000)
  old.events.onEvent('queue:sal_a', { type: 'position', data: 'old', id: undefined })
  old.cut()
  t.strictSame(heard, [])
  t.notOk(last().isClosed)
})

t.test('a network that lets no WebSocket through gets streams', async (t) => {
  const { clock, link, wires, last } = setUp({ isReachable: true })
  link.listen('queue:sal_a', { onEvent: () => {} })
  for (let cut = 0; cut < 2; cut++) {
    last().cut({ wasOpen: false })
    await clock.advance(60_000)
  }
  last().opens()
  t.strictSame(
    wires.map(({ kind }) => kind),
    ['socket', 'socket', 'streams'],
  )
  t.equal(link.connection.via, 'streams')

  last().cut()
  await clock.advance(60_000)
  t.equal(last().kind, 'socket', 'after a cut the WebSocket gets another chance')
})

t.test('while nothing gets through, WebSockets are not given up', async (t) => {
  const { clock, link, wires, last } = setUp({ isReachable: false })
  link.listen('queue:sal_a', { onEvent: () => {} })
  for (let cut = 0; cut < 6; cut++) {
    last().cut({ wasOpen: false })
    await clock.advance(60_000)
  }
  t.ok(wires.every(({ kind }) => kind === 'socket'))
})

t.test(
  'a subscription that is refused for the moment is asked for again, as late as the server said',
  async (t) => {
    const { clock, link, last } = setUp()
    const refused: Problem[] = []
    link.listen('queue:sal_a', { onEvent: () => {}, onRefused: (problem) => refused.push(problem) })
    last().opens()
    last().events.onRefused('queue:sal_a', refusal('restoring', 503, 3))
    await clock.advance(2_999)
    t.equal(last().subscribed.length, 1)
    await clock.advance(1)
    t.equal(last().subscribed.length, 2)
    t.strictSame(refused, [])
  },
)

t.test('a subscription that is refused for good says so, and is not asked for again', async (t) => {
  const { clock, link, last } = setUp()
  const refused: string[] = []
  const listen = () =>
    link.listen('queue:sal_a', { onEvent: () => {}, onRefused: ({ code }) => refused.push(code) })
  listen()
  last().opens()
  last().events.onRefused('queue:sal_a', refusal('no_such_sale', 404))
  await clock.advance(60_000)
  t.strictSame(refused, ['no_such_sale'])
  t.equal(last().subscribed.length, 1)
  listen()
  t.equal(last().subscribed.length, 2, 'whoever listens anew is asked for anew')
})

t.test('who is not known is made known, and the connection opened anew; not for ever', async (t) => {
  const { link, wires, renewals, last } = setUp()
  const refused: string[] = []
  link.listen('me', { onEvent: () => {}, onRefused: ({ code }) => refused.push(code) })
  for (let turn = 0; turn < 3; turn++) {
    last().events.onOpen()
    last().events.onRefused('me', refusal('unauthenticated', 401))
    await settled()
  }
  t.strictSame([wires.length, renewals.length, refused], [3, 2, ['unauthenticated']])
})

t.test('a server that does not want us back is left alone until somebody wakes the link', async (t) => {
  const { clock, link, wires, states, last } = setUp()
  link.listen('me', { onEvent: () => {} })
  last().opens()
  last().cut({ isFinal: true })
  await clock.advance(600_000)
  t.strictSame([wires.length, states.at(-1)], [1, 'refused'])
  link.wake()
  last().opens()
  t.strictSame([wires.length, states.at(-1)], [2, 'open'])
})

t.test('waking asks a connection for a sign of life, and does not wait with a lost one', async (t) => {
  const { link, wires, last } = setUp()
  link.listen('me', { onEvent: () => {} })
  last().opens()
  link.wake()
  t.equal(last().checks, 1)
  last().cut()
  link.wake()
  t.equal(wires.length, 2)
})

t.test('a gap is repaired by beginning anew after what was heard', async (t) => {
  const { link, last } = setUp()
  const listening = link.listen('units:sal_a', { since: () => '3:9', onEvent: () => {} })
  listening.again()
  t.strictSame(last().subscribed, [], 'not before it is open')
  last().opens()
  listening.again()
  t.strictSame(
    last().subscribed.map(([, { since }]) => since),
    ['3:9', '3:9'],
  )
})

t.test('the last who leaves closes the connection, and nothing is tried any more', async (t) => {
  const { clock, link, wires, states, last } = setUp()
  const one = link.listen('me', { onEvent: () => {} })
  const other = link.listen('queue:sal_a', { onEvent: () => {} })
  t.throws(() => link.listen('me', { onEvent: () => {} }), /listened to already/)
  last().opens()
  one.end()
  t.strictSame([last().unsubscribed, last().isClosed], [['me'], false])
  last().cut()
  other.end()
  await clock.advance(60_000)
  t.strictSame([wires.length, states.at(-1)], [1, 'idle'])
})
