import t from 'tap'
import { backoffMs, callTimeoutMs, claimMs } from './payment.ts'

t.test('the pause doubles from half a second to a minute and is spread by a half', (t) => {
  t.equal(backoffMs(1, 1), 500)
  t.equal(backoffMs(1, 0), 250)
  t.equal(backoffMs(2, 1), 1000)
  t.equal(backoffMs(4, 0.5), 3000)
  t.equal(backoffMs(8, 1), 60_000)
  t.equal(backoffMs(1_000_000, 1), 60_000)
  t.equal(backoffMs(1_000_000, 0), 30_000)
  t.end()
})

t.test('a claim lasts longer than a look-up and a charge that both run into their time-out', (t) => {
  t.ok(claimMs > 2 * callTimeoutMs)
  t.end()
})
