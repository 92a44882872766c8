import t from 'tap'
import { SaleAsks } from './sale-asks.ts'

const served = <T>(value: T) => ({ ok: true, value }) as const

t.test('a server that does not answer keeps nobody of another sale waiting', async (t) => {
  const asks = new SaleAsks<number, string>({
    serve: (saleId, all) =>
      saleId === 'frozen'
        ? new Promise(() => {})
        : Promise.resolve(all.map((ask) => served(`${saleId} ${ask}`))),
  })
  // More than may be under way, and in the same moment.
  for (let ask = 0; ask < 2_000; ask++) void asks.add('frozen', ask)
  t.equal(await asks.add('well', 1), 'well 1')
})

t.test('no more than 32 calls of a sale are under way', async (t) => {
  let [underWay, most] = [0, 0]
  const answers: (() => void)[] = []
  const asks = new SaleAsks<number, number>({
    atOnce: 1,
    serve: async (_, all) => {
      most = Math.max(most, ++underWay)
      await new Promise<void>((answer) => answers.push(answer))
      underWay--
      return all.map(served)
    },
  })
  const all = Array.from({ length: 100 }, (_, ask) => asks.add('sale', ask))
  const isDone = Promise.all(all)
  let done = false
  void isDone.then(() => (done = true))
  while (!done) {
    answers.shift()?.()
    await new Promise(setImmediate)
  }
  t.same(
    await isDone,
    Array.from({ length: 100 }, (_, ask) => ask),
  )
  t.equal(most, 32)
})

t.test('one ask too many is refused', async (t) => {
  const asks = new SaleAsks<number, string>({ serve: () => new Promise(() => {}) })
  for (let ask = 0; ask < 20_000; ask++) void asks.add(`sale${ask % 10}`, ask)
  await t.rejects(asks.add('another', 1), { code: 'unavailable' })
})
