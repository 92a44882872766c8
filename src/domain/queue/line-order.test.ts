import fc from 'fast-check'
import t from 'tap'
import { LineOrder } from './line-order.ts'

const at = (epoch: number, n: number): number => epoch * 2 ** 32 + n

/** The same line as a sorted list, slow and plain. */
class PlainLine {
  #members = new Set<number>()

  issue(epoch: number, from: number, to: number): void {
    for (let n = from; n <= to; n++) this.#members.add(at(epoch, n))
  }

  enter(sequence: number): void {
    this.#members.add(sequence)
  }

  leave(sequence: number): void {
    this.#members.delete(sequence)
  }

  leaveUpTo(sequence: number): void {
    this.#members = new Set([...this.#members].filter((member) => member > sequence))
  }

  get size(): number {
    return this.#members.size
  }

  rank(sequence: number): number | undefined {
    if (!this.#members.has(sequence)) return undefined
    return [...this.#members].filter((member) => member < sequence).length
  }
}

const epoch = fc.integer({ min: 1, max: 3 })
/** Around the borders of words and blocks, where mistakes live. */
const number = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.constantFrom(31, 32, 33, 1023, 1024, 1025, 2047, 2048, 2049),
)
const sequence = fc.tuple(epoch, number).map(([e, n]) => at(e, n))
const move = fc.oneof(
  fc.record({
    kind: fc.constant('issue' as const),
    epoch,
    from: number,
    count: fc.integer({ min: 0, max: 100 }),
  }),
  fc.record({ kind: fc.constantFrom('enter' as const, 'leave' as const, 'leaveUpTo' as const), sequence }),
)

t.test('ranks are those of a sorted list, whoever comes, goes and comes back', async (t) => {
  const property = fc.property(fc.array(move, { maxLength: 40 }), fc.array(sequence), (moves, asked) => {
    const line = new LineOrder()
    const plain = new PlainLine()
    for (const one of moves) {
      for (const each of [line, plain]) {
        if (one.kind === 'issue') each.issue(one.epoch, one.from, one.from + one.count)
        else each[one.kind](one.sequence)
      }
    }
    const touched = moves.map((one) => (one.kind === 'issue' ? at(one.epoch, one.from) : one.sequence))
    for (const some of [...asked, ...touched]) {
      const [told, true_] = [line.rank(some), plain.rank(some)]
      if (told !== true_) throw new Error(`rank of ${some}: ${told}, truly ${true_}`)
    }
    if (line.size !== plain.size) throw new Error(`size: ${line.size}, truly ${plain.size}`)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
})

t.test('a million waiters are issued, leave from the front and are ranked', async (t) => {
  const line = new LineOrder()
  line.issue(4, 1, 1_000_000)
  line.leaveUpTo(at(4, 400_000))
  line.leave(at(4, 500_000))
  line.enter(at(4, 7))
  t.equal(line.size, 600_000)
  t.equal(line.rank(at(4, 7)), 0)
  t.equal(line.rank(at(4, 400_000)), undefined)
  t.equal(line.rank(at(4, 400_001)), 1)
  t.equal(line.rank(at(4, 1_000_000)), 599_999)
})
