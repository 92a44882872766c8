import fc from 'fast-check'
import t from 'tap'
import { SseParser, type SseEvent } from './sse-parser.ts'

function parsed(...pieces: readonly string[]): { events: SseEvent[]; retryMs: number | undefined } {
  const events: SseEvent[] = []
  const parser = new SseParser((event) => events.push(event))
  for (const piece of pieces) parser.push(piece)
  return { events, retryMs: parser.retryMs }
}

t.test('an event has a type, data and the position it leaves behind', (t) => {
  const { events } = parsed('event: position\nid: 4:7\ndata: {"a":1}\n\n')
  t.same(events, [{ event: 'position', data: '{"a":1}', lastEventId: '4:7' }])
  t.end()
})

t.test('several lines of data are one text with line feeds in it', (t) => {
  t.same(parsed('data: one\ndata:two\ndata\n\n').events[0]?.data, 'one\ntwo\n')
  t.end()
})

t.test('comments, unknown fields and events without data are passed over', (t) => {
  const { events } = parsed(': waiting\n\nevent: hollow\n\nweather: fine\ndata: x\n\n')
  t.same(events, [{ event: 'message', data: 'x', lastEventId: '' }])
  t.end()
})

t.test('an event that is not finished by an empty line is no event', (t) => {
  t.same(parsed('data: half\n').events, [])
  t.end()
})

t.test('the position stays until another is named, and one with a zero byte is none', (t) => {
  const { events } = parsed('id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\nid\ndata: d\n\n')
  t.same(
    events.map(({ lastEventId }) => lastEventId),
    ['1', '1', '1', ''],
  )
  t.end()
})

t.test('a byte order mark at the beginning is no part of the first field', (t) => {
  t.same(parsed('\uFEFFdata: x\n\n').events.length, 1)
  t.end()
})

t.test('the pause before the next connection is taken from digits only', (t) => {
  t.equal(parsed('retry: 1500\n\n').retryMs, 1500)
  t.equal(parsed('retry: soon\n\n').retryMs, undefined)
  t.end()
})

t.test('cut anywhere and with any kind of line end, a stream says the same', (t) => {
  const line = fc.stringMatching(/^[^\r\n\0\uFEFF]{0,12}$/)
  const event = fc.record({ id: fc.option(line), data: fc.array(line, { minLength: 1, maxLength: 3 }) })
  const ends = fc.constantFrom('\n', '\r\n', '\r')
  const cuts = fc.array(fc.nat(400), { maxLength: 12 })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), ends, cuts, (sent, end, places) => {
      const text = sent
        .flatMap(({ id, data }) => [
          ...(id === null ? [] : [`id: ${id}`]),
          ...data.map((part) => `data: ${part}`),
          '',
        ])
        .map((part) => part + end)
        .join('')
      const at = [...new Set(places.map((place) => Math.min(place, text.length)))].toSorted((a, b) => a - b)
      const pieces = [0, ...at].map((from, index) => text.slice(from, at[index] ?? text.length))
      t.equal(pieces.join(''), text)
      t.same(
        parsed(...pieces).events.map(({ data }) => data),
        sent.map(({ data }) => data.join('\n')),
      )
    }),
  )
  t.end()
})
