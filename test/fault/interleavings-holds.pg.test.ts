import fc from 'fast-check'
import t from 'tap'
import { Problem } from '../../src/errors.ts'
import { OneRedis } from '../../src/db/one-redis.ts'
import { fateOf, SaleAsks } from '../../src/domain/sale-state/sale-asks.ts'
import { saleKeyNames, saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { SaleState } from '../../src/domain/sale-state/sale-state.ts'
import { HoldStore } from '../../src/domain/units/hold-store.ts'
import type { Hold } from '../../src/domain/units/hold.ts'
import { useHouse } from '../support/house.ts'
import { callFate, Calls, explore, Turns } from '../support/interleaving.ts'
import { at, openShop, slots } from '../support/shop.ts'
import { unhurriedClock } from '../support/unhurried.ts'
import { until } from '../support/until.ts'

/*
 * What one process does around holds: it gathers asks, sends them by one connection, and gives everybody their own
 * answer, whatever is late, lost or begun anew meanwhile.
 */

const house = await useHouse(t)
const { redis } = house
const one = new OneRedis(redis, unhurriedClock)
await until('it is known who answers', () => one.isKnown)

const unitCount = 4
const capacity = 3
const shops = await Promise.all(
  [0, 1].map(() =>
    openShop(house, { buyers: 3, changes: slots(unitCount, capacity), queue: { maxPerAccount: 3 } }),
  ),
)

/** What the n-th hold of a sale is always asked for: nobody else asks for the same. */
function askOf(sale: number, number: number) {
  const { accountId, sequence } = at(at(shops, sale).buyers, number % 3)
  const wants = [{ unitNo: number % unitCount, quantity: 1 + (number % 2) }]
  return { accountId, sequence, holdId: `hol_${sale}_${number}`, orderId: `ord_${sale}_${number}`, wants }
}

let runs = 0

/** Two sales as they were when their gates had let the buyers in; epochs begin anew with them. */
class Sales {
  readonly ids: readonly string[]

  private constructor(ids: readonly string[]) {
    this.ids = ids
  }

  static async begin(): Promise<Sales> {
    runs++
    const sales = new Sales([0, 1].map((index) => `sal_run${runs}x${index}`))
    await Promise.all([0, 1].map((index) => sales.#write(index, 0)))
    return sales
  }

  /** Redis has forgotten the sale, and it is built anew from what PostgreSQL has: the holds are gone. */
  async beginEpoch(index: number): Promise<void> {
    const epoch = Number(await redis.hget(saleKeys(at(this.ids, index)).state, 'epoch'))
    await this.#write(index, epoch)
  }

  async closeFor(index: number): Promise<void> {
    await redis.hset(saleKeys(at(this.ids, index)).state, 'ready', '0')
  }

  async end(): Promise<void> {
    await redis.unlink(this.ids.flatMap((id) => Object.values(saleKeys(id)) as string[]))
  }

  async #write(index: number, epochBefore: number): Promise<void> {
    const [from, to] = [saleKeys(at(shops, index).sale.id), saleKeys(at(this.ids, index))]
    const all = redis.multi()
    for (const name of saleKeyNames) all.unlink(to[name]).copy(from[name], to[name])
    if (epochBefore > 0) all.hset(to.state, 'epoch', epochBefore + 1)
    await all.exec()
  }
}

const [sale, number] = [fc.nat(1), fc.nat(3)]
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('take' as const), sale, number }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take without admission' as const), sale, number }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pin' as const), sale, number }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pin of a stranger' as const), sale, number }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), sale, number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('extend' as const), sale, number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('new epoch' as const), sale, number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('closed for a rebuild' as const), sale, number }) },
)
type Step = (typeof step extends fc.Arbitrary<infer One> ? One : never) & object
type Answer = { readonly hold: Hold } | { readonly taken: readonly number[] } | { readonly refused: string }

interface Answered {
  readonly step: Step
  answer: Answer | undefined
  /** Lives of the sale before it was asked. */
  readonly lives: number
}

/** What is asked by a step; undefined for what is no ask. */
async function ask(holds: HoldStore, saleId: string, one: Step): Promise<Answer | undefined> {
  const { wants, ...asked } = askOf(one.sale, one.number)
  switch (one.kind) {
    case 'take':
    case 'take without admission': {
      const sequence = one.kind === 'take' ? asked.sequence : asked.sequence + 1
      const { accountId, holdId } = asked
      const taking = await holds.take(saleId, { holdId, accountId, sequence, alternatives: [wants] })
      if ('leftAlone' in taking) throw new Error('there are no rows')
      return taking
    }
    case 'pin':
      return { hold: await holds.pin(saleId, asked) }
    case 'pin of a stranger':
      return { hold: await holds.pin(saleId, { ...asked, accountId: 'usr_stranger' }) }
    case 'release':
      await holds.release(saleId, asked)
      return undefined
    case 'extend':
      return { hold: await holds.extend(saleId, asked) }
    case 'new epoch':
    case 'closed for a rebuild':
      return undefined
  }
}

const always = ['unavailable', 'restoring']
/** What may be refused, and why. */
const refusals: Readonly<Record<Step['kind'], readonly string[]>> = {
  take: ['limit_reached'],
  'take without admission': ['admission_over'],
  pin: ['hold_gone'],
  'pin of a stranger': ['hold_gone'],
  release: ['hold_gone'],
  extend: ['hold_gone', 'already_extended'],
  'new epoch': [],
  'closed for a rebuild': [],
}

function mustBeOwn({ step: one, answer }: Answered): void {
  const { accountId, holdId, wants, orderId } = askOf(one.sale, one.number)
  const [{ unitNo, quantity }] = wants as [{ unitNo: number; quantity: number }]
  const told = JSON.stringify({ one, answer })
  if (answer === undefined) return
  if ('refused' in answer) {
    if (![...always, ...refusals[one.kind]].includes(answer.refused)) throw new Error(`refused: ${told}`)
  } else if ('taken' in answer) {
    if (answer.taken.join() !== String(unitNo)) throw new Error(`taken: ${told}`)
  } else {
    const { hold } = answer
    const isOwn = hold.id === holdId && hold.accountId === accountId
    const arePlaces = hold.places.length === quantity && hold.places.every((place) => place.unitNo === unitNo)
    const isOrder = one.kind === 'pin' ? hold.orderId === orderId : (hold.orderId ?? orderId) === orderId
    if (!isOwn || !arePlaces || !isOrder || one.kind === 'pin of a stranger') throw new Error(`held: ${told}`)
  }
}

/** What Redis has in the end: no place twice, none beyond the capacity, and every place in exactly one hold. */
async function mustAddUp(saleId: string): Promise<Record<string, string>> {
  const keys = saleKeys(saleId)
  const [holds, places, left, accounts] = await Promise.all([
    redis.hgetall(keys.holds),
    redis.hgetall(keys.places),
    redis.hgetall(keys.left),
    redis.hgetall(keys.accounts),
  ])
  const records = Object.entries(holds).map(([id, text]) => ({
    id,
    ...(JSON.parse(text) as { account: string; places: [number, number, number][]; order?: string }),
  }))
  const owners = records.flatMap(({ id, places: own, order }) =>
    own.map(([unitNo, ordinal]) => [`${unitNo}:${ordinal}`, order === undefined ? `h:${id}` : `p:${order}`]),
  )
  if (owners.length !== Object.keys(places).length || owners.some(([name = '', by]) => places[name] !== by))
    throw new Error(`holds ${JSON.stringify(records)}, places ${JSON.stringify(places)}`)
  for (let unitNo = 0; unitNo < unitCount; unitNo++) {
    const taken = owners.filter(([name = '']) => name.startsWith(`${unitNo}:`)).length
    if (Number(left[unitNo]) !== capacity - taken) throw new Error(`${left[unitNo]} left of unit ${unitNo}`)
  }
  for (const { accountId } of shops.flatMap(({ buyers }) => buyers)) {
    const own = records.filter(({ account }) => account === accountId).flatMap((one) => one.places)
    const mask = own.reduce((sum, [, , nth]) => sum + 2 ** (nth - 1), 0)
    if (Number(accounts[accountId] ?? 0) !== mask) throw new Error(`${accountId} has ${accounts[accountId]}`)
  }
  return holds
}

/** What was said to be held, and neither given back nor lost with a life of the sale, is held. */
function mustBeThere(
  answered: readonly Answered[],
  held: Readonly<Record<string, string>>,
  lives: number,
): void {
  for (const one of answered) {
    const { answer, step: asked } = one
    if (answer === undefined || !('hold' in answer) || one.lives < lives) continue
    const isGivenBack = answered.some(
      ({ step: other }) => other.kind === 'release' && other.number === asked.number,
    )
    const isPinned = asked.kind === 'pin'
    if ((isPinned || !isGivenBack) && held[answer.hold.id] === undefined)
      throw new Error(`${JSON.stringify(answer.hold)} was said to be held`)
  }
}

t.test('each ask for holds gets its own answer, and what was said to be held is held', async (t) => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
    fc.array(callFate, { maxLength: 6 }),
    fc.integer({ min: 1, max: 3 }),
    fc.boolean(),
    async (scheduler, moments, fates, atOnce, knowsEpochs) => {
      const sales = await Sales.begin()
      const turns = new Turns(scheduler)
      const calls = new Calls(turns, fates)
      const state = new SaleState({ of: () => ({ commands: calls.redis(redis), runId: one.runId }) })
      if (knowsEpochs) for (const id of sales.ids) state.setEpoch(id, 1)
      const holds = new HoldStore(state, { atOnce })
      const answered: Answered[] = []
      const lives = [0, 0]
      const settled: Promise<unknown>[] = []
      const begin = (one: Step): unknown => {
        if (one.kind === 'closed for a rebuild') return sales.closeFor(one.sale)
        if (one.kind === 'new epoch') {
          lives[one.sale] = (lives[one.sale] ?? 0) + 1
          return sales.beginEpoch(one.sale)
        }
        const entry: Answered = { step: one, answer: undefined, lives: lives[one.sale] ?? 0 }
        answered.push(entry)
        const asked = ask(holds, at(sales.ids, one.sale), one).then(
          (answer) => (entry.answer = answer),
          (error: unknown) => {
            if (!(error instanceof Problem)) throw error
            entry.answer = { refused: error.code }
          },
        )
        settled.push(asked)
        return undefined
      }
      const isDone = turns.inOrder(
        moments.map((all) => ['asked together', () => Promise.all(all.map(begin))]),
      )
      await turns.play()
      await isDone
      await Promise.all(settled)
      answered.forEach(mustBeOwn)
      const isSteady = fates.every((fate) => fate === 'is answered') && !moments.flat().some(isClosing)
      for (const index of [0, 1]) {
        const held = await mustAddUp(at(sales.ids, index))
        const own = answered.filter(({ step: one }) => one.sale === index)
        mustBeThere(own, held, lives[index] ?? 0)
        const turnedAway = own.filter(
          ({ answer }) => answer && 'refused' in answer && always.includes(answer.refused),
        )
        const livesHeardOf = (lives[index] ?? 0) + (knowsEpochs ? 0 : 1)
        if (isSteady && livesHeardOf <= 1 && turnedAway.length > 0)
          throw new Error(`turned away by a sale that was there: ${JSON.stringify(turnedAway)}`)
      }
      await sales.end()
    },
  )
  await explore(t, 80, property)
})

function isClosing({ kind }: Step): boolean {
  return kind === 'closed for a rebuild'
}

/** The sales of those who ask at the same moment. */
const together = fc.array(fc.nat(2), { minLength: 1, maxLength: 6 })

t.test('asks of one sale are served in their order, by no more calls than may be under way', async (t) => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(together, { minLength: 1, maxLength: 20 }),
    fc.array(fc.constantFrom('answers', 'answers', 'answers', 'fails', 'answers fewer'), { maxLength: 10 }),
    fc.integer({ min: 1, max: 3 }),
    async (scheduler, moments, ways, atOnce) => {
      const count = moments.flat().length
      let ask = 0
      const turns = new Turns(scheduler)
      const fates = [...ways]
      const served: string[] = []
      const underWay = new Map<string, number>()
      let most = 0
      const asks = new SaleAsks<number, string>({
        atOnce,
        serve: async (saleId, items) => {
          served.push(...items.map((item) => `${saleId}:${item}`))
          const own = (underWay.get(saleId) ?? 0) + 1
          underWay.set(saleId, own)
          most = Math.max(most, own)
          if (items.length > atOnce) throw new Error(`${items.length} in one call`)
          const way = fates.shift() ?? 'answers'
          await turns.turn(`${saleId} ${way}`)
          underWay.set(saleId, (underWay.get(saleId) ?? 0) - 1)
          if (way === 'fails') throw new Error('Connection is closed.')
          const replies = way === 'answers fewer' ? items.slice(1) : items
          return replies.map((item) =>
            fateOf(() => {
              if (item % 5 === 4) throw new Error(`no ${saleId}:${item}`)
              return `${saleId}:${item}`
            }),
          )
        },
      })
      const answers: Promise<void>[] = []
      const expect = (saleId: string, own: number): void => {
        const told = asks.add(saleId, own)
        answers.push(
          told.then(
            (value) => mustBe(value, `${saleId}:${own}`),
            (error: Error) => mayBe(error, own),
          ),
        )
      }
      const mustBe = (value: string, own: string): void => {
        // Who serves fewer than it was asked gives no answer an index of its own.
        if (value !== own && !ways.includes('answers fewer')) throw new Error(`${own} was told ${value}`)
      }
      const mayBe = ({ message }: Error, own: number): void => {
        if (message.startsWith('no ') && own % 5 !== 4 && !ways.includes('answers fewer'))
          throw new Error(`${own} was told ${message}`)
      }
      const isDone = turns.inOrder(
        moments.map((sales) => [
          'asked together',
          () => {
            for (const index of sales) expect(`sale${index}`, ask++)
          },
        ]),
      )
      await turns.play()
      await isDone
      await Promise.all(answers)
      if (most > 32) throw new Error(`${most} calls under way`)
      if (new Set(served).size !== count || served.length !== count)
        throw new Error('an ask was served twice or never')
      for (const saleId of ['sale0', 'sale1', 'sale2']) {
        const own = served.filter((name) => name.startsWith(saleId)).map((name) => Number(name.split(':')[1]))
        if (own.some((ask, index) => ask < (own[index - 1] ?? -1))) throw new Error(`served as ${own.join()}`)
      }
    },
  )
  await explore(t, 80, property)
})
