import fc from 'fast-check'
import { Subject } from 'rxjs'
import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { TrueLine } from '../../test/support/true-line.ts'
import type { HeadUpdate } from '../domain/queue/queue-messages.ts'
import { createLog } from '../log.ts'
import { LineReplica } from './line-replica.ts'

const log = createLog({ level: 'silent' })
const step = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: 'join' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), index: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'pop' } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'comeBack' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'newEpoch' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('tell' as const),
      fate: fc.constantFrom('arrives', 'arrives', 'is lost', 'comes twice', 'comes late', 'overflows'),
    }),
  },
)

t.test('whatever is lost, repeated or late, the replica ends with the line as it is', async (t) => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const line = new TrueLine()
    const channel = new Subject<HeadUpdate>()
    const clock = new FakeClock()
    const replica = new LineReplica({
      saleId: 'sal_x',
      clock,
      log,
      broker: { messages: () => channel as never },
      queue: { readLine: async () => line.reading() },
    })
    let late: HeadUpdate | undefined
    for (const one of steps) {
      if (one.kind === 'leave') line.leave(one.index)
      else if (one.kind !== 'tell') line[one.kind]()
      else {
        const update = line.tell(one.fate === 'overflows')
        if (one.fate === 'comes late') late = update
        else if (one.fate !== 'is lost') channel.next(update)
        if (one.fate === 'comes twice') channel.next(update)
        if (late !== undefined && one.fate === 'arrives') channel.next(late)
        // Some readings end between two updates, some while the next one comes.
        if (one.fate === 'comes twice') await clock.advance(600)
      }
    }
    // The line is told of at least once a second; two of these are enough to find a gap and to mend it.
    for (let times = 0; times < 3; times++) {
      await clock.advance(1001)
      channel.next(line.tell(false))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const order = [...line.members].toSorted((a, b) => a - b)
    const wrong = order.find((sequence, index) => replica.rank(sequence) !== index)
    if (wrong !== undefined) throw new Error(`rank of ${wrong}: ${replica.rank(wrong)}`)
    if (replica.size !== order.length) throw new Error(`${replica.size} instead of ${order.length}`)
    replica.stop()
  })
  await t.resolves(fc.assert(property, { numRuns: 300 }))
})

t.test('as long as nothing is lost the whole line is read once', async (t) => {
  const line = new TrueLine()
  const channel = new Subject<HeadUpdate>()
  let readings = 0
  let heard = 0
  const replica = new LineReplica({
    saleId: 'sal_x',
    clock: new FakeClock(),
    log,
    broker: { messages: () => channel as never },
    queue: { readLine: async () => line.reading() },
    onRead: () => readings++,
    onHeard: () => heard++,
  })
  for (let times = 0; times < 50; times++) {
    line.join()
    line.join()
    if (times > 10) line.pop()
    channel.next(line.tell(false))
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(readings, 1)
  t.equal(heard, 50)
  t.equal(replica.size, line.members.size)
  t.equal(replica.head?.waiting, line.members.size)
  replica.stop()
})
