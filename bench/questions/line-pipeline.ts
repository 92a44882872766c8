import { performance } from 'node:perf_hooks'
import { map, Subject } from 'rxjs'
import { systemClock } from '../../src/clock.ts'
import { LineOrder } from '../../src/domain/queue/line-order.ts'
import { headUpdate } from '../../src/domain/queue/queue-messages.ts'
import type { Sale } from '../../src/domain/sales/sale.ts'
import { createLog } from '../../src/log.ts'
import { positionEvent } from '../../src/streams/line-events.ts'
import { LineReplica } from '../../src/streams/line-replica.ts'

const epoch = 1
const updates = 5_000
const positions = 200_000
/** Between two updates so many are let in, come, and leave somewhere in the line. */
const moved = { letIn: 4, came: 10, left: 2 }

export interface LongLine {
  /** To take one update of the head in. */
  readonly updateMicros: number
  /** To put one position into text. */
  readonly positionMicros: number
  /** Of such a text, on average. */
  readonly bytes: number
}

/**
 * What it costs an edge to follow a line of so many, connections left out: to take an update of its head in, from the
 * text that Redis sends on, and to put one position into the text that a client gets.
 */
export async function followLongLine(waiters: number): Promise<LongLine> {
  const texts = new Subject<string>()
  const order = new LineOrder()
  order.issue(epoch, 1, waiters)
  const replica = new LineReplica({
    saleId: sale.id,
    queue: { readLine: async () => ({ epoch, seq: 1, tail: waiters, order }) },
    broker: {
      messages: (_, schema) => texts.pipe(map((text) => schema.parse(JSON.parse(text)))),
    },
    clock: systemClock,
    log: createLog({ level: 'silent' }),
  })
  // The first update makes it read the line.
  texts.next(textOf(1, waiters))
  await new Promise((resolve) => setImmediate(resolve))
  const all = Array.from({ length: updates }, (_, index) => textOf(index + 2, waiters))
  const updateMicros = micros(all, (text) => texts.next(text))
  const first = updates * moved.letIn + 1
  const asked = Array.from({ length: positions }, () => first + Math.floor(Math.random() * (waiters - first)))
  let [bytes, told] = [0, 0]
  const positionMicros = micros(asked, (n) => {
    const ahead = replica.rank(sequenceOf(n))
    // Left somewhere in the line.
    if (ahead === undefined) return
    const behind = replica.size - ahead - 1
    const event = positionEvent({ ahead, behind, left: 1000, sale, head: replica.head })
    bytes += JSON.stringify({ ch: `queue:${sale.id}`, ...event }).length
    told++
  })
  replica.stop()
  return { updateMicros, positionMicros, bytes: bytes / told }
}

const sale: Sale = {
  id: 'sal_bench',
  organiserId: 'org_bench',
  kind: 'slots',
  title: 'Bench',
  status: 'open',
  admits: 'guests',
  opensAtMs: 0,
  closesAtMs: 1,
  singleSeats: 'allowed',
  notice: null,
  storeId: null,
  onePerUnit: false,
  payBySeconds: 300,
  currency: 'KRW',
  unitCount: 1,
  placeCount: 2000,
  version: 1,
  createdAtMs: 0,
  queue: {
    mode: 'fifo',
    ratePerMinute: 1200,
    maxActive: 1000,
    tokenTtlSeconds: 300,
    holdTtlSeconds: 180,
    maxPerAccount: 4,
    graceSeconds: 90,
  },
}

function micros<T>(pieces: readonly T[], work: (piece: T) => void): number {
  const startMs = performance.now()
  for (const piece of pieces) work(piece)
  return ((performance.now() - startMs) * 1000) / pieces.length
}

function textOf(seq: number, waiters: number): string {
  const letIn = seq * moved.letIn
  // Spread over the line, each once.
  const leaves = Array.from(
    { length: moved.left },
    (_, index) => `-${sequenceOf(letIn + 1 + Math.floor((waiters * (index + 1)) / (moved.left + 1)))}`,
  )
  return JSON.stringify(
    headUpdate.parse({
      epoch,
      prev: seq - 1,
      seq,
      tail: waiters + seq * moved.came,
      moves: [`<${sequenceOf(letIn)}`, ...leaves],
      waiting: waiters,
      aside: 0,
      arrivals: waiters,
      active: 100,
      holds: 50,
      free: 1000,
      sold: 0,
      total: 2000,
      pace: 1200,
      is_full: false,
      rev: 1,
      rate: 1200,
      max_active: 1000,
      status: 'open',
      version: 1,
      at: 1,
    }),
  )
}

function sequenceOf(n: number): number {
  return epoch * 2 ** 32 + n
}
