import fc from 'fast-check'
import { Subject } from 'rxjs'
import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { hallUnits as units, seatCount, TrueHall } from '../../test/support/true-hall.ts'
import { unpackSeats } from '../domain/units/seat-bits.ts'
import type { UnitsDelta } from '../domain/units/unit-messages.ts'
import { MapView, type MapEvent } from './map-view.ts'
import { UnitMap } from './unit-map.ts'

/** What a viewer makes of what it is told, by the rule of the protocol. */
class Viewer {
  position = ''
  states: Uint8Array = new Uint8Array(seatCount)

  /** False when it has to ask again. */
  hear({ type, id, data }: MapEvent): boolean {
    if (type === 'snapshot') {
      this.states = unpackSeats(data.seats, seatCount)
    } else {
      if (`${id.split(':')[0]}:${data.prev}` !== this.position) return false
      for (const [unitNo, state] of data.changes) this.states[unitNo] = state
    }
    this.position = id
    return true
  }
}

/** The edge and one viewer, with everything between them in the hands of the test. */
function stage() {
  const hall = new TrueHall()
  const deltas = new Subject<UnitsDelta>()
  const heads = new Subject<unknown>()
  const lost$ = new Subject<void>()
  const clock = new FakeClock()
  /** How many readings fail. */
  const failures = { count: 0 }
  const run = async () => {
    if (failures.count > 0) throw new Error(`${failures.count--} more fail`)
    return hall.reading()
  }
  const map = new UnitMap({
    saleId: 'sal_x',
    units,
    state: { run } as never,
    broker: { messages: (name: string) => (name.endsWith('units') ? deltas : heads), lost$ } as never,
  })
  const viewer = new Viewer()
  return { hall, deltas, heads, lost$, clock, map, viewer, failures }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      unitNo: fc.nat(seatCount - 1),
      state: fc.nat(2),
      fate: fc.constantFrom('arrives', 'arrives', 'is lost', 'comes twice', 'comes late'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('time passes' as const), ms: fc.constantFrom(5, 20, 60) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'a crowd comes' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'Redis forgets' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'the subscription is cut' } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'the viewer misses a frame' } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'the viewer comes again' } as const) },
)

t.test('whatever is lost, repeated or late, each viewer ends with the map as it is', async (t) => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
    const { hall, deltas, heads, lost$, clock, map, viewer } = stage()
    const view = new MapView({ saleId: 'sal_x', units, map, clock }, await map.picture())
    let misses = 0
    let viewing = view.enter()
    viewer.hear(viewing.event)
    const enterAgain = () => {
      viewing.leave()
      viewing = view.enter(viewer.position)
      viewer.hear(viewing.event)
    }
    view.events$.subscribe(({ group, event }) => {
      if (group !== viewing.group) return
      if (misses > 0) misses--
      else if (!viewer.hear(event)) enterAgain()
    })
    const pass = async (ms: number) => {
      await clock.advance(ms)
      await settle()
    }
    let late: UnitsDelta | undefined
    for (const one of steps) {
      if (one.kind === 'change') {
        const delta = hall.change(one.unitNo, one.state)
        if (one.fate === 'comes late') late = delta
        else if (one.fate !== 'is lost') deltas.next(delta)
        if (one.fate === 'comes twice') deltas.next(delta)
        if (one.fate === 'arrives' && late !== undefined) deltas.next(late)
      } else if (one.kind === 'time passes') await pass(one.ms)
      else if (one.kind === 'a crowd comes') for (let more = 0; more < 500; more++) view.enter()
      else if (one.kind === 'Redis forgets') hall.forget()
      else if (one.kind === 'the subscription is cut') lost$.next()
      else if (one.kind === 'the viewer misses a frame') misses++
      else enterAgain()
    }
    misses = 0
    // The writer names the last revision once a second; the position is told in silence.
    for (let second = 0; second < 25; second++) {
      heads.next(hall.head())
      await pass(1000)
    }
    view.stop()
    map.stop()
    if (viewer.states.join() !== hall.states.join()) {
      throw new Error(
        `the viewer at ${viewer.position} has ${viewer.states.join('')}, truly ${hall.states.join('')}`,
      )
    }
  })
  await t.resolves(fc.assert(property, { numRuns: 200 }))
})

t.test(
  'a viewer resumes with one delta, each seat in it once, and from too far back with the whole',
  async (t) => {
    const { hall, deltas, clock, map } = stage()
    const view = new MapView({ saleId: 'sal_x', units, map, clock }, await map.picture())
    const frame = async (...changes: [number, number][]) => {
      for (const [unitNo, state] of changes) deltas.next(hall.change(unitNo, state))
      await clock.advance(60)
    }
    await frame([1, 1])
    await frame([1, 2], [2, 1])
    t.same(view.since('1:0'), {
      type: 'delta',
      id: '1:3',
      data: {
        prev: 0,
        seq: 3,
        changes: [
          [1, 2],
          [2, 1],
        ],
        pools: {},
      },
    })
    t.same(
      view.since('1:2').data,
      {
        prev: 2,
        seq: 3,
        changes: [
          [1, 2],
          [2, 1],
        ],
        pools: {},
      },
      'from within a frame',
    )
    t.same(view.since('1:3').data, { prev: 3, seq: 3, changes: [], pools: {} })
    for (const position of ['1:9', '0:3', '2:3', 'nonsense', '', '1:nonsense', '1:1.5']) {
      t.equal(view.since(position).type, 'snapshot', position)
    }
    view.stop()
    map.stop()
  },
)

t.test(
  'changes of one moment are told together, and the more watch the fewer frames there are',
  async (t) => {
    for (const [viewers, most] of [
      [1, 21],
      [10_000, 11],
      [50_000, 3],
    ] as const) {
      const { hall, deltas, clock, map } = stage()
      let frames = 0
      const view = new MapView({ saleId: 'sal_x', units, map, clock }, await map.picture())
      for (let viewer = 0; viewer < viewers; viewer++) view.enter()
      view.events$.subscribe(({ group }) => (frames += group === 0 ? 1 : 0))
      for (let ms = 0; ms < 1000; ms += 5) {
        deltas.next(hall.change(ms % seatCount, 1))
        await clock.advance(5)
      }
      t.ok(frames >= most - 3 && frames <= most, `${viewers} viewers: ${frames} frames a second`)
      view.stop()
      map.stop()
    }
  },
)

t.test('a crowd is told group by group, and whoever comes joins one that knows as much', async (t) => {
  const { hall, deltas, clock, map } = stage()
  const view = new MapView({ saleId: 'sal_x', units, map, clock }, await map.picture())
  const told: number[] = []
  view.events$.subscribe(({ group }) => told.push(group))
  const enter = (count: number) => Array.from({ length: count }, () => view.enter())
  const first = enter(500)
  t.same(new Set(first.map(({ group }) => group)), new Set([0]))
  await clock.advance(30)
  const second = enter(100)
  t.same(new Set(second.map(({ group }) => group)), new Set([1]))
  deltas.next(hall.change(1, 1))
  await clock.advance(20)
  t.same(told, [0], 'each at its own moment')
  t.same(
    enter(3).map(({ group, event }) => [group, event.id]),
    Array.from({ length: 3 }, () => [2, '1:1']),
    'the second group does not know it yet, the first is full',
  )
  await clock.advance(30)
  t.same(told, [0, 1])
  for (const { leave } of second) leave()
  await new Promise((resolve) => setImmediate(resolve))
  deltas.next(hall.change(2, 1))
  await clock.advance(60)
  t.same(
    told.slice(2).toSorted((a, b) => a - b),
    [0, 2],
    'a group without viewers is gone',
  )
  view.stop()
  map.stop()
})

t.test('a map that was lost before its view had begun is read again', async (t) => {
  const { hall, deltas, clock, map } = stage()
  const reading = map.picture()
  // While it is read a delta comes that follows one which was lost.
  hall.change(1, 1)
  deltas.next(hall.change(2, 1))
  const view = new MapView({ saleId: 'sal_x', units, map, clock }, await reading)
  const viewer = new Viewer()
  view.events$.subscribe(({ event }) => viewer.hear(event))
  viewer.hear(view.current())
  for (let ms = 0; ms < 300; ms += 60) {
    await clock.advance(60)
    await settle()
  }
  t.same(viewer.states, hall.states)
  view.stop()
  map.stop()
})

t.test('what is told while the map is read anew leaves nothing out', async (t) => {
  const { hall, deltas, clock, lost$, map, failures } = stage()
  const view = new MapView({ saleId: 'sal_x', units, map, clock }, await map.picture())
  const viewer = new Viewer()
  view.events$.subscribe(({ event }) => viewer.hear(event))
  viewer.hear(view.current())
  failures.count = 1
  lost$.next()
  await settle()
  hall.change(1, 1)
  // Somebody else asks for the map meanwhile, and it goes on.
  await map.picture()
  deltas.next(hall.change(2, 1))
  await clock.advance(60)
  await settle()
  t.ok(
    viewer.position === '1:0' || viewer.states[1] === 1,
    `at ${viewer.position} seat 1 is held, and not told of as free`,
  )
  view.stop()
  map.stop()
})

t.test('a position from within what was read as a whole is answered with the whole', async (t) => {
  const { hall, deltas, clock, lost$, map } = stage()
  const view = new MapView({ saleId: 'sal_x', units, map, clock }, await map.picture())
  deltas.next(hall.change(0, 1))
  await clock.advance(60)
  // Lost on the way to this process; another one told its viewers of it and of the next.
  hall.change(1, 1)
  const elsewhere = new Viewer()
  elsewhere.position = '1:2'
  elsewhere.states.set(hall.states)
  hall.change(1, 0)
  lost$.next()
  await settle()
  await clock.advance(60)
  elsewhere.hear(view.since(elsewhere.position))
  t.same(elsewhere.states, hall.states)
  view.stop()
  map.stop()
})

t.test('what was read before a cut, and answered after it, is read once more', async (t) => {
  const { hall, lost$, map } = stage()
  const reading = map.picture()
  hall.change(1, 1)
  lost$.next()
  t.equal((await reading).states[1], 1)
  t.equal(map.known?.seq, 1)
  map.stop()
})
