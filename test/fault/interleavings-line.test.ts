import fc from 'fast-check'
import { Subject } from 'rxjs'
import t from 'tap'
import type { HeadUpdate } from '../../src/domain/queue/queue-messages.ts'
import type { LineReading } from '../../src/domain/queue/queue-store.ts'
import { createLog } from '../../src/log.ts'
import { LineReplica } from '../../src/streams/line-replica.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { callFate, explore, Turns, Way, type CallFate } from '../support/interleaving.ts'
import { TrueLine } from '../support/true-line.ts'

/*
 * A line and its replica: head updates, readings and the parts of a reading each come when the scheduler says so.
 */

const log = createLog({ level: 'silent' })

type Kind =
  | 'join'
  | 'pop'
  | 'leave'
  | 'comeBack'
  | 'newEpoch'
  | 'tell'
  | 'tell too much'
  | 'a cut'
  | 'time passes'
const ordinary = [
  { weight: 5, arbitrary: fc.constant<Kind>('join') },
  { weight: 3, arbitrary: fc.constant<Kind>('pop') },
  { weight: 2, arbitrary: fc.constant<Kind>('leave') },
  { weight: 2, arbitrary: fc.constant<Kind>('comeBack') },
  { weight: 7, arbitrary: fc.constant<Kind>('tell') },
  { weight: 3, arbitrary: fc.constant<Kind>('time passes') },
]
const faults = [
  { weight: 1, arbitrary: fc.constant<Kind>('newEpoch') },
  { weight: 1, arbitrary: fc.constant<Kind>('tell too much') },
  { weight: 1, arbitrary: fc.constant<Kind>('a cut') },
]

class Stage {
  readonly line = new TrueLine()
  readonly clock = new FakeClock()
  readonly replica: LineReplica
  readings = 0
  /** An older update that was told after a newer one. */
  wentBack: string | undefined
  readonly #turns: Turns
  readonly #fates: CallFate[]
  readonly #published = new Subject<HeadUpdate>()
  readonly #subscription: Way
  #newest = [0, 0]

  constructor(turns: Turns, fates: readonly CallFate[]) {
    this.#turns = turns
    this.#fates = [...fates]
    this.#subscription = new Way(turns, 'an update arrives')
    this.replica = new LineReplica({
      saleId: 'sal_x',
      clock: this.clock,
      log,
      broker: { messages: () => this.#published as never },
      queue: { readLine: () => this.#read() },
    })
    this.replica.head$.subscribe((head) => this.#note(head))
  }

  do(kind: Kind): unknown {
    switch (kind) {
      case 'leave':
        return this.line.leave(1)
      case 'tell':
      case 'tell too much':
        return this.tell(kind === 'tell too much')
      case 'a cut':
        this.#subscription.cut()
        return undefined
      case 'time passes':
        return this.clock.advance(600)
      default:
        return this.line[kind]()
    }
  }

  tell(isTooMuch = false): void {
    const update = this.line.tell(isTooMuch)
    this.#subscription.send(() => this.#published.next(update))
  }

  heal(): void {
    this.#fates.length = 0
  }

  mustBeKnown(): void {
    const order = [...this.line.members].toSorted((a, b) => a - b)
    const wrong = order.find((sequence, index) => this.replica.rank(sequence) !== index)
    if (wrong !== undefined) throw new Error(`rank of ${wrong}: ${this.replica.rank(wrong)}`)
    if (this.replica.size !== order.length) throw new Error(`${this.replica.size} instead of ${order.length}`)
    if (this.wentBack !== undefined) throw new Error(this.wentBack)
  }

  /** No picture of one moment: the head is read first, who is in the line a little later. */
  async #read(): Promise<LineReading> {
    const fate = this.#fates.shift() ?? 'is answered'
    this.readings++
    await this.#turns.turn('a reading arrives')
    const place = this.line.place()
    await this.#turns.turn('the rest of it arrives')
    const reading = this.line.membersOf(place)
    await this.#turns.turn(`a reading ${fate}`)
    if (fate !== 'is answered') throw new Error('Connection is closed.')
    return reading
  }

  #note({ epoch, seq }: HeadUpdate): void {
    const [epochBefore = 0, seqBefore = 0] = this.#newest
    if (epoch < epochBefore || (epoch === epochBefore && seq <= seqBefore))
      this.wentBack = `from ${this.#newest.join(':')} to ${epoch}:${seq}`
    this.#newest = [epoch, seq]
  }
}

t.test('however a line is read while it goes on, the replica ends with the line as it is', async (t) => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.oneof(...ordinary, ...faults), { minLength: 3, maxLength: 30 }),
    fc.array(callFate, { maxLength: 3 }),
    async (scheduler, steps, fates) => {
      const turns = new Turns(scheduler)
      const stage = new Stage(turns, fates)
      const isDone = turns.inOrder(steps.map((kind) => [kind, () => stage.do(kind)]))
      await turns.play()
      await isDone
      stage.heal()
      // It is told of at least once a second: two of these find a gap and mend it.
      for (let second = 0; second < 3; second++) {
        await stage.clock.advance(1001)
        stage.tell()
        await turns.play()
      }
      stage.mustBeKnown()
      stage.replica.stop()
    },
  )
  await explore(t, 250, property)
})

t.test('as long as nothing is lost, what comes while the line is read is not lost either', async (t) => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.oneof(...ordinary), { minLength: 3, maxLength: 20 }),
    async (scheduler, steps) => {
      const turns = new Turns(scheduler)
      const stage = new Stage(turns, [])
      const isDone = turns.inOrder(steps.map((kind) => [kind, () => stage.do(kind)]))
      await turns.play()
      await isDone
      stage.tell()
      await turns.play()
      stage.mustBeKnown()
      if (stage.readings !== 1) throw new Error(`it was read ${stage.readings} times`)
      stage.replica.stop()
    },
  )
  await explore(t, 200, property)
})
