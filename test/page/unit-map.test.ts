import fc from 'fast-check'
import t from 'tap'
import { UnitMap, seatState } from '../../public/units/unit-map.js'
import { packSeats } from '../../src/domain/units/seat-bits.ts'

const seatMap = (count: number) => new UnitMap({ kind: 'seats', unitCount: count, numberOf: () => undefined })
const snapshot = (seq: number, states: readonly number[], epoch = 1) => ({
  epoch,
  seq,
  seats: packSeats(Uint8Array.from(states)),
  pools: {},
})
const delta = (prev: number, seq: number, changes: [number, number][] = []) => ({
  prev,
  seq,
  changes,
  pools: {},
})

t.test('a snapshot is read as it was packed', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 70 }), (states) => {
      const map = seatMap(states.length)
      map.applySnapshot(snapshot(3, states))
      return map.position === '1:3' && [...map.seats].join() === states.join()
    }),
  )
})

t.test('a delta that follows is applied, and names what it changed', async (t) => {
  const map = seatMap(5)
  map.applySnapshot(snapshot(7, [0, 0, 1, 2, 0]))
  const change = map.applyDelta(
    delta(7, 9, [
      [0, seatState.held],
      [2, seatState.held],
      [3, seatState.free],
    ]),
    '1:9',
  )
  t.strictSame(change, { type: 'changed', units: [0, 3] }, 'seat 2 was held already')
  t.strictSame([...map.seats], [1, 0, 1, 0, 0])
  t.equal(map.position, '1:9')
})

t.test('a delta that does not follow changes nothing, and says that something is missing', async (t) => {
  const map = seatMap(2)
  t.strictSame(map.applyDelta(delta(0, 1, [[0, 1]]), '1:1'), { type: 'gap' }, 'before the first snapshot')
  map.applySnapshot(snapshot(7, [0, 0]))
  t.strictSame(map.applyDelta(delta(8, 9, [[0, 1]]), '1:9'), { type: 'gap' }, 'one was lost')
  t.strictSame(map.applyDelta(delta(7, 8, [[0, 1]]), '2:8'), { type: 'gap' }, 'another epoch')
  t.strictSame([...map.seats], [0, 0])
  t.equal(map.position, '1:7', 'from where it has to be asked again')
})

t.test('a delta seen before is passed over, and one of quiet times shows what was lost', async (t) => {
  const map = seatMap(2)
  map.applySnapshot(snapshot(7, [0, 0]))
  map.applyDelta(delta(7, 8, [[0, 1]]), '1:8')
  t.strictSame(map.applyDelta(delta(7, 8, [[0, 2]]), '1:8'), { type: 'changed', units: [] })
  t.strictSame([...map.seats], [1, 0])
  t.strictSame(map.applyDelta(delta(8, 8), '1:8'), { type: 'changed', units: [] })
  t.strictSame(map.applyDelta(delta(9, 9), '1:9'), { type: 'gap' }, 'the map is further than we are')
})

t.test('slots are known by their codes, and unknown ones do no harm', async (t) => {
  const codes = ['2026-01-01T10:00', '2026-01-01T11:00']
  const map = new UnitMap({
    kind: 'slots',
    unitCount: 2,
    numberOf: (code) => (codes.includes(code) ? codes.indexOf(code) : undefined),
  })
  map.applySnapshot({
    epoch: 1,
    seq: 1,
    seats: '',
    pools: { '2026-01-01T10:00': 4, '2026-01-01T11:00': 9, else: 3 },
  })
  t.strictSame([...map.left], [4, 9])
  const change = map.applyDelta(
    { prev: 1, seq: 2, changes: [], pools: { '2026-01-01T11:00': 8, '2026-01-01T10:00': 4 } },
    '1:2',
  )
  t.strictSame(change, { type: 'changed', units: [1] })
  t.strictSame([...map.left], [4, 8])
})

t.test(
  'whatever is lost, repeated or reordered, a map that asks again at each gap ends as the server',
  async () => {
    const step = fc.record({
      unit: fc.nat(7),
      state: fc.integer({ min: 0, max: 2 }),
      fate: fc.constantFrom('heard', 'lost', 'twice', 'late'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const truth = Array.from({ length: 8 }, () => 0)
        const map = seatMap(8)
        map.applySnapshot(snapshot(0, truth))
        const late: ReturnType<typeof delta>[] = []
        let seq = 0
        const hear = (told: ReturnType<typeof delta>) => {
          const gap = map.applyDelta(told, `1:${told.seq}`).type === 'gap'
          if (gap) map.applySnapshot(snapshot(seq, truth))
        }
        for (const { unit, state, fate } of steps) {
          truth[unit] = state
          const told = delta(seq, seq + 1, [[unit, state]])
          seq += 1
          if (fate === 'late') late.push(told)
          if (fate === 'heard' || fate === 'twice') hear(told)
          if (fate === 'twice') hear(told)
          if (fate === 'heard') late.splice(0).forEach(hear)
        }
        hear(delta(seq, seq))
        return [...map.seats].join() === truth.join()
      }),
    )
  },
)
