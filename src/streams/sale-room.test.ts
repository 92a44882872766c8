import t, { type Test } from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { SimulatedLine } from '../../test/support/simulated-line.ts'
import { until } from '../../test/support/until.ts'
import type { QueueEvent } from '../domain/queue/queue-messages.ts'
import type { Sale } from '../domain/sales/sale.ts'
import { createLog } from '../log.ts'
import { SaleRoom } from './sale-room.ts'

const turnMs = 250

const saleOf = (changes: Partial<Sale> = {}, ratePerMinute = 60): Sale => ({
  id: 'sal_x',
  organiserId: 'org_x',
  title: 'A sale',
  kind: 'slots',
  status: 'open',
  admits: 'guests',
  opensAtMs: 0,
  closesAtMs: 1,
  queue: {
    mode: 'fifo',
    ratePerMinute,
    maxActive: 10,
    tokenTtlSeconds: 300,
    holdTtlSeconds: 180,
    maxPerAccount: 4,
    graceSeconds: 90,
  },
  singleSeats: 'allowed',
  notice: null,
  storeId: null,
  onePerUnit: false,
  payBySeconds: 300,
  currency: 'KRW',
  unitCount: 1,
  placeCount: 10,
  version: 1,
  createdAtMs: 0,
  ...changes,
})

/** A room over a simulated line. `now` stands for the sale as PostgreSQL has it. */
const roomOf = (t: Test, line: SimulatedLine, now: { sale: Sale }, entered: readonly string[] = []) => {
  const clock = new FakeClock()
  const room = new SaleRoom({
    saleId: 'sal_x',
    clock,
    log: createLog({ level: 'silent' }),
    broker: { messages: () => line.heads as never },
    queue: line.queue,
    catalogue: { sale: async () => now.sale },
    entering: {
      of: async () => new Map(entered.map((person) => [person, `ent_${person}`])),
      count: async () => entered.length,
    },
    signToken: async () => ({ token: 'token' }),
    onForgotten: () => {},
  })
  t.teardown(() => room.stop())
  const enter = (person: string) => {
    const told: QueueEvent[] = []
    const leave = room.enter(person, (event) => told.push(event))
    const types = () => told.map((event) => event.type)
    const hears = (type: string) => until(`${person} hears ${type}`, () => types().includes(type as never))
    return { told, types, hears, leave }
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  /** The line is told of, then whoever is due. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += turnMs) {
      await clock.advance(turnMs)
      line.tell()
      room.turn(clock.nowMs())
      await settle()
    }
  }
  return { room, clock, enter, pass, settle }
}

/** What one waiter knows: the place it was told, and when that was true. */
interface Known {
  ahead: number
  atMs: number
}

/** Ten thousand people, or another number, and a gate that lets them in. What is known at the edge is one turn old. */
const crowdOf = async (t: Test, options: { ratePerMinute: number; people?: number }) => {
  const { people = 10_000 } = options
  const line = new SimulatedLine(people)
  line.figures.pace = options.ratePerMinute
  const now = { sale: saleOf({}, options.ratePerMinute) }
  const { room, clock } = roomOf(t, line, now)
  // Turns are taken at any moment of the quarters of a second by which it is told apart who is due.
  await clock.advance(200)
  const known: (Known | undefined)[] = []
  const leaves = new Map<string, () => void>()
  let headAtMs = clock.nowMs()
  for (const [index, person] of line.people.entries()) {
    const hear = (event: QueueEvent) => {
      if (event.type === 'position') known[index] = { ahead: event.data.ahead, atMs: headAtMs }
    }
    leaves.set(person, room.enter(person, hear))
  }
  line.tell()
  await until('all know their places', () => known.filter(Boolean).length === people)
  /** One turn: people go, edges tell from what they knew, then they hear. Returns how late the latest is told. */
  const turn = async (go: () => readonly string[], perSecond: number): Promise<number> => {
    await clock.advance(turnMs)
    for (const person of go()) leaves.get(person)?.()
    room.turn(clock.nowMs())
    let worst = 0
    for (const [rank, index] of line.members().entries()) {
      const told = known[index]
      if (told === undefined || told.ahead === rank) continue
      const allowedMs = Math.min(30_000, Math.max(1000, ((rank + 1) / perSecond) * 50))
      worst = Math.max(worst, (clock.nowMs() - told.atMs) / allowedMs)
    }
    headAtMs = clock.nowMs()
    line.tell()
    return worst
  }
  return { line, now, turn }
}

t.test('of ten thousand nobody ever knows a place too old for the wait that is left', async (t) => {
  const { line, turn } = await crowdOf(t, { ratePerMinute: 1200 })
  const [asked, readings] = [line.asked.length, line.readings]
  let worst = 0
  // In two minutes there are waits of every length, from those in front to eight minutes at the end.
  for (let times = 0; times < 480; times++) worst = Math.max(worst, await turn(() => line.letIn(5), 20))
  t.ok(worst <= 1, `at the worst ${worst.toFixed(2)} of what it may be`)
  t.equal(line.asked.length, asked, 'and once they are known nobody is asked for')
  t.equal(line.readings, readings, 'nor is the line read again')
})

t.test('that a short line shrinks fast makes nobody in it hear later than they would have', async (t) => {
  const { line, turn } = await crowdOf(t, { ratePerMinute: 3000, people: 1000 })
  const late: number[] = []
  // All were told at the same moment; now it is between two of those that would follow.
  await turn(() => [], 50)
  // A fifth of those who are left goes every few seconds: each time all are told out of turn.
  for (let times = 0; times < 72; times++) late.push(await turn(() => line.letIn(12 + (times % 2)), 50))
  // They are told twice a second, and what an edge knows is a quarter of a second old.
  t.ok(Math.max(...late) <= 0.75, late.map((one) => one.toFixed(2)).join(' '))
})

t.test('when the pace grows tenfold all know their new wait within two seconds', async (t) => {
  const { line, now, turn } = await crowdOf(t, { ratePerMinute: 60 })
  for (let times = 0; times < 160; times++) await turn(() => (times % 4 === 0 ? line.letIn(1) : []), 1)
  now.sale = saleOf({ version: 2 }, 600)
  line.figures.version = 2
  const late: number[] = []
  for (let times = 0; times < 80; times++) {
    late.push(await turn(() => line.letIn(times % 2 === 0 ? 3 : 2), 10))
  }
  t.ok(Math.max(...late.slice(8)) <= 1, late.map((one) => one.toFixed(1)).join(' '))
})

t.test('when most of the line leaves at once the others know within two seconds', async (t) => {
  const { line, turn } = await crowdOf(t, { ratePerMinute: 600 })
  await turn(() => line.letIn(2), 10)
  const going = line.people.filter((_, index) => index > 100 && index % 10 !== 0)
  await turn(() => {
    for (const person of going) line.leave(person)
    return going
  }, 10)
  const late: number[] = []
  for (let times = 0; times < 40; times++) late.push(await turn(() => line.letIn(2), 10))
  t.ok(Math.max(...late.slice(8)) <= 1, late.map((one) => one.toFixed(1)).join(' '))
})

t.test('those who came at the same moment are not told at the same moment for ever', async (t) => {
  const line = new SimulatedLine(3000)
  const { enter, pass } = roomOf(t, line, { sale: saleOf() })
  const told: QueueEvent[][] = line.people.map((person) => enter(person).told)
  await until('all know their places', () => told.every(({ length }) => length === 1))
  const toldSoFar = () => told.reduce((sum, { length }) => sum + length, 0)
  let most = 0
  for (let turn = 0; turn < 240; turn++) {
    const before = toldSoFar()
    if (turn % 4 === 0) line.letIn(1)
    await pass(turnMs)
    most = Math.max(most, toldSoFar() - before)
  }
  t.ok(most < 600, `${most} of 3000 in one turn`)
})

t.test('whose leaving was not told is found out together with the others, in one call', async (t) => {
  const line = new SimulatedLine(100)
  const { enter, pass } = roomOf(t, line, { sale: saleOf() })
  const guests = line.people.map(enter)
  await until('all know their places', () => guests.every(({ told }) => told.length === 1))
  await pass(500)
  const asked = line.asked.length
  line.letIn(5)
  await pass(5000)
  t.same(
    guests.slice(0, 6).map((guest) => guest.types().at(-1)),
    ['absent', 'absent', 'absent', 'absent', 'absent', 'position'],
  )
  t.same([...(line.asked[asked] ?? [])].toSorted(), ['p0', 'p1', 'p2', 'p3', 'p4'])
})

t.test('a head update that is lost is noticed by the next one, and ranks are right again', async (t) => {
  const line = new SimulatedLine(50)
  const { enter, pass } = roomOf(t, line, { sale: saleOf() })
  const last = enter('p49')
  await last.hears('position')
  await pass(1000)
  line.letIn(10)
  line.tell({ isLost: true })
  await pass(5000)
  const event = last.told.at(-1)
  t.equal(event?.type === 'position' && event.data.position, 40)
  t.equal(line.readings, 2)
})

t.test(
  'what the organiser says is heard by all who wait, and by whoever comes while it stands',
  async (t) => {
    const line = new SimulatedLine(3)
    const now = { sale: saleOf() }
    const { enter, pass } = roomOf(t, line, now)
    const one = enter('p0')
    await one.hears('position')
    await pass(500)
    now.sale = saleOf({ version: 2, notice: { text: 'Ten minutes late', atMs: 5 } })
    line.figures.version = 2
    await pass(500)
    t.same(one.types().filter((type) => type === 'notice').length, 1)
    const late = enter('p1')
    await late.hears('position')
    t.match(late.told[0], { type: 'notice', data: { text: 'Ten minutes late' } })
    now.sale = saleOf({ version: 3 })
    line.figures.version = 3
    await pass(500)
    for (const { told } of [one, late]) {
      const notices = told.filter((event) => event.type === 'notice')
      t.match(notices.at(-1), { type: 'notice', data: { text: '' } }, 'also that it is taken back')
      t.equal(notices.length, 2)
    }
  },
)

t.test('what the organiser says is heard also when somebody came before the line told of it', async (t) => {
  const line = new SimulatedLine(3)
  const now = { sale: saleOf() }
  const { enter, pass } = roomOf(t, line, now)
  const one = enter('p0')
  await one.hears('position')
  await pass(500)
  now.sale = saleOf({ version: 2, notice: { text: 'Ten minutes late', atMs: 5 } })
  // Being looked up, this one makes the edge read the sale anew.
  const late = enter('p1')
  await late.hears('notice')
  line.figures.version = 2
  await pass(2000)
  t.same(one.types().filter((type) => type === 'notice').length, 1)
  t.same(late.types().filter((type) => type === 'notice').length, 1)
})

t.test('what the organiser says is not said again because something else has changed', async (t) => {
  const line = new SimulatedLine(1)
  const notice = { text: 'Ten minutes late', atMs: 5 }
  const now = { sale: saleOf({ notice }) }
  const { enter, pass } = roomOf(t, line, now)
  const one = enter('p0')
  await one.hears('position')
  await pass(500)
  now.sale = saleOf({ notice, version: 2 }, 120)
  line.figures.version = 2
  await pass(2000)
  t.equal(one.types().filter((type) => type === 'notice').length, 1)
})

t.test('a sale that is paused is told once to the first who comes', async (t) => {
  const line = new SimulatedLine(1)
  line.figures.status = 'paused'
  const { enter, pass } = roomOf(t, line, { sale: saleOf({ status: 'paused' }) })
  const one = enter('p0')
  await one.hears('position')
  await pass(1000)
  t.same(
    one.types().filter((type) => type === 'paused'),
    ['paused'],
  )
})

t.test(
  'sold out is told to all at once, and so is that there are places again; the order stands',
  async (t) => {
    const line = new SimulatedLine(20)
    const { room, enter, pass } = roomOf(t, line, { sale: saleOf() })
    const guests = line.people.map(enter)
    await until('all know their places', () => guests.every(({ told }) => told.length === 1))
    await pass(500)
    for (const status of ['soldout', 'open']) {
      line.figures.status = status
      line.tell()
    }
    t.same(
      guests.map((guest) => guest.types().slice(1, 3)),
      guests.map(() => ['soldout', 'resumed']),
    )
    line.letIn(1)
    await pass(3000)
    room.turn(0)
    const position = guests.at(-1)?.told.at(-1)
    t.equal(position?.type === 'position' && position.data.position, 19)
  },
)

t.test('before a draw entrants are hardly asked for; when it is held all of them are, at once', async (t) => {
  const line = new SimulatedLine(0)
  line.figures.status = 'scheduled'
  const sale = saleOf({ status: 'scheduled', queue: { ...saleOf().queue, mode: 'lottery' } })
  const { enter, pass } = roomOf(t, line, { sale }, ['p0', 'p1'])
  const guests = [enter('p0'), enter('p1')]
  for (const { hears } of guests) await hears('entered')
  const asked = line.asked.length
  await pass(25_000)
  t.equal(line.asked.length, asked)
  line.join()
  line.join()
  line.figures.status = 'open'
  await pass(1000)
  t.same(
    guests.map(({ types }) => types()),
    guests.map(() => ['entered', 'position']),
  )
})

t.test('who is near the front is said to be there, whatever keeps the gate from its pace', async (t) => {
  const line = new SimulatedLine(500)
  // One is let in each second when it goes on; at the moment all tokens are in use.
  line.figures.is_full = true
  line.figures.pace = 1
  const { room, enter, pass } = roomOf(t, line, { sale: saleOf() })
  const guests = line.people.map(enter)
  await until('all know their places', () => guests.every(({ told }) => told.length === 1))
  // Long enough that all were told once more, by the pace that is measured.
  await pass(40_000)
  await room.near.sayAll()
  // Twice the grace are three minutes: when room is made, so many may have their turn before anything else is told.
  t.ok(line.present.includes('p150'), `${line.present.length} were said to be there`)
  t.notOk(line.present.includes('p400'), 'the others are not')
})

t.test(
  'whom the gate passed over is said to be there at once if they are; of others nothing is said',
  async (t) => {
    const line = new SimulatedLine(2)
    const { room, enter } = roomOf(t, line, { sale: saleOf() })
    await enter('p0').hears('position')
    await room.wake(['p0', 'p1'])
    t.same(line.present, ['p0'])
  },
)

t.test('a tab misses nothing because another tab of the same account is being looked up', async (t) => {
  const line = new SimulatedLine(1)
  line.figures.status = 'paused'
  const { enter } = roomOf(t, line, { sale: saleOf({ status: 'paused' }) })
  const one = enter('p0')
  await one.hears('position')
  line.tell()
  const two = enter('p0')
  line.figures.status = 'open'
  line.tell()
  await two.hears('position')
  t.equal(one.types().filter((type) => type === 'resumed').length, 1)
})
