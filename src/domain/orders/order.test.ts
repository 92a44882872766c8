import t from 'tap'
import { comesFrom, hasEnded, mayMove, orderStatuses } from './order.ts'

t.test('only the answer of the provider ends an order whose charge is open', (t) => {
  t.same(
    orderStatuses.filter((to) => mayMove('paying', to)),
    ['booked', 'refused'],
  )
  t.end()
})

t.test('an order expires only while it waits for its payment', (t) => {
  t.same(comesFrom('expired'), ['pending'])
  t.end()
})

t.test('an order is cancelled before it is paid for or after, never in between', (t) => {
  t.same(comesFrom('cancelled'), ['pending', 'booked'])
  t.end()
})

t.test('an ended order never moves again', (t) => {
  t.same(orderStatuses.filter(hasEnded), ['refused', 'expired', 'cancelled', 'abandoned'])
  for (const from of orderStatuses.filter(hasEnded)) t.notOk(orderStatuses.some((to) => mayMove(from, to)))
  t.end()
})

t.test('every state but the first and the abandoned one can be reached', (t) => {
  for (const to of orderStatuses) {
    t.equal(comesFrom(to).length > 0, to !== 'pending' && to !== 'abandoned', to)
  }
  t.end()
})
