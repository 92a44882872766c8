import t from 'tap'
import { UnitMap } from '../../public/units/unit-map.js'
import { UnitsFeed, watchMax } from '../../public/units/units-feed.js'
import { packSeats } from '../../src/domain/units/seat-bits.ts'

/** A feed whose server is the test. */
function feedOf() {
  const map = new UnitMap({ kind: 'seats', unitCount: 3, numberOf: () => undefined })
  const asked: (string | undefined)[] = []
  const said: unknown[] = []
  const changes: unknown[] = []
  const freed: string[] = []
  const clock = { nowMs: 0 }
  let hear = (_: { type: string; data: unknown; id: string | undefined }): void => {}
  const feed = new UnitsFeed(map, {
    listen: ({ onEvent, since }) => {
      hear = onEvent
      asked.push(since?.())
      return {
        again: () => void asked.push(since?.()),
        keepSaying: (data) => void said.push(data),
        end: () => void asked.push('end'),
      }
    },
    nowMs: () => clock.nowMs,
    onChange: (change) => changes.push(change),
    onFree: (code) => freed.push(code),
    onRefused: () => {},
  })
  const snapshot = (seq: number, states: number[]) =>
    hear({
      type: 'snapshot',
      id: `1:${seq}`,
      data: { epoch: 1, seq, seats: packSeats(Uint8Array.from(states)), pools: {} },
    })
  const delta = (prev: number, seq: number, list: number[][] = []) =>
    hear({ type: 'delta', id: `1:${seq}`, data: { prev, seq, changes: list, pools: {} } })
  return { map, feed, asked, said, changes, freed, clock, snapshot, delta, hear: () => hear }
}

t.test('what is missing is asked for from where the map stands, once', async (t) => {
  const { map, asked, changes, clock, snapshot, delta } = feedOf()
  snapshot(4, [0, 0, 0])
  delta(6, 7, [[0, 1]])
  delta(7, 8, [[1, 1]])
  t.strictSame(asked, [undefined, '1:4'], 'the second was on its way already')
  delta(4, 8, [
    [0, 1],
    [1, 1],
  ])
  t.strictSame(changes, [{ type: 'all' }, { type: 'changed', units: [0, 1] }])
  t.strictSame([...map.seats], [1, 1, 0])
  delta(9, 9)
  t.strictSame(asked, [undefined, '1:4', '1:8'], 'a later gap is another one')
  clock.nowMs = 3001
  delta(9, 9)
  t.strictSame(asked.length, 4, 'an answer that does not come is asked for again')
})

t.test('whoever watches is told, and watches no more units than one may', async (t) => {
  const { feed, said, freed, hear } = feedOf()
  feed.watch(Array.from({ length: watchMax + 2 }, (_, index) => `A-01-${index}`))
  t.strictSame(said, [{ watch: Array.from({ length: watchMax }, (_, index) => `A-01-${index + 2}`) }])
  hear()({ type: 'free', data: { unit: 'A-01-07' }, id: undefined })
  t.strictSame(freed, ['A-01-07'])
})
