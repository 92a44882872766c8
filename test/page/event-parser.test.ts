import fc from 'fast-check'
import t from 'tap'
import { EventParser, type LiveEvent } from '../../public/live/event-stream.js'
import { eventText } from '../../src/server/topics.ts'

function read(pieces: readonly string[]): LiveEvent[] {
  const events: LiveEvent[] = []
  const parser = new EventParser((event) => events.push(event))
  for (const piece of pieces) parser.take(piece)
  return events
}

t.test('what the server writes is read, however it is cut into pieces', async (t) => {
  const event = fc.record({
    type: fc.constantFrom('position', 'delta'),
    id: fc.constantFrom('1:2', '3:44'),
    data: fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 5 }), n: fc.integer() }),
  })
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 4 }),
      fc.array(fc.nat({ max: 9 }), { maxLength: 20 }),
      (events, sizes) => {
        let rest = events.map((told) => eventText(told)).join(': a comment\n\n')
        const pieces: string[] = []
        for (const size of sizes) {
          pieces.push(rest.slice(0, size))
          rest = rest.slice(size)
        }
        t.same(read([...pieces, rest]), events)
      },
    ),
  )
})

t.test('an event holds on to the last id, as a browser does', async (t) => {
  t.strictSame(
    read(['id: 1:5\nevent: delta\ndata: {}\n\nevent: free\ndata: {}\n\n']).map(({ type, id }) => [type, id]),
    [
      ['delta', '1:5'],
      ['free', '1:5'],
    ],
  )
})

t.test('comments, hints and other line ends are no events', async (t) => {
  t.strictSame(read([': waiting\n\nretry: 2000\n\n', 'event: paused\r\ndata: {}\r\n\r\n']), [
    { type: 'paused', data: {}, id: undefined },
  ])
})

t.test('what is not JSON is an event without data', async (t) => {
  t.strictSame(read(['event: position\ndata: oh\n\n']), [
    { type: 'position', data: undefined, id: undefined },
  ])
})
