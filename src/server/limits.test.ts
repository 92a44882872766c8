import t from 'tap'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { clientAddress } from './client-address.ts'
import { KeyedLimiter, limitKeyOf, TokenBucket } from './limits.ts'

t.test('a bucket gives its burst at once and then its rate', async (t) => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0)
  t.same(
    [0, 0, 0, 0].map((nowMs) => bucket.take(nowMs)),
    [0, 0, 0, 1],
  )
  t.equal(bucket.take(499), 1)
  t.equal(bucket.take(500), 0)
  t.equal(bucket.take(501), 1)
  t.same(
    [60_000, 60_000, 60_000, 60_000].map((nowMs) => bucket.take(nowMs)),
    [0, 0, 0, 1],
  )
})

t.test('a slow rate says after how many seconds to come again', async (t) => {
  const bucket = new TokenBucket({ perSecond: 1 / 60, burst: 1 }, 0)
  t.equal(bucket.take(0), 0)
  t.equal(bucket.take(0), 60)
  t.equal(bucket.take(30_000), 30)
})

t.test('a clock that is set back gives nothing away', async (t) => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 10_000)
  t.equal(bucket.take(10_000), 0)
  t.equal(bucket.take(0), 1)
  t.equal(bucket.take(500), 1)
})

t.test('each key has its own bucket, and the memory for them is bounded', async (t) => {
  const limiter = new KeyedLimiter({
    rate: { perSecond: 0.001, burst: 1 },
    keysMax: 3,
    clock: new FakeClock(),
  })
  for (const key of ['a', 'b', 'c']) t.equal(limiter.take(key), 0)
  t.ok(limiter.take('a') > 0)
  t.equal(limiter.take('d'), 0)
  t.equal(limiter.size, 3)
  t.ok(limiter.take('a') > 0, 'a was used more lately than b')
  t.equal(limiter.take('b'), 0, 'b was forgotten')
  for (let number = 0; number < 10_000; number++) limiter.take(String(number))
  t.equal(limiter.size, 3)
})

t.test('an IPv6 network counts as one address', async (t) => {
  t.equal(limitKeyOf('203.0.113.7'), '203.0.113.7')
  t.equal(limitKeyOf('2001:db8:0:1:2:3:4:5'), '2001:db8:0:1::/64')
  t.equal(limitKeyOf('2001:0db8:0000:0001:ffff:0000:0000:0001'), '2001:db8:0:1::/64')
  t.equal(limitKeyOf('2001:db8::1'), '2001:db8:0:0::/64')
  t.equal(limitKeyOf('::1'), '0:0:0:0::/64')
  t.equal(limitKeyOf('unknown'), 'unknown')
})

t.test('of X-Forwarded-For only what our own proxies wrote is believed', async (t) => {
  const socketAddress = '10.0.0.1'
  const told = (forwardedFor: string, trustedHops: number) =>
    clientAddress({ socketAddress, forwardedFor, trustedHops })
  t.equal(told('1.1.1.1', 0), '10.0.0.1')
  t.equal(told('', 1), '10.0.0.1')
  t.equal(told('6.6.6.6, 1.1.1.1', 1), '1.1.1.1')
  t.equal(told('6.6.6.6,1.1.1.1,10.0.0.9', 2), '1.1.1.1')
  t.equal(told('1.1.1.1', 2), '1.1.1.1')
  t.equal(told('2001:db8::1', 1), '2001:db8::1')
  for (const wrong of ['x', '1.1.1.1, ', '1.1.1.1:80', '<script>']) t.equal(told(wrong, 1), '10.0.0.1', wrong)
})

t.test('an IPv4 address seen through an IPv6 socket is written as usual', async (t) => {
  const socketAddress = '0000:0000:0000:0000:0000:ffff:7f00:0001'
  t.equal(clientAddress({ socketAddress, forwardedFor: '', trustedHops: 0 }), '127.0.0.1')
})
