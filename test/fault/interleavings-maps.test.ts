import fc from 'fast-check'
import { Subject } from 'rxjs'
import t from 'tap'
import { UnitMap as KnownMap } from '../../src/client/unit-map.ts'
import type {
  AvailabilityDelta,
  AvailabilitySnapshot,
  UnitsDelta,
} from '../../src/domain/units/unit-messages.ts'
import { ChannelRegistry } from '../../src/server/channel.ts'
import type { EventFrame } from '../../src/server/protocol/ws-frames.ts'
import { mapTopic, unitsChannel } from '../../src/server/routes/availability.ts'
import { Topics } from '../../src/server/topics.ts'
import { Subscriptions } from '../../src/server/ws-subscriptions.ts'
import { MapViews } from '../../src/streams/map-views.ts'
import { UnitMaps } from '../../src/streams/unit-maps.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { callFate, explore, Turns, Way, type CallFate } from '../support/interleaving.ts'
import { at } from '../support/shop.ts'
import { hallUnits, TrueHall } from '../support/true-hall.ts'

/*
 * The way of a map from the scripts to the client: each message, each reading and its answer comes when the scheduler
 * says so, and people come and go in between.
 */

const saleId = 'sal_1234567890abcdefghij'
const ch = `units:${saleId}`

/** An edge, with Redis between it and the hall in the hands of the scheduler. */
class Edge {
  readonly #hall: TrueHall
  readonly topics = new Topics()
  readonly channels: ChannelRegistry
  readonly #turns: Turns
  readonly #fates: CallFate[]
  readonly #published = { units: new Subject<unknown>(), line: new Subject<unknown>() }
  readonly #lost$ = new Subject<void>()
  readonly #subscription: Way
  readonly #maps: UnitMaps
  readonly #views: MapViews
  #isCut = false

  constructor(turns: Turns, hall: TrueHall, clock: FakeClock, fates: readonly CallFate[]) {
    this.#turns = turns
    this.#hall = hall
    this.#fates = [...fates]
    this.#subscription = new Way(turns, 'a message arrives')
    const catalogue = {
      sale: async () => {
        await turns.turn('the sale is known')
        return { id: saleId, status: 'open' } as never
      },
      units: async () => {
        await turns.turn('the units are known')
        return hallUnits
      },
    }
    const state = { run: () => this.#read() } as never
    const messages = (name: string) => this.#published[name.endsWith('units') ? 'units' : 'line']
    this.#maps = new UnitMaps({ state, catalogue, broker: { messages, lost$: this.#lost$ } as never })
    this.#views = new MapViews({
      maps: this.#maps,
      catalogue,
      clock,
      tell: (sale, group, event) => this.topics.publish(mapTopic(sale, group), { ch, ...event }),
    })
    this.channels = new ChannelRegistry([unitsChannel({ views: this.#views, state, catalogue })])
  }

  hear(delta: UnitsDelta): void {
    this.#publish('units', delta)
  }

  hearHead(): void {
    this.#publish('line', this.#hall.head())
  }

  /** The subscription is cut, and comes back at a turn of its own. */
  cut(): void {
    if (this.#isCut) return
    this.#isCut = true
    this.#subscription.cut()
    void this.#turns.turn('it is subscribed again').then(() => {
      this.#isCut = false
      this.#lost$.next()
    })
  }

  heal(): void {
    this.#fates.length = 0
  }

  stop(): void {
    this.#views.stop()
    this.#maps.stop()
  }

  #publish(channel: 'units' | 'line', message: unknown): void {
    if (!this.#isCut) this.#subscription.send(() => this.#published[channel].next(message))
  }

  async #read(): Promise<unknown> {
    const fate = this.#fates.shift() ?? 'is answered'
    await this.#turns.turn('a reading arrives')
    const reading = this.#hall.reading()
    await this.#turns.turn(`a reading ${fate}`)
    if (fate !== 'is answered') throw new Error('Connection is closed.')
    return reading
  }
}

/** Follows the map by the rules of the protocol, over a connection that is as slow as the scheduler wants. */
class Client {
  readonly known = new KnownMap()
  readonly #edges: readonly Edge[]
  readonly #turns: Turns
  #cuts = 0
  #way: Way
  #subscriptions: Subscriptions
  isThere = false
  wentBack: string | undefined
  #isRefused = false

  constructor(edges: readonly Edge[], turns: Turns) {
    this.#edges = edges
    this.#turns = turns
    this.#way = new Way(turns, 'a frame arrives')
    this.#subscriptions = this.#connect()
  }

  come(): void {
    this.isThere = true
    this.#isRefused = false
    this.#subscriptions.add(ch, this.known.position).catch(() => {
      this.#isRefused = true
    })
  }

  go(): void {
    this.isThere = false
    this.#subscriptions.remove(ch)
  }

  /** It comes back to the next edge. */
  cut(): void {
    this.#subscriptions.clear()
    this.#cuts++
    this.#way.cut()
    this.#way = new Way(this.#turns, 'a frame arrives')
    this.#subscriptions = this.#connect()
    if (this.isThere) this.come()
  }

  /** Asks again where it was told no. */
  insist(): void {
    if (this.isThere && this.#isRefused) this.come()
  }

  #connect(): Subscriptions {
    const way = this.#way
    const { channels, topics } = at(this.#edges, this.#cuts % this.#edges.length)
    const send = (text: string): void => way.send(() => this.#hear(JSON.parse(text) as EventFrame))
    return new Subscriptions({
      channels,
      caller: undefined,
      traceId: '',
      channelsMax: 10,
      topics,
      emit: (frame) => send(JSON.stringify(frame)),
      emitEncoded: (bytes) => send(new TextDecoder().decode(bytes)),
      onUndoFailure: (_ch, error) => {
        throw error
      },
    })
  }

  #hear({ type, id, data }: EventFrame): void {
    const before = this.known.position
    if (type === 'snapshot') this.known.replace(data as AvailabilitySnapshot)
    else if (!this.known.follow(data as AvailabilityDelta, id) && this.isThere) this.come()
    // Another edge may know less.
    if (this.#edges.length === 1 && isBefore(this.known.position, before))
      this.wentBack = `from ${before} to ${this.known.position}`
  }
}

function isBefore(now: string | undefined, before: string | undefined): boolean {
  if (now === undefined || before === undefined) return false
  const [[epoch = 0, seq = 0], [epochBefore = 0, seqBefore = 0]] = [now, before].map((position) =>
    position.split(':').map(Number),
  ) as [number[], number[]]
  return epoch < epochBefore || (epoch === epochBefore && seq < seqBefore)
}

const who = fc.nat(2)
const change = fc.record({ kind: fc.constant('change' as const), unitNo: fc.nat(5), state: fc.nat(2) })
const pause = fc.record({
  kind: fc.constant('time passes' as const),
  ms: fc.constantFrom(30, 60, 1000, 40_000),
})
/** What an edge learns of by itself. */
const announced = [
  { weight: 8, arbitrary: change },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('come' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('go' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), who }) },
  { weight: 3, arbitrary: pause },
  { weight: 2, arbitrary: fc.constant({ kind: 'the subscription is cut' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('a change in a new epoch' as const),
      unitNo: fc.nat(5),
      state: fc.nat(2),
    }),
  },
]
/** What it learns of when the writer names the last revision, which it does once a second. */
const unannounced = [
  { weight: 2, arbitrary: fc.constant({ kind: 'Redis forgets' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('a lost change' as const),
      unitNo: fc.nat(5),
      state: fc.nat(2),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'the head is told' } as const) },
]
const oneOf = <T>(choices: readonly { weight: number; arbitrary: fc.Arbitrary<T> }[]): fc.Arbitrary<T> =>
  fc.oneof(...choices)
type Step = (typeof announced | typeof unannounced)[number]['arbitrary'] extends infer A
  ? A extends fc.Arbitrary<infer One>
    ? One
    : never
  : never

/** A hall, its edges and three who watch it. */
class Stage {
  readonly hall = new TrueHall()
  readonly clock = new FakeClock()
  readonly edges: readonly Edge[]
  readonly clients: readonly Client[]

  constructor(turns: Turns, edgeCount: number, fates: readonly CallFate[]) {
    this.edges = Array.from({ length: edgeCount }, () => new Edge(turns, this.hall, this.clock, fates))
    this.clients = [0, 1, 2].map(() => new Client(this.edges, turns))
    this.clients[0]?.come()
  }

  do(one: Step): unknown {
    switch (one.kind) {
      case 'change':
        return this.#tell(this.hall.change(one.unitNo, one.state))
      case 'a change in a new epoch':
        this.hall.forget()
        return this.#tell(this.hall.change(one.unitNo, one.state))
      case 'a lost change':
        return this.hall.change(one.unitNo, one.state)
      case 'time passes':
        return this.clock.advance(one.ms)
      case 'Redis forgets':
        return this.hall.forget()
      case 'the subscription is cut':
        return this.edges[0]?.cut()
      case 'the head is told':
        return this.tellHead()
      default:
        return this.clients[one.who]?.[one.kind]()
    }
  }

  tellHead(): void {
    for (const edge of this.edges) edge.hearHead()
  }

  mustBeKnown(): void {
    for (const { isThere, known, wentBack } of this.clients) {
      if (wentBack !== undefined) throw new Error(wentBack)
      if (isThere && known.seats.join('') !== this.hall.states.join(''))
        throw new Error(`${known.position}: ${known.seats.join('')}, truly ${this.hall.states.join('')}`)
    }
  }

  #tell(delta: UnitsDelta): void {
    for (const edge of this.edges) edge.hear(delta)
  }
}

const mapsConverge = (
  steps: fc.Arbitrary<Step>,
  edgeCount: number,
  { isHeadTold }: { isHeadTold: boolean },
) =>
  fc.asyncProperty(
    fc.scheduler(),
    fc.array(steps, { minLength: 3, maxLength: 15 }),
    fc.array(callFate, { maxLength: 4 }),
    async (scheduler, all, fates) => {
      const turns = new Turns(scheduler)
      const stage = new Stage(turns, edgeCount, fates)
      const isDone = turns.inOrder(all.map((one) => [one.kind, () => stage.do(one)]))
      await turns.play()
      await isDone
      for (const edge of stage.edges) edge.heal()
      // A reading that failed is tried again, and a lost revision found by the second head that names it.
      for (let second = 0; second < 5; second++) {
        if (isHeadTold) stage.tellHead()
        await stage.clock.advance(1000)
        for (const client of stage.clients) client.insist()
        await turns.play()
      }
      for (const edge of stage.edges) edge.stop()
      stage.mustBeKnown()
    },
  )

t.test('whenever people come, go and are cut off, each ends with the map as it is, and none goes back', (t) =>
  explore(t, 400, mapsConverge(oneOf<Step>(announced), 1, { isHeadTold: false })),
)

t.test('so they do at two edges, of which each hears at another time', (t) =>
  explore(t, 200, mapsConverge(oneOf<Step>(announced), 2, { isHeadTold: false })),
)

t.test('so they do when messages are lost unseen and epochs begin anew, as soon as the head is told', (t) =>
  explore(t, 150, mapsConverge(oneOf<Step>([...announced, ...unannounced]), 1, { isHeadTold: true })),
)
