import t from 'tap'
import { demoStores } from './demo-stores.ts'
import { newStore } from './store-messages.ts'

t.test('describes stores that the door for organisers would let in, each by a name of its own', async (t) => {
  const stores = demoStores(Date.UTC(2026, 10, 21, 12))
  for (const description of stores) t.ok(newStore.safeParse(description).success, description.name)
  t.equal(new Set(stores.map(({ name }) => name)).size, 30)
})
