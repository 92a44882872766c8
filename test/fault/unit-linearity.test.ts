import fc from 'fast-check'
import t from 'tap'
import { contradictionOf, crowdedMoment, type Tenure } from './suite/unit-linearity.ts'

const tenure = (hold: string, given: readonly [number, number], endsFromMs: number): Tenure => ({
  hold,
  givenFromMs: given[0],
  givenByMs: given[1],
  endsFromMs,
})
const names = (tenures: readonly Tenure[] = []): string[] => tenures.map(({ hold }) => hold).toSorted()

t.test('a seat that was given while another surely had it is named with both', async (t) => {
  const one = tenure('one', [0, 10], 100)
  t.same(names(contradictionOf([one, tenure('other', [50, 60], 200)])), ['one', 'other'])
  t.same(
    contradictionOf([one, tenure('other', [50, 120], 200)]),
    undefined,
    'it may have been given at the end',
  )
  t.same(contradictionOf([one, tenure('other', [100, 110], 200)]), undefined)
  const sold = tenure('sold', [20, 30], Infinity)
  t.same(names(contradictionOf([tenure('early', [0, 5], 20), sold, tenure('late', [500, 510], 520)])), [
    'late',
    'sold',
  ])
  t.same(contradictionOf([tenure('late', [0, 510], 520), tenure('sold', [0, 600], Infinity)]), undefined)
})

/** Whether some order of them is possible, found by trying all. */
function hasOrder(tenures: readonly Tenure[], freeFromMs = 0): boolean {
  return (
    tenures.length === 0 ||
    tenures.some((first) => {
      const others = tenures.filter((one) => one !== first)
      const givenMs = Math.max(freeFromMs, first.givenFromMs)
      return givenMs <= first.givenByMs && hasOrder(others, Math.max(givenMs, first.endsFromMs))
    })
  )
}

const anyTenure = fc
  .tuple(fc.nat(20), fc.nat(10), fc.nat(30))
  .map(([from, width, end]) => tenure('any', [from, from + width], end))

t.test('a contradiction is found exactly where no order is possible', async (t) => {
  let impossible = 0
  fc.assert(
    fc.property(fc.array(anyTenure, { maxLength: 6 }), (tenures) => {
      const isPossible = hasOrder(tenures)
      if (!isPossible) impossible++
      return isPossible === (contradictionOf(tenures) === undefined)
    }),
    { numRuns: 2_000 },
  )
  t.ok(impossible > 100, `${impossible} had no order`)
})

/** What an outsider knows of tenures that really followed each other. */
const truthful = fc
  .array(fc.record({ gap: fc.nat(20), held: fc.integer({ min: 1, max: 50 }), blur: fc.nat(30) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((steps) => {
    let atMs = 0
    return steps.map(({ gap, held, blur }, index): Tenure => {
      const givenMs = atMs + gap
      atMs = givenMs + held
      // An answer comes later than it is decided; what ends a tenure is sent before it is.
      return tenure(`hold ${index}`, [givenMs - blur, givenMs + blur], atMs - (blur % (held + 1)))
    })
  })

t.test('what really happened one after another is never a contradiction', async (t) => {
  fc.assert(fc.property(truthful, (tenures) => contradictionOf(tenures) === undefined))
  fc.assert(fc.property(truthful, (tenures) => crowdedMoment(tenures, 1).length === 0))
  t.pass('as often as it was tried')
})

t.test('a second owner in the sure part of a tenure is always found', async (t) => {
  const doubled = truthful.chain((tenures) => {
    const sure = tenures.filter(({ givenByMs, endsFromMs }) => endsFromMs - givenByMs >= 2)
    return fc
      .tuple(fc.constant(tenures), fc.nat(Math.max(0, sure.length - 1)))
      .map(([all, index]) => ({ all, victim: sure[index] }))
  })
  let found = 0
  fc.assert(
    fc.property(doubled, ({ all, victim }) => {
      if (victim === undefined) return
      const atMs = victim.givenByMs
      const thief = tenure('thief', [atMs, atMs + 1], victim.endsFromMs + 1)
      const named = names(contradictionOf([...all, thief]))
      found++
      if (!named.includes('thief')) throw new Error(`only ${named.join(', ')}`)
    }),
  )
  t.ok(found > 20, `${found} were tried`)
})

t.test('more than a unit has places are named at the moment they all had one', async (t) => {
  const all = [tenure('a', [0, 1], 100), tenure('b', [5, 9], 50), tenure('c', [20, 21], 30)]
  t.same(crowdedMoment(all, 3), [])
  t.same(names(crowdedMoment(all, 2)), ['a', 'b', 'c'])
  t.same(crowdedMoment([tenure('a', [0, 60], 50), tenure('b', [0, 60], 50)], 1), [], 'nothing is sure')
})
