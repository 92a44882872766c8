import t from 'tap'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { freeSlots } from '../support/calls.ts'
import { api, at, textAt } from '../support/contract.ts'
import { SocketViewer, StreamViewer, type MapViewer } from '../support/map-viewer.ts'
import { until } from '../support/until.ts'

const app = await useApp(t, { config: { guestsPerMinute: 1000 } })
const seatCount = 20

const viewersOf = (sale: string, query = ''): [SocketViewer, StreamViewer] => {
  const viewers: [SocketViewer, StreamViewer] = [
    new SocketViewer(app.url, { sale, seatCount }),
    new StreamViewer(app.url, { sale, seatCount, query }),
  ]
  t.teardown(() => viewers.forEach((viewer) => viewer.stop()))
  return viewers
}
const isSeen = (viewers: readonly MapViewer[], what: string, seen: (viewer: MapViewer) => boolean) =>
  until(what, () => viewers.every(seen))

t.test('a seat is seen to be held, sold and free again, over both transports', async (t) => {
  const sale = await app.sale()
  const buyer = await app.guest()
  const purchaseToken = await buyer.letIn(sale)
  const viewers = viewersOf(sale)
  await isSeen(viewers, 'the map', (viewer) => viewer.position !== '')
  const first = await buyer.hold(sale, purchaseToken, unitsOf('A-01-03'))
  await isSeen(viewers, 'the hold', (viewer) => viewer.states[2] === 1)
  await buyer.order(textAt(first.body, 'hold.id'), 'sandbox_approve')
  await isSeen(viewers, 'the sale', (viewer) => viewer.states[2] === 2)
  const second = await buyer.hold(sale, purchaseToken, unitsOf('A-01-05', 'A-01-06'))
  await isSeen(viewers, 'two at once', (viewer) => viewer.states[4] === 1 && viewer.states[5] === 1)
  await buyer.call('DELETE', `${api}/holds/${textAt(second.body, 'hold.id')}`)
  await isSeen(viewers, 'both free', (viewer) => viewer.states[4] === 0 && viewer.states[5] === 0)
  for (const viewer of viewers) {
    t.equal(viewer.types[0], 'snapshot')
    t.equal(viewer.types.filter((type) => type === 'snapshot').length, 1)
  }
  const { body, headers } = await buyer.call('GET', `${api}/sales/${sale}/availability`)
  t.equal([at(body, 'epoch'), at(body, 'seq')].join(':'), viewers[0].position)
  t.equal(headers.get('etag'), `"${viewers[0].position}"`)
})

t.test('places of slots are counted down by their codes', async (t) => {
  const sale = await app.sale(freeSlots(2))
  const buyer = await app.guest()
  const purchaseToken = await buyer.letIn(sale)
  const viewers = viewersOf(sale)
  await isSeen(viewers, 'the map', (viewer) => viewer.position !== '')
  const codes = Object.keys(viewers[0].pools)
  t.equal(codes.length, 2)
  const [code = ''] = codes
  await buyer.hold(sale, purchaseToken, { units: [{ unit: code, quantity: 3 }] })
  await isSeen(viewers, 'seven left', (viewer) => viewer.pools[code] === 7)
})

t.test('whoever watches a held seat is told when it is free, and until when it is held', async (t) => {
  const sale = await app.sale()
  const buyer = await app.guest()
  const purchaseToken = await buyer.letIn(sale)
  const held = await buyer.hold(sale, purchaseToken, unitsOf('A-01-07'))
  const unit = await buyer.call('GET', `${api}/sales/${sale}/units/A-01-07`)
  t.match(unit.body, { unit: 'A-01-07', state: 'held', left: 0, heldUntil: at(held.body, 'hold.expiresAt') })
  const other = await buyer.call('GET', `${api}/sales/${sale}/units/A-01-08`)
  t.match(other.body, { state: 'free', left: 1 })
  t.notOk('heldUntil' in other.body)
  t.equal((await buyer.call('GET', `${api}/sales/${sale}/units/A-99-01`)).status, 422)

  const viewers = viewersOf(sale, '?watch=A-01-07')
  await isSeen(viewers, 'the map', (viewer) => viewer.position !== '')
  viewers[0].watch('A-01-07')
  await buyer.call('DELETE', `${api}/holds/${textAt(held.body, 'hold.id')}`)
  await isSeen(viewers, 'the word', (viewer) => viewer.freed.includes('A-01-07'))
  for (const viewer of viewers) t.same(viewer.freed, ['A-01-07'])
})

t.test(
  'after any cut on either side of the edge, and the loss of Redis, every viewer has the same map',
  async (t) => {
    const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)
    t.comment(`seed ${seed}`)
    const random = seededRandom(seed, 0)
    const below = (count: number): number => Math.floor(random() * count)
    const sale = await app.sale({ queue: { maxPerAccount: 20, tokenTtlSeconds: 600 } })
    const buyer = await app.guest()
    const purchaseToken = await buyer.letIn(sale)
    const viewers: MapViewer[] = [...viewersOf(sale), ...viewersOf(sale), ...viewersOf(sale)]
    // However the dice fall, there is something to see.
    await buyer.buy(sale, ['A-01-01'], 'sandbox_approve')
    await isSeen(viewers, 'what is sold', (viewer) => viewer.states[0] === 2)
    const holds: string[] = []
    for (let step = 0; step < 150; step++) {
      const dice = random()
      if (dice < 0.5) {
        const code = `A-01-${String(1 + below(seatCount)).padStart(2, '0')}`
        const held = await buyer.hold(sale, purchaseToken, unitsOf(code))
        if (held.status === 201) holds.push(textAt(held.body, 'hold.id'))
      } else if (dice < 0.75) {
        const [hold] = holds.splice(below(holds.length), 1)
        if (hold !== undefined) await buyer.call('DELETE', `${api}/holds/${hold}`)
      } else if (dice < 0.8) {
        const [hold] = holds.splice(below(holds.length), 1)
        if (hold !== undefined) await buyer.order(hold, 'sandbox_approve')
      } else if (dice < 0.93) viewers[below(viewers.length)]?.cut()
      else if (dice < 0.99) await app.redis.client('KILL', 'TYPE', 'pubsub')
      if (step === 75) await app.redis.flushall()
    }
    // What is still under way comes to its end; then nothing changes any more.
    let last = ''
    await until('the map has come to rest', async () => {
      const { body } = await buyer.call('GET', `${api}/sales/${sale}/availability`)
      const isSame = JSON.stringify(body) === last
      last = JSON.stringify(body)
      const [counts] = await app.sql`
      select count(*)::int as open from orders where sale_id = ${sale} and status in ('pending', 'paying')`
      return isSame && counts?.['open'] === 0
    })
    let truly: readonly number[] = []
    await until('everybody has the true map', async () => {
      truly = await trueStates(sale)
      const { position } = viewers[0] as MapViewer
      return viewers.every((viewer) => viewer.states.join() === truly.join() && viewer.position === position)
    })
    t.ok(truly.includes(2) && truly.includes(0), 'there was something to see')
  },
)

/** By the script itself, not by what the edge believes. */
async function trueStates(sale: string): Promise<number[]> {
  const owners = await app.redis.hgetall(`{${sale}}:places`)
  const states = Array.from({ length: seatCount }, () => 0)
  for (const [place, owner] of Object.entries(owners)) {
    states[Number.parseInt(place, 10)] = owner.startsWith('s:') ? 2 : 1
  }
  return states
}
