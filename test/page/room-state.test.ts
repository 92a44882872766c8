import fc from 'fast-check'
import t from 'tap'
import {
  heard,
  joined,
  positionOf,
  shownEntries,
  unknownRoom,
  withEarlier,
} from '../../public/chat/room-state.js'
import type { ChatEntry, ChatJoined } from '../../src/domain/chat/chat-messages.ts'

const entry = (seq: number, more: Partial<ChatEntry> = {}): ChatEntry => ({
  seq,
  id: `e${seq}`,
  kind: 'talk',
  member: { id: 'cme_1', name: 'Somebody' },
  text: `says ${seq}`,
  at: '2026-01-01T00:00:00.000Z',
  ...more,
})
const told = (entries: ChatEntry[], more: Partial<ChatJoined> = {}): ChatJoined => ({
  epoch: 1,
  seq: entries.at(-1)?.seq ?? 0,
  members: 3,
  me: null,
  entries,
  pinned: null,
  slowSeconds: 0,
  closed: false,
  ...more,
})
const seqs = ({ entries }: { entries: readonly ChatEntry[] }) => entries.map(({ seq }) => seq)

t.test('who comes is given the newest, and from then on what follows', async (t) => {
  const room = joined(unknownRoom, told([entry(4), entry(5)]))
  t.equal(positionOf(room), '1:5')
  const now = heard(room, { prev: 5, seq: 6, entries: [entry(6)] })
  t.same(now && seqs(now), [4, 5, 6])
  t.equal(heard(room, { prev: 6, seq: 7, entries: [entry(7)] }), undefined, 'what does not follow is noticed')
  t.equal(now && heard(now, { prev: 5, seq: 6, entries: [entry(6)] }), now, 'what is known is passed over')
})

t.test('what was missed is added; after a gap or in another epoch the newest replace what was', async (t) => {
  const room = joined(unknownRoom, told([entry(1), entry(2)]))
  t.same(seqs(joined(room, told([entry(3), entry(4)]))), [1, 2, 3, 4])
  t.same(seqs(joined(room, told([], { seq: 2 }))), [1, 2], 'nothing was missed')
  t.same(seqs(joined(room, told([], { seq: 1 }))), [1, 2], 'what is told late takes nothing back')
  t.same(seqs(joined(room, told([entry(80), entry(81)], { gap: true }))), [80, 81])
  t.same(seqs(joined(room, told([entry(1), entry(2), entry(3)], { epoch: 2 }))), [1, 2, 3])
})

t.test('what was done to an entry is seen there', async (t) => {
  const room = joined(unknownRoom, told([entry(1), entry(2)]))
  const more = [
    entry(3, { kind: 'pinned', target: 2, member: null, text: '' }),
    entry(4, { kind: 'slow', seconds: 15, member: null, text: '' }),
    entry(5, { kind: 'closed', member: null, text: '' }),
  ]
  const now = heard(room, { prev: 2, seq: 5, entries: more })
  t.match(now, { pinned: { seq: 2 }, slowSeconds: 15, isClosed: true })
  if (now === undefined) throw new Error('it follows')
  const last = [
    entry(6, { kind: 'deleted', target: 2, member: null, text: '' }),
    entry(7, { kind: 'opened', member: null, text: '' }),
  ]
  const after = heard(now, { prev: 5, seq: 7, entries: last })
  t.match(after, { pinned: null, isClosed: false })
  t.match(after?.entries[1], { seq: 2, text: '', deleted: true })
  t.same(after && shownEntries(after).map(({ seq }) => seq), [1, 2, 4, 5, 7])
})

t.test('earlier pages come before what is known, once', async (t) => {
  const room = joined(unknownRoom, told([entry(5), entry(6)]))
  t.same(seqs(withEarlier(room, [entry(6), entry(5), entry(4), entry(3)])), [3, 4, 5, 6])
})

t.test('whatever is repeated or lost, a page that asks again has each entry once, in order', async (t) => {
  const moves = fc.array(fc.constantFrom('hear', 'lose', 'repeat', 'cut'), { maxLength: 60 })
  fc.assert(
    fc.property(moves, (all) => {
      const server: ChatEntry[] = [entry(1)]
      let room = joined(unknownRoom, told([...server]))
      const rejoin = () => {
        room = joined(
          room,
          told(
            server.filter(({ seq }) => seq > room.seq),
            { seq: server.length },
          ),
        )
      }
      for (const move of all) {
        const seq = server.length + 1
        if (move !== 'repeat') server.push(entry(seq))
        if (move === 'cut') rejoin()
        if (move === 'hear' || move === 'repeat') {
          const last = server.length
          const now = heard(room, { prev: last - 1, seq: last, entries: server.slice(-1) })
          if (now === undefined) rejoin()
          else room = now
        }
      }
      rejoin()
      t.same(room.entries, server)
    }),
  )
})
