import t from 'tap'
import {
  formatDistance,
  formatLeft,
  formatMoney,
  formatNumber,
  formatSpan,
  formatWeekday,
} from '../../public/shell/formats.js'

t.test('money is written as people of the language do, from the minor unit of its currency', async (t) => {
  t.equal(formatMoney('ko', { amountMinor: 154_000, currency: 'KRW' }), '₩154,000')
  t.equal(formatMoney('en', { amountMinor: 1999, currency: 'USD' }), '$19.99')
  t.equal(formatMoney('en', { amountMinor: 1500, currency: 'KWD' }).replace(/\s/, ' '), 'KWD 1.500')
})

t.test('a countdown is never over too early, and never below zero', async (t) => {
  const shown = [-5000, 0, 1, 1000, 1001, 59_999, 60_000, 3_599_001, 3_725_000].map((ms) => formatLeft(ms))
  t.same(shown, ['0:00', '0:00', '0:01', '0:01', '0:02', '1:00', '1:00', '1:00:00', '1:02:05'])
})

t.test('a span is told in the largest unit that fits', async (t) => {
  const told = [1, 59, 60, 90, 3600, 86_399, 172_800].map((seconds) => formatSpan('en', seconds))
  t.same(told, ['1 second', '59 seconds', '1 minute', '2 minutes', '1 hour', '24 hours', '2 days'])
  t.equal(formatSpan('ko', 180), '3분')
  t.equal(formatNumber('ko', 12_345), '12,345')
})

t.test('a distance is told as people say it', async (t) => {
  const told = [4, 347, 1180, 9940, 17_800].map((metres) => formatDistance('en', metres))
  t.same(told, ['0 m', '350 m', '1.2 km', '9.9 km', '18 km'])
})

t.test('the first day of the week is a Monday', async (t) => {
  t.same([formatWeekday('en', 1), formatWeekday('ko', 7)], ['Mon', '일'])
})
