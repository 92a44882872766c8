import { createHmac } from 'node:crypto'
import t from 'tap'
import { at } from '../../../test/support/shop.ts'
import { drawnOrder } from './draw.ts'

t.test('rank follows from seed; every slice; no entry is favoured', async (t) => {
  const entries = Array.from({ length: 12_345 }, (_, i) => ({ entryId: `ent_${i}` }))
  const order = await drawnOrder('ab'.repeat(32), entries)
  t.equal(new Set(order).size, entries.length)
  const rank = (id: string) =>
    createHmac('sha256', Buffer.from('ab'.repeat(32), 'hex'))
      .update(id)
      .digest('hex')
  t.ok(order.every((e, i) => i === 0 || rank(at(order, i - 1).entryId) < rank(e.entryId)))
  const counts = Array.from({ length: 10 }, () => 0)
  for (let s = 0; s < 3000; s++) {
    const seed = createHmac('sha256', 'seeds').update(String(s)).digest('hex')
    const o = await drawnOrder(seed, entries.slice(0, 10))
    const place = o.findIndex((e) => e.entryId === 'ent_0')
    counts[place] = at(counts, place) + 1
  }
  const chi = counts.reduce((sum, c) => sum + (c - 300) ** 2 / 300, 0)
  t.ok(chi < 27.9, `chi² ${chi.toFixed(1)} of 9 degrees, ${counts.join(' ')}`)
})
