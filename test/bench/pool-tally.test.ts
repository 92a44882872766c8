import t from 'tap'
import type { Standing } from '../../bench/questions/pool-design.ts'
import { PoolTally } from '../../bench/questions/pool-tally.ts'

const shape = { pools: 1, capacity: 2, asked: 3 }
const row = (no: number, place = `1:${no}`): Standing => ({ place, pool: 1, no })

interface Seen {
  readonly given?: readonly string[]
  readonly refused?: Readonly<Record<string, number>>
  readonly unanswered?: number
  readonly standing?: readonly Standing[]
  readonly counter?: number | null
}

/** The names of the checks that fail, of a pool of two places that three ask for. */
function wrong(seen: Seen): string[] {
  const { given = ['1:1', '1:2'], refused = { sold_out: 1 }, unanswered = 0 } = seen
  const times = { firstAskedMicros: 0, lastGivenMicros: 1, p50Ms: 1, p99Ms: 1 }
  const tally = new PoolTally('x')
  tally.add({
    shape,
    taken: { given, refused, unanswered, ...times },
    standing: seen.standing ?? [row(1), row(2)],
    counter: seen.counter ?? null,
    soldOutCodes: ['sold_out'],
  })
  return tally
    .checks()
    .filter(({ ok }) => !ok)
    .map(({ name }) => name.replace('x: ', ''))
}

void t.test('a pool that was given away as it should be is right', async (t) => {
  t.same(wrong({}), [])
  t.same(wrong({ counter: 2 }), [])
})

void t.test('a place that was answered and is not in the database is seen', async (t) => {
  t.same(wrong({ standing: [row(1)] }), [
    'places in PostgreSQL',
    'different places within capacity',
    'places that were given and are not in PostgreSQL',
  ])
})

void t.test('a place too many is seen, and one too few', async (t) => {
  const [given, standing] = [
    ['1:1', '1:2', '1:3'],
    [row(1), row(2), row(3)],
  ]
  t.same(wrong({ given, standing, refused: {} }), [
    'places given',
    'places in PostgreSQL',
    'told that nothing is left',
  ])
  t.ok(wrong({ given: ['1:1'], refused: { sold_out: 2 } }).includes('places given'))
})

void t.test('a place that two have is seen, however they were told', async (t) => {
  t.same(wrong({ given: ['1:1', '1:1'] }), ['places that were given and are not in PostgreSQL'])
  t.same(wrong({ given: ['a', 'b'], standing: [row(1, 'a'), row(1, 'b')] }), [
    'different places within capacity',
  ])
})

void t.test('whoever is not told clearly that nothing is left is seen', async (t) => {
  t.same(wrong({ refused: { internal: 1 } }), ['told that nothing is left', 'other answers'])
  t.same(wrong({ refused: {}, unanswered: 1 }), ['told that nothing is left', 'other answers'])
})

void t.test('another count in Redis is seen', async (t) => {
  t.same(wrong({ counter: 3 }), ['places sold in Redis'])
})
