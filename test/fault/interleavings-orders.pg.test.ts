import fc from 'fast-check'
import t from 'tap'
import { Problem } from '../../src/errors.ts'
import { randomIds } from '../../src/ids.ts'
import { cancelOrder } from '../../src/domain/orders/order-cancelling.ts'
import { orderCommitter } from '../../src/domain/orders/order-commit.ts'
import { expireDueOrders } from '../../src/domain/orders/order-expiring.ts'
import type { OrderMessage } from '../../src/domain/orders/order-messages.ts'
import { noHurry } from '../../src/domain/orders/order-outbox.ts'
import { orderIdOfHold, OrderPlacing } from '../../src/domain/orders/order-placing.ts'
import { mayMove, orderStatuses, type OrderStatus } from '../../src/domain/orders/order.ts'
import { settlePinned } from '../../src/domain/orders/hold-sweeping.ts'
import type { PaymentState } from '../../src/domain/payments/payment.ts'
import { PaymentProcessing } from '../../src/domain/payments/payment-processing.ts'
import type { ChargeOutcome, LookupOutcome, PaymentProvider } from '../../src/domain/payments/provider.ts'
import { HoldStore } from '../../src/domain/units/hold-store.ts'
import type { Hold } from '../../src/domain/units/hold.ts'
import { UnitSync } from '../../src/domain/units/unit-sync.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { useHouse } from '../support/house.ts'
import { callFate, Calls, explore, Turns, type CallFate } from '../support/interleaving.ts'
import { outboxOf } from '../support/order-fixtures.ts'
import {
  at,
  mustHold,
  nothingStands,
  openShop,
  placesInPostgres,
  placesInRedis,
  slots,
  type Buyer,
} from '../support/shop.ts'

/*
 * One order on real stores, and everything that can happen to it at once: it is placed more than once, given back, its
 * time ends, two processes carry its payment through, and the sweep takes its hold for forsaken.
 */

const house = await useHouse(t)
const { sql, catalogue, log } = house
const runsMax = 60
const shop = await openShop(house, {
  buyers: runsMax * 8,
  changes: slots(24, 100),
  queue: { maxPerAccount: 4 },
})
const { sale } = shop
let used = 0

/** Takes money as the run says: of a charge told once more the outcome stays what it was. */
class Till implements PaymentProvider {
  readonly name = 'till'
  readonly methods = ['card']
  readonly #turns: Turns
  readonly #outcome: ChargeOutcome['outcome']
  readonly #fates: CallFate[]
  readonly charged = new Map<string, ChargeOutcome>()
  readonly refunded = new Set<string>()

  constructor(turns: Turns, outcome: ChargeOutcome['outcome'], fates: readonly CallFate[]) {
    this.#turns = turns
    this.#outcome = outcome
    this.#fates = [...fates]
  }

  get captured(): boolean {
    return [...this.charged.values()].some(({ outcome }) => outcome === 'approved')
  }

  heal(): void {
    this.#fates.length = 0
  }

  charge({ key }: { key: string }): Promise<ChargeOutcome> {
    return this.#asked('charge', () => {
      const outcome: ChargeOutcome =
        this.#outcome === 'approved'
          ? { outcome: 'approved', providerRef: key }
          : { outcome: 'refused', reason: 'no money' }
      this.charged.set(key, this.charged.get(key) ?? outcome)
      return outcome
    })
  }

  lookup({ key }: { key: string }): Promise<LookupOutcome> {
    return this.#asked('look-up', () => this.charged.get(key) ?? { outcome: 'none' as const })
  }

  refund({ key }: { key: string }): Promise<void> {
    return this.#asked('refund', () => void this.refunded.add(key))
  }

  async #asked<T>(label: string, answer: () => T): Promise<T> {
    const fate = this.#fates.shift() ?? 'is answered'
    await this.#turns.turn(`${label} arrives`)
    const answered = fate === 'is lost' ? undefined : answer()
    await this.#turns.turn(`${label} ${fate}`)
    if (fate !== 'is answered') throw new Error('no answer')
    return answered as T
  }
}

type Kind = 'place' | 'cancel' | 'its time ends' | 'expire' | 'a claim runs out' | 'time passes' | 'sweep'
const kinds: readonly { weight: number; arbitrary: fc.Arbitrary<Kind> }[] = [
  { weight: 4, arbitrary: fc.constant('place') },
  { weight: 2, arbitrary: fc.constant('cancel') },
  { weight: 1, arbitrary: fc.constant('its time ends') },
  { weight: 2, arbitrary: fc.constant('expire') },
  { weight: 2, arbitrary: fc.constant('a claim runs out') },
  { weight: 3, arbitrary: fc.constant('time passes') },
  { weight: 1, arbitrary: fc.constant('sweep') },
]

/** One hold of one buyer, and the process that does all that is done with it. */
class Stage {
  readonly orderId: string
  readonly till: Till
  readonly told: OrderMessage[] = []
  created = 0
  readonly #turns: Turns
  readonly #hold: Hold
  readonly #calls: Calls
  readonly #placing: OrderPlacing
  readonly #clock = new FakeClock()
  readonly #payments: readonly PaymentProcessing[]
  readonly #faults: unknown[] = []
  readonly #begun: Promise<unknown>[] = []

  constructor(turns: Turns, hold: Hold, { till, fates }: { till: Till; fates: readonly CallFate[] }) {
    this.#turns = turns
    this.#hold = hold
    this.till = till
    this.orderId = orderIdOfHold(hold.id)
    this.#calls = new Calls(turns, fates)
    const ownSql = this.#calls.sql(sql)
    const holds = new HoldStore(house.state)
    const wake = () => this.#payments.forEach((one) => one.wake())
    this.#placing = new OrderPlacing({
      sql: ownSql,
      holds,
      sync: new UnitSync({ sql: ownSql, holds }),
      catalogue,
      saving: { save: (_order, attempt) => attempt(() => {}) },
      standing: nothingStands,
      committer: orderCommitter(ownSql),
      ids: randomIds,
      takesMethod: () => true,
      wakePayments: wake,
    })
    const options = {
      sql: ownSql,
      provider: till,
      clock: this.#clock,
      log,
      hurry: noHurry,
      onUnheard: () => undefined,
      random: () => 0.5,
    }
    this.#payments = [0, 1].map(() => new PaymentProcessing({ ...options, timeoutMs: 1e9 }))
    for (const one of this.#payments) void one.run()
  }

  do(kind: Kind): unknown {
    const { orderId } = this
    const { accountId } = this.#hold
    switch (kind) {
      case 'place':
        return this.#begin(() => this.#place())
      case 'cancel':
        return this.#begin(() => cancelOrder(this.#calls.sql(sql), { orderId, accountId }, noHurry))
      case 'its time ends':
        return sql`update orders set pay_by = now() - interval '1 s' where id = ${orderId}`
      case 'expire':
        return this.#begin(() => expireDueOrders(this.#calls.sql(sql), 10, noHurry))
      case 'a claim runs out':
        return sql`update payments set next_at = now() where order_id = ${orderId}`
      case 'time passes':
        return this.#clock.advance(500)
      case 'sweep':
        return this.#begin(() => settlePinned(this.#calls.sql(sql), sale.id, [{ ...this.#hold, orderId }]))
    }
  }

  /** Everything goes well from now on, and whatever is still to be done is done. */
  async settle(): Promise<void> {
    this.#calls.heal()
    this.till.heal()
    for (let round = 0; round < 5; round++) {
      await this.do('a claim runs out')
      await this.#clock.advance(500)
      await this.#turns.play()
    }
    const drained = Promise.all(this.#payments.map((one) => one.drain()))
    await this.#turns.play()
    await drained
    await Promise.all(this.#begun)
    await expireDueOrders(sql, 10, noHurry)
    await settlePinned(sql, sale.id, [{ ...this.#hold, orderId: this.orderId }]).then((changes) =>
      house.sync.apply(sale.id, changes),
    )
    const entries = await outboxOf(sql, this.orderId)
    const change = { order: this.orderId, hold: this.#hold.id, account: this.#hold.accountId }
    for (const { status, places } of entries) {
      if (status === 'paying' || places.length === 0) continue
      const kept = status === 'pending' || status === 'booked' ? status : 'free'
      await house.sync.apply(sale.id, [{ ...change, status: kept, places: places as never }])
    }
    for (const fault of this.#faults) throw fault as Error
  }

  async #place(): Promise<void> {
    const asked = { holdId: this.#hold.id, accountId: this.#hold.accountId, method: 'card' }
    const { order, created } = await this.#placing.place(asked)
    this.told.push(order)
    if (created) this.created++
  }

  #begin(work: () => Promise<unknown>): void {
    this.#begun.push(
      work().catch((error: unknown) => {
        const isLost = error instanceof Error && 'code' in error && error.code === 'CONNECTION_CLOSED'
        if (!(error instanceof Problem) && !isLost) this.#faults.push(error)
      }),
    )
  }
}

interface Ended {
  readonly status: OrderStatus
  readonly payment: PaymentState | null
  readonly bookings: readonly string[]
}

/** What the bookings of an order are in each of its states, and what its payment may be when all is done. */
const whole: Readonly<Record<OrderStatus, { bookings: string; payments: readonly (PaymentState | null)[] }>> =
  {
    pending: { bookings: 'pending', payments: [] },
    paying: { bookings: 'pending', payments: [] },
    booked: { bookings: 'booked', payments: ['approved'] },
    refused: { bookings: 'released', payments: ['refused'] },
    expired: { bookings: 'released', payments: ['void'] },
    cancelled: { bookings: 'released', payments: ['void'] },
    abandoned: { bookings: 'none', payments: [null] },
  }

function mustBeWhole({ status, payment, bookings }: Ended, till: Till): void {
  const told = JSON.stringify({
    status,
    payment,
    bookings,
    captured: till.captured,
    refunded: till.refunded.size,
  })
  const isGivenBack = status === 'cancelled' && payment === 'refunded'
  const expected = isGivenBack ? { bookings: 'cancelled', payments: ['refunded'] } : whole[status]
  const [states, payments] = [expected.bookings, expected.payments as readonly (string | null)[]]
  if (!payments.includes(payment)) throw new Error(`the payment: ${told}`)
  if (bookings.some((one) => one !== states)) throw new Error(`the bookings: ${told}`)
  if (till.captured !== (status === 'booked' || isGivenBack)) throw new Error(`the money: ${told}`)
  if (till.refunded.size !== (isGivenBack ? 1 : 0)) throw new Error(`the refund: ${told}`)
}

/** The states that its outbox tells of, in order, are a way through the table in order.ts. */
function mustBeAWay(told: readonly string[], last: OrderStatus): void {
  const isState = (text: string): text is OrderStatus => (orderStatuses as readonly string[]).includes(text)
  const states = told.filter(isState)
  const reaches = (from: OrderStatus, to: OrderStatus): boolean =>
    mayMove(from, to) || (mayMove(from, 'paying') && mayMove('paying', to))
  const isBroken = states.some((to, index) => index > 0 && !reaches(states[index - 1] ?? to, to))
  const isBegun = ['pending', 'booked', 'abandoned'].includes(states[0] ?? '')
  if (isBroken || !isBegun || states.at(-1) !== last) throw new Error(`${states.join(' → ')}, now ${last}`)
}

async function mustHaveOnePlace(orderId: string, buyer: Buyer): Promise<void> {
  const [inRedis, truly] = await Promise.all([placesInRedis(house, sale.id), placesInPostgres(sql, sale.id)])
  const own = (places: Readonly<Record<string, string>>) =>
    Object.entries(places)
      .filter(([, by]) => by.endsWith(orderId))
      .map((one) => one.join(' '))
      .join()
  const [has, should] = [own(inRedis.places), own(truly.places)]
  const { accountId } = buyer
  if (has !== should || inRedis.accounts[accountId] !== truly.accounts[accountId])
    throw new Error(`Redis has ${has}, PostgreSQL ${should}`)
}

async function endOf(orderId: string): Promise<Ended> {
  const [order] = await sql<{ status: OrderStatus; payment: PaymentState | null }[]>`
    select status, payments.state as payment from orders left join payments on order_id = orders.id
    where orders.id = ${orderId}`
  if (order === undefined) throw new Error('there is no order')
  const rows = await sql<{ status: string }[]>`select status from bookings where order_id = ${orderId}`
  return { ...order, bookings: rows.map(({ status }) => status) }
}

t.test(
  'whatever happens to an order at once, it goes its way through its states, and its money with it',
  async (t) => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.oneof(...kinds), { minLength: 2, maxLength: 10 }),
      fc.array(callFate, { maxLength: 8 }),
      fc.array(callFate, { maxLength: 4 }),
      fc.constantFrom<ChargeOutcome['outcome']>('approved', 'approved', 'refused'),
      async (scheduler, steps, fates, tillFates, outcome) => {
        const turns = new Turns(scheduler)
        const buyer = at(shop.buyers, used++ % shop.buyers.length)
        const wants = [{ unitNo: used % 24, quantity: 1 + (used % 2) }]
        const hold = await mustHold(house, { saleId: sale.id, buyer, wants })
        const stage = new Stage(turns, hold, { till: new Till(turns, outcome, tillFates), fates })
        const isDone = turns.inOrder(['place' as const, ...steps].map((kind) => [kind, () => stage.do(kind)]))
        await turns.play()
        await isDone
        await stage.settle()
        const end = await endOf(stage.orderId)
        mustBeWhole(end, stage.till)
        mustBeAWay(
          (await outboxOf(sql, stage.orderId)).map(({ status }) => status),
          end.status,
        )
        await mustHaveOnePlace(stage.orderId, buyer)
        if (stage.created > 1) throw new Error(`it was made ${stage.created} times`)
        const ids = new Set(
          stage.told.map(({ id, bookings }) => [id, ...bookings.map((one) => one.id)].join()),
        )
        if (ids.size > 1) throw new Error(`one hold gave ${[...ids].join(' and ')}`)
        if (stage.told.length > 0 && end.status === 'abandoned') throw new Error('it was told of, and is not')
      },
    )
    await explore(t, runsMax, property)
  },
)
