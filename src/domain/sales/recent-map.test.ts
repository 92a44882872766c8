import t from 'tap'
import { RecentMap } from './recent-map.ts'

t.test('lets go of what was not asked for the longest when it weighs too much', async (t) => {
  const map = new RecentMap<number>({ weightMax: 10, weigh: (value) => value })
  map.set('a', 4)
  map.set('b', 4)
  map.get('a')
  map.set('c', 4)
  t.equal(map.get('b'), undefined)
  t.equal(map.get('a'), 4)
  t.equal(map.get('c'), 4)
})

t.test(
  'the youngest stays it while it is asked for, and what took its place is let go of in turn',
  async (t) => {
    const map = new RecentMap<number>({ weightMax: 2, weigh: () => 1 })
    map.set('a', 1)
    map.set('b', 1)
    map.get('b')
    map.get('b')
    map.get('a')
    map.get('a')
    map.delete('a')
    map.set('a', 1)
    map.get('b')
    map.set('c', 1)
    t.same(
      [...map.entries()].map(([key]) => key),
      ['b', 'c'],
    )
  },
)

t.test(
  'counts a replaced value once, and keeps alone what is heavier than all that is allowed',
  async (t) => {
    const map = new RecentMap<number>({ weightMax: 10, weigh: (value) => value })
    map.set('a', 6)
    map.set('a', 4)
    map.set('b', 6)
    t.equal(map.get('a'), 4)
    map.set('huge', 11)
    t.equal(map.get('a'), undefined)
    t.equal(map.get('b'), undefined)
    t.equal(map.get('huge'), 11)
  },
)
