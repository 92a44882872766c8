import t from 'tap'
import { RememberedPlaces } from './remembered-places.ts'

/** The n-th place that was given in an epoch. */
const place = (epoch: number, n: number): number => epoch * 2 ** 32 + n

t.test('a place that was given before a loss is not forgotten for one that was given behind it', (t) => {
  const places = new RememberedPlaces()
  places.remember({ accountId: 'a', sequence: place(1, 5) })
  // Came anew, before this edge had put anybody back.
  places.remember({ accountId: 'a', sequence: place(2, 1) })
  t.same(places.waitersBefore(2), [{ accountId: 'a', sequence: place(1, 5) }])
  places.notePutBack(2)
  t.same(places.waitersBefore(2), [])
  places.remember({ accountId: 'a', sequence: place(1, 5) })
  t.same(places.waitersBefore(3), [{ accountId: 'a', sequence: place(1, 5) }])
  t.end()
})

t.test('whoever was let in from the place before keeps the one behind the loss', (t) => {
  const places = new RememberedPlaces()
  places.remember({ accountId: 'a', sequence: place(1, 5) })
  places.remember({ accountId: 'a', sequence: place(2, 1) })
  for (const waiter of places.waitersBefore(2)) places.noteUsed(waiter)
  places.notePutBack(2)
  t.same(places.waitersBefore(3), [{ accountId: 'a', sequence: place(2, 1) }])
  t.end()
})

t.test('that a place was used says nothing of a later one', (t) => {
  const places = new RememberedPlaces()
  const before = { accountId: 'a', sequence: place(1, 5) }
  places.remember(before)
  places.remember({ accountId: 'a', sequence: place(2, 1) })
  places.noteUsed(before)
  places.noteUsed(before)
  t.equal(places.sequenceOf('a'), place(2, 1))
  t.end()
})

t.test('whoever was put back, or has left, may have a later place', (t) => {
  const places = new RememberedPlaces()
  places.remember({ accountId: 'left', sequence: place(1, 5) })
  places.forget('left')
  places.remember({ accountId: 'left', sequence: place(2, 1) })
  places.remember({ accountId: 'moved', sequence: place(1, 6) })
  places.notePutBack(2)
  places.remember({ accountId: 'moved', sequence: place(2, 2) })
  t.equal(places.sequenceOf('left'), place(2, 1))
  t.equal(places.sequenceOf('moved'), place(2, 2))
  t.end()
})
