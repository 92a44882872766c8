import { Subject } from 'rxjs'
import t, { type Test } from 'tap'
import type { z } from 'zod'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { ChatHead } from '../domain/chat/chat-store.ts'
import { createLog } from '../log.ts'
import type { ChatEvent } from './chat-room.ts'
import { ChatRooms } from './chat-rooms.ts'

/** Rooms over a store that says of each room where it is and nothing more. */
function openRooms(t: Test) {
  const clock = new FakeClock()
  const lost$ = new Subject<void>()
  const channels = new Map<string, Subject<unknown>>()
  const asked = {
    rooms: [] as string[],
    heads: [] as (readonly string[])[],
    counts: [] as [string, number][],
  }
  const heads = new Map<string, ChatHead>()
  const away = { postgres: false }
  const begun: ChatHead[] = []
  const told: [string, ChatEvent][] = []
  const rooms = new ChatRooms({
    clock,
    log: createLog({ level: 'silent' }),
    tell: (storeId, _group, event) => told.push([storeId, event]),
    broker: {
      lost$,
      messages: <T>(name: string, _: z.ZodType<T>) => {
        const channel = channels.get(name) ?? new Subject<unknown>()
        channels.set(name, channel)
        return channel as unknown as Subject<T>
      },
    },
    count: async (storeId, members) => {
      asked.counts.push([storeId, members])
      return members
    },
    source: {
      room: async (storeId) => {
        asked.rooms.push(storeId)
        const head = heads.get(storeId)
        if (!head) throw new Error('no such store')
        return { epoch: head.epoch, seq: head.seq, slowSeconds: 7, pinned: null, closed: false }
      },
      entries: async () => [],
      heads: async (storeIds) => {
        asked.heads.push(storeIds)
        if (away.postgres) throw new Error('away')
        return storeIds.flatMap((storeId) => heads.get(storeId) ?? [])
      },
      beginEpoch: async (head) => void begun.push(head),
    },
  })
  t.teardown(() => rooms.stop())
  const put = (storeId: string, seq = 0) => heads.set(storeId, { storeId, epoch: 1, seq })
  const isHeard = (storeId: string) => channels.get(`{${storeId}}:ch:chat`)?.observed ?? false
  return { rooms, clock, lost$, asked, put, begun, told, isHeard, heads, away }
}

t.test(
  'a crowd that comes at once leads to one reading, and the room goes when nobody is left',
  async (t) => {
    const { rooms, clock, asked, put, isHeard } = openRooms(t)
    put('a')
    const all = await Promise.all(Array.from({ length: 100 }, () => rooms.open('a')))
    t.same(asked.rooms, ['a'])
    for (const { release } of all) release()
    await clock.advance(20_000)
    t.ok(isHeard('a'), 'kept for a while')
    await clock.advance(20_000)
    t.notOk(isHeard('a'))
    await rooms.open('a')
    t.same(asked.rooms, ['a', 'a'])
  },
)

t.test('of rooms without anybody only so many are kept', async (t) => {
  const { rooms, clock, put, isHeard } = openRooms(t)
  const names = Array.from({ length: 300 }, (_, index) => `r${index}`)
  for (const name of names) {
    put(name)
    ;(await rooms.open(name)).release()
  }
  await clock.advance(2000)
  t.equal(names.filter(isHeard).length, 200)
})

t.test('a room that cannot be read is asked for again by whoever comes next', async (t) => {
  const { rooms, put, isHeard } = openRooms(t)
  await t.rejects(rooms.open('a'), /no such store/)
  t.notOk(isHeard('a'))
  put('a')
  t.equal((await rooms.open('a')).room.room.seq, 0)
})

t.test('all rooms are compared by one question every two seconds, and when messages were lost', async (t) => {
  const { rooms, clock, asked, put, lost$, begun, heads } = openRooms(t)
  for (const name of ['a', 'b', 'c']) {
    put(name, 5)
    await rooms.open(name)
  }
  await clock.advance(10_000)
  t.same(
    asked.heads,
    Array.from({ length: 5 }, () => ['a', 'b', 'c']),
  )
  lost$.next()
  t.equal(asked.heads.length, 6)
  heads.set('b', { storeId: 'b', epoch: 1, seq: 3 })
  await clock.advance(2_000)
  t.same(begun, [{ storeId: 'b', epoch: 1, seq: 5 }], 'what was told and is not on disk begins an epoch')
})

t.test('a count is told once a second when it has changed, and again before it is forgotten', async (t) => {
  const { rooms, clock, asked, put } = openRooms(t)
  put('a')
  const { room } = await rooms.open('a')
  const leaves = ['one', 'two', 'two'].map((accountId) => room.enter({ accountId, send: () => {} }).leave)
  await clock.advance(5_000)
  t.same(asked.counts, [['a', 2]])
  await clock.advance(20_000)
  t.same(asked.counts, [
    ['a', 2],
    ['a', 2],
    ['a', 2],
  ])
  leaves[2]?.()
  await clock.advance(1_000)
  t.equal(asked.counts.length, 3, 'one of two tabs')
  for (const leave of leaves) leave()
  await clock.advance(1_000)
  t.same(asked.counts.at(-1), ['a', 0])
  await clock.advance(60_000)
  t.equal(asked.counts.length, 4)
})

t.test('the pace of a room that nobody listens to is read once in two seconds', async (t) => {
  const { rooms, clock, asked, put, isHeard } = openRooms(t)
  await t.rejects(rooms.slowSeconds('a'), /no such store/)
  put('a')
  t.same(await Promise.all([rooms.slowSeconds('a'), rooms.slowSeconds('a')]), [7, 7])
  t.equal(asked.rooms.length, 2)
  t.notOk(isHeard('a'))
  await clock.advance(2_000)
  await rooms.slowSeconds('a')
  t.equal(asked.rooms.length, 3)
})

t.test('a comparison that fails, in its turn or after a loss, is made again at the next turn', async (t) => {
  const { rooms, clock, asked, put, lost$, away } = openRooms(t)
  put('a', 5)
  const { room } = await rooms.open('a')
  away.postgres = true
  lost$.next()
  await clock.advance(2_000)
  t.equal(asked.heads.length, 2)
  away.postgres = false
  await clock.advance(2_000)
  t.equal(asked.heads.length, 3)
  t.equal(room.room.seq, 5)
})
