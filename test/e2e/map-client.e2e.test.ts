import t from 'tap'
import { WebSocket } from 'ws'
import { OpenrunClient } from '../../src/client/openrun-client.ts'
import type { UnitMap } from '../../src/client/unit-map.ts'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import { useApp } from '../support/app.ts'
import { unitsOf } from '../support/buyer.ts'
import { api, textAt } from '../support/contract.ts'
import { useCuttableProxy } from '../support/cuttable-proxy.ts'
import { SwiftTime } from '../support/swift-time.ts'
import { until } from '../support/until.ts'

const app = await useApp(t, { config: { guestsPerMinute: 1000 } })
const seatCount = 20

t.test('a client behind a way that is cut again and again ends with the map as it is', async (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)
  t.comment(`seed ${seed}`)
  const random = seededRandom(seed, 0)
  const below = (count: number): number => Math.floor(random() * count)
  const sale = await app.sale({ queue: { maxPerAccount: 20, tokenTtlSeconds: 600 } })
  const buyer = await app.guest()
  const purchaseToken = await buyer.letIn(sale)
  const maps: (UnitMap | undefined)[] = []
  const ways = await Promise.all(
    (['sse', 'ws'] as const).map(async (transport, index) => {
      const way = await useCuttableProxy(t, app.url)
      const client = new OpenrunClient({
        baseUrl: way.url,
        time: new SwiftTime(),
        random: () => 0,
        WebSocket,
      })
      const subscription = client.unitMap({ sale, transport }).subscribe((map) => (maps[index] = map))
      t.teardown(() => subscription.unsubscribe())
      return way
    }),
  )
  const holds: string[] = []
  for (let step = 0; step < 120; step++) {
    const dice = random()
    if (dice < 0.55) {
      const code = `A-01-${String(1 + below(seatCount)).padStart(2, '0')}`
      const held = await buyer.hold(sale, purchaseToken, unitsOf(code))
      if (held.status === 201) holds.push(textAt(held.body, 'hold.id'))
    } else if (dice < 0.8) {
      const [hold] = holds.splice(below(holds.length), 1)
      if (hold !== undefined) await buyer.call('DELETE', `${api}/holds/${hold}`)
    } else if (dice < 0.9) ways[below(ways.length)]?.cut()
    else if (dice < 0.97) ways[below(ways.length)]?.open()
    else await app.redis.client('KILL', 'TYPE', 'pubsub')
  }
  for (const way of ways) way.open()
  const owners = await app.redis.hgetall(`{${sale}}:places`)
  const truly = new Uint8Array(seatCount)
  for (const place of Object.keys(owners)) truly[Number.parseInt(place, 10)] = 1
  for (const index of ways.keys()) {
    await until(`map ${index} is ${truly.join('')}`, () => maps[index]?.seats.join() === truly.join())
  }
  t.ok(truly.includes(0) && truly.includes(1), 'there was something to see')
})
