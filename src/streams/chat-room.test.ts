import fc from 'fast-check'
import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { emptied } from '../domain/chat/chat-entry.ts'
import type { ChatEntriesNotice, ChatEntry, ChatJoined } from '../domain/chat/chat-messages.ts'
import { createLog } from '../log.ts'
import { ChatRoom, type ChatEvent } from './chat-room.ts'

const log = createLog({ level: 'silent' })
const turn = () => new Promise((resolve) => setImmediate(resolve))

const passerBy = { accountId: undefined, send: () => {} }

/** A room on disk, and what would be published of it. */
class Disk {
  entries: ChatEntry[] = []
  epoch = 1
  reads = 0
  fails = false

  room = async () => {
    if (this.fails) throw new Error('away')
    const { epoch, entries } = this
    const pinned = entries.findLast(({ kind }) => kind === 'pinned')?.target ?? null
    return { epoch, seq: entries.length, slowSeconds: 0, pinned, closed: false }
  }

  read = async (_: string, range: { after: number; upTo?: number; limit: number }) => {
    if (this.fails) throw new Error('away')
    this.reads++
    return this.entries.slice(range.after, range.upTo).slice(0, range.limit)
  }

  write(count: number, changes: Partial<ChatEntry> = {}): ChatEntriesNotice {
    const prev = this.entries.length
    const fresh = Array.from({ length: count }, (_, index): ChatEntry => ({
      seq: prev + 1 + index,
      id: `id-${prev + 1 + index}`,
      kind: 'talk',
      member: null,
      text: `text ${prev + 1 + index}`,
      at: '2026-01-01T00:00:00.000Z',
      ...changes,
    }))
    this.entries.push(...fresh)
    return { type: 'entries', epoch: this.epoch, prev, seq: prev + count, entries: fresh }
  }

  delete(target: number): ChatEntriesNotice {
    this.entries = this.entries.map((entry) => (entry.seq === target ? emptied(entry) : entry))
    return this.write(1, { kind: 'deleted', target, text: '' })
  }
}

/** Members who go by the rules: what does not follow on their position they ask for. */
function openRoom(disk: Disk) {
  const clock = new FakeClock()
  const members: {
    position: string
    group: number
    entries: ChatEntry[]
    asks: number
    leave: () => void
  }[] = []
  const frames: ChatEvent[] = []
  const groups: number[] = []
  const asking: Promise<void>[] = []
  const ask = async (member: (typeof members)[number]): Promise<void> => {
    member.asks++
    const joined = await room.joined(null, member.position || undefined)
    member.leave()
    const { group, leave } = room.enter(passerBy)
    Object.assign(member, { group, leave })
    hearJoined(member, joined())
  }
  const hearJoined = (member: (typeof members)[number], joined: ChatJoined & { id: string }): void => {
    if (joined.gap === true) member.entries = []
    // Frames told while it was asked for are in it too.
    const known = member.entries.at(-1)?.seq ?? 0
    member.entries.push(...joined.entries.filter(({ seq }) => seq > known))
    member.position = joined.id
    if (!members.includes(member)) members.push(member)
  }
  const room = new ChatRoom({
    storeId: 'sto_1',
    clock,
    log,
    source: { room: disk.room, entries: disk.read },
    tell: (event, group) => {
      frames.push(event)
      groups.push(group)
      if (event.type !== 'entries') return
      const { prev, entries } = event.data as { prev: number; entries: ChatEntry[] }
      for (const member of members) {
        if (member.group !== group) continue
        if (member.position !== `${event.id.split(':')[0]}:${prev}`) asking.push(ask(member))
        else {
          member.entries.push(...entries)
          member.position = event.id
        }
      }
    },
  })
  const join = async () => {
    const member = { position: '', group: -1, entries: [], asks: -1, leave: () => {} }
    await ask(member)
    return member
  }
  const rest = async (): Promise<void> => {
    const { epoch, entries } = disk
    room.compare({ epoch, seq: entries.length }, room.room.seq)
    for (let round = 0; round < 10; round++) {
      await clock.advance(1000)
      await Promise.all(asking.splice(0))
      await turn()
    }
  }
  return { room, clock, members, frames, groups, join, ask, rest }
}

t.test(
  'however notices are lost, doubled and turned round, everybody ends with what is on disk',
  async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('write' as const), count: fc.integer({ min: 1, max: 130 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), at: fc.nat() }) },
      {
        weight: 8,
        arbitrary: fc.record({ do: fc.constant('hear' as const), at: fc.nat(), again: fc.boolean() }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), at: fc.nat() }) },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), at: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('crowd' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), fails: fc.boolean() }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const disk = new Disk()
        disk.write(30)
        const { room, clock, members, join, ask, rest } = openRoom(disk)
        await room.begin()
        const first = await join()
        const notices: ChatEntriesNotice[] = []
        for (const one of steps) {
          if (one.do === 'write') notices.push(disk.write(one.count))
          else if (one.do === 'delete') notices.push(disk.delete(1 + (one.at % disk.entries.length)))
          else if (one.do === 'pass') await clock.advance(one.ms)
          else if (one.do === 'fail') disk.fails = one.fails
          else if (one.do === 'join') await join().catch(() => undefined)
          else if (one.do === 'crowd') for (let more = 0; more < 500; more++) room.enter(passerBy)
          else if (one.do === 'again') {
            const member = members[one.at % members.length]
            if (member) await ask(member).catch(() => undefined)
          } else if (notices.length > 0) {
            const at = one.at % notices.length
            const notice = notices[at]
            if (one.do === 'lose' || !one.again) notices.splice(at, 1)
            if (one.do === 'hear' && notice) room.hear(notice)
          }
        }
        disk.fails = false
        await rest()
        for (const { entries, position } of members) {
          if (position !== `1:${disk.entries.length}`)
            throw new Error(`${position} of ${disk.entries.length}`)
          const last = disk.entries.slice(-entries.length)
          if (entries.map(({ seq }) => seq).join() !== last.map(({ seq }) => seq).join())
            throw new Error('a gap')
        }
        if (first.entries.length === 0) throw new Error('nothing was heard')
        const fresh = (await room.joined(null, undefined))()
        const want = disk.entries.slice(-50)
        if (JSON.stringify(fresh.entries) !== JSON.stringify(want))
          throw new Error('what is kept is not what is on disk')
        room.stop()
      }),
      { numRuns: 300 },
    )
  },
)

t.test('what is missing for a moment is waited for, and then read', async (t) => {
  const disk = new Disk()
  const { room, clock, frames, join } = openRoom(disk)
  await room.begin()
  const member = await join()
  const [first, second] = [disk.write(1), disk.write(1)]
  const { reads } = disk
  room.hear(second)
  await clock.advance(20)
  t.equal(frames.length, 0)
  room.hear(first)
  await clock.advance(100)
  t.equal(member.entries.length, 2)
  t.equal(disk.reads, reads, 'nothing had to be read')
  disk.write(1)
  room.hear(disk.write(1))
  await clock.advance(100)
  t.same(
    member.entries.map(({ seq }) => seq),
    [1, 2, 3, 4],
  )
  t.equal(disk.reads, reads + 1)
  t.equal(member.asks, 0)
  room.stop()
})

t.test('a big crowd is told group by group, each what it does not know, in few frames', async (t) => {
  const disk = new Disk()
  const { room, clock, frames, groups } = openRoom(disk)
  await room.begin()
  const leaves = Array.from({ length: 4000 }, () => room.enter(passerBy).leave)
  for (let n = 0; n < 100; n++) {
    room.hear(disk.write(1))
    await clock.advance(10)
  }
  await clock.advance(100)
  t.same(new Set(groups), new Set([0, 1, 2, 3, 4, 5, 6, 7]))
  for (const group of new Set(groups)) {
    const told = frames.filter((_, index) => groups[index] === group)
    t.ok(told.length <= 25, `${told.length} frames`)
    t.same(
      told.flatMap(({ data }) => (data as { entries: ChatEntry[] }).entries).map(({ seq }) => seq),
      Array.from({ length: 100 }, (_, index) => index + 1),
    )
  }
  for (const leave of leaves) leave()
  frames.length = 0
  await turn()
  room.hear(disk.write(1))
  await clock.advance(100)
  t.equal(frames.length, 1, 'groups without members are gone')
  room.stop()
})

t.test(
  'whoever comes while something waits to be told gets it with all others, and asks for nothing',
  async (t) => {
    const disk = new Disk()
    const { room, clock, join } = openRoom(disk)
    await room.begin()
    room.hear(disk.write(1))
    await clock.advance(20)
    await turn()
    room.hear(disk.write(1))
    const member = await join()
    t.same(
      member.entries.map(({ seq }) => seq),
      [1],
    )
    await clock.advance(500)
    t.same(
      member.entries.map(({ seq }) => seq),
      [1, 2],
    )
    t.equal(member.asks, 0)
    room.stop()
  },
)

t.test('many who come back from long ago are told by one reading', async (t) => {
  const disk = new Disk()
  disk.write(600)
  const { room } = openRoom(disk)
  await room.begin()
  const { reads } = disk
  const views = await Promise.all(Array.from({ length: 100 }, () => room.joined(null, '1:200')))
  for (const view of views) t.equal(view().entries.length, 400)
  t.equal(disk.reads, reads + 1)
  room.stop()
})

t.test('what is deleted while older entries are read is not told any more', async (t) => {
  const disk = new Disk()
  disk.write(600)
  const { room } = openRoom(disk)
  await room.begin()
  const view = await room.joined(null, '1:200')
  room.hear(disk.delete(210))
  const { entries } = view()
  t.match(
    entries.find(({ seq }) => seq === 210),
    { text: '', deleted: true },
  )
  room.stop()
})

t.test('a room that is far behind begins anew, and members learn that they have missed more', async (t) => {
  const disk = new Disk()
  const { room, join, rest } = openRoom(disk)
  await room.begin()
  const member = await join()
  disk.write(5000)
  await rest()
  t.equal(member.position, '1:5000')
  t.equal(member.entries.length, 50, 'the newest page, with a gap')
  room.stop()
})

t.test('entries that PostgreSQL has lost are noticed, and a new epoch tells everybody', async (t) => {
  const disk = new Disk()
  disk.write(10)
  const { room, join, rest } = openRoom(disk)
  await room.begin()
  const member = await join()
  disk.entries = disk.entries.slice(0, 5)
  t.equal(room.compare({ epoch: 1, seq: 5 }, 10), 'lost')
  t.equal(room.compare({ epoch: 1, seq: 5 }, 5), undefined, 'heard after the question was asked')
  disk.epoch = 2
  await rest()
  t.equal(member.position, '2:5')
  t.equal(member.entries.length, 5)
  room.stop()
})

t.test('presence is told at most once a second', async (t) => {
  const { room, clock, frames } = openRoom(new Disk())
  await room.begin()
  for (let members = 1; members <= 50; members++) {
    room.hear({ type: 'presence', members })
    await clock.advance(50)
  }
  await clock.advance(1000)
  t.ok(frames.length <= 4, `${frames.length} frames`)
  t.same(frames.at(-1)?.data, { members: 50 })
  room.stop()
})
