import type { Sql } from '../../src/db/postgres.ts'
import type { AccountStanding } from '../../src/domain/orders/account-limits.ts'
import type { OrderDraft } from '../../src/domain/orders/order-commit.ts'
import type { AdmissionGate } from '../../src/domain/queue/admission-gate.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import type { Writership } from '../../src/domain/sale-state/sale-writer.ts'
import type { Sale } from '../../src/domain/sales/sale.ts'
import { holdIdFor } from '../../src/domain/units/hold-taking.ts'
import type { Hold, Place, Want } from '../../src/domain/units/hold.ts'
import { standingPlaces, unitCapacities } from '../../src/domain/units/standing-store.ts'
import { randomIds } from '../../src/ids.ts'
import type { House } from './house.ts'
import { makeSale } from './sales.ts'

/** A member of a list that must be there. */
export function at<T>(list: readonly T[], index: number): T {
  const member = list.at(index)
  if (member === undefined) throw new Error(`there is no member ${index} of ${list.length}`)
  return member
}

/** So many who may buy, in one statement. */
export async function makePeople(sql: Sql, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomIds.next('usr'))
  await sql`insert into accounts (id, kind) select id, 'guest' from unnest(${ids}::text[]) as id`
  return ids
}

/** One who was let in. */
export interface Buyer {
  readonly accountId: string
  /** Of the admission. */
  readonly sequence: number
}

/** A sale whose gate lets in as many as stand before it, and those who were let in. */
export interface Shop {
  readonly sale: Sale
  readonly gate: AdmissionGate
  readonly writership: Writership
  readonly buyers: readonly Buyer[]
  /** Lets more people in. */
  readonly letIn: (accounts: readonly string[]) => Promise<Buyer[]>
}

const noPace = { ratePerMinute: 600_000, maxActive: 10_000 }

/** `queue` adds to, `changes` replaces members of the body of POST /sales. */
export async function openShop(
  house: House,
  options: {
    buyers: number
    queue?: Readonly<Record<string, number>>
    changes?: Readonly<Record<string, unknown>>
    organiserId?: string
  },
): Promise<Shop> {
  const changes = { ...options.changes, queue: { ...noPace, ...options.queue } }
  const sale = await makeSale(house.sql, { ...options, changes })
  const { gate, writership } = await house.gate(sale.id)
  const letIn = (accounts: readonly string[]) => letInAll(house, { saleId: sale.id, gate, accounts })
  const buyers = await letIn(await makePeople(house.sql, options.buyers))
  return { sale, gate, writership, buyers, letIn }
}

async function letInAll(
  house: House,
  options: { saleId: string; gate: AdmissionGate; accounts: readonly string[] },
): Promise<Buyer[]> {
  const { saleId, gate, accounts } = options
  for (const account of accounts) await house.queue.join(saleId, account)
  await house.passMs(saleId, 1000)
  await gate.tick()
  const { places } = await house.queue.standing(saleId, accounts)
  return places.map((place, index) => {
    if (place.state !== 'admitted') throw new Error(`account ${index} was not let in: ${place.state}`)
    return { accountId: accounts[index] ?? '', sequence: place.sequence }
  })
}

/** Slots of 10 places each, as many as hours are given. */
export function slots(hours: number, capacity = 10, priceMinor = 1000): Readonly<Record<string, unknown>> {
  const names = Array.from({ length: hours }, (_, hour) => `${String(hour).padStart(2, '0')}:00`)
  return { slots: { dates: ['2026-12-01'], hours: names, capacity, priceMinor } }
}

export function newHoldId(saleId: string): string {
  return holdIdFor(saleId, randomIds.next('hol'))
}

/** Takes a hold; throws when units lack places. */
export async function mustHold(
  house: House,
  asked: { saleId: string; buyer: Buyer; wants: readonly Want[]; holdId?: string },
): Promise<Hold> {
  const { saleId, buyer, wants } = asked
  const holdId = asked.holdId ?? newHoldId(saleId)
  const taking = await house.holds.take(saleId, { ...buyer, holdId, alternatives: [wants] })
  if ('hold' in taking) return taking.hold
  throw new Error('taken' in taking ? `taken: ${taking.taken.join(', ')}` : 'a seat would be left alone')
}

/** An order for these places as it would be committed; `paid` waits for a payment. */
export function draftOf(
  saleId: string,
  of: { accountId: string; places: readonly Place[]; orderId?: string; holdId?: string },
  kind: 'free' | 'paid' = 'free',
): OrderDraft {
  const orderId = of.orderId ?? randomIds.next('ord')
  const payment = {
    paymentId: randomIds.next('pay'),
    method: 'sandbox_approve',
    chargeKey: `${orderId}.charge`,
    refundKey: `${orderId}.refund`,
  }
  return {
    orderId,
    holdId: of.holdId ?? newHoldId(saleId),
    saleId,
    storeId: null,
    onePerUnit: false,
    accountId: of.accountId,
    currency: 'KRW',
    totalMinor: kind === 'paid' ? 1000 * of.places.length : 0,
    payBySeconds: 300,
    bookings: of.places.map((place) => ({ ...place, bookingId: randomIds.next('bkg'), priceMinor: 1000 })),
    ...(kind === 'paid' ? { payment } : {}),
  }
}

/** Everything that is known of a sale's places, in a form in which two sources can be compared. */
export interface PlacesPicture {
  /** `unit:ordinal` → `h:hold`, `p:order` or `s:order`. */
  readonly places: Readonly<Record<string, string>>
  readonly left: readonly number[]
  /** Per unit, the ordinals that can be given. */
  readonly ordinals: readonly (readonly number[])[]
  /** Account → bit mask of its places. */
  readonly accounts: Readonly<Record<string, number>>
  readonly bought: Readonly<Record<string, number>>
  readonly free: number
  readonly sold: number
}

export async function placesInRedis(house: House, saleId: string): Promise<PlacesPicture> {
  const { redis, sql } = house
  const keys = saleKeys(saleId)
  const [capacities, places, left, next, spare, accounts, bought, counts] = await Promise.all([
    unitCapacities(sql, saleId),
    redis.hgetall(keys.places),
    redis.hgetall(keys.left),
    redis.hgetall(keys.next),
    redis.zrange(keys.spare, 0, -1),
    redis.hgetall(keys.accounts),
    redis.hgetall(keys.bought),
    redis.hmget(keys.state, 'free', 'sold'),
  ])
  const spares = grouped(spare.map((name) => name.split(':').map(Number)))
  const ordinals = capacities.map((capacity, unitNo) => {
    const given = spares.get(unitNo) ?? []
    const first = Number(next[unitNo] ?? '1')
    return [...given, ...range(first, capacity)].toSorted((a, b) => a - b)
  })
  return {
    places: sorted(places),
    left: capacities.map((_, unitNo) => Number(left[unitNo])),
    ordinals,
    accounts: counted(accounts),
    bought: counted(bought),
    free: Number(counts[0]),
    sold: Number(counts[1]),
  }
}

/** What Redis should say when no hold stands: the places that bookings stand for. */
export async function placesInPostgres(sql: Sql, saleId: string): Promise<PlacesPicture> {
  const [capacities, standing] = await Promise.all([unitCapacities(sql, saleId), standingPlaces(sql, saleId)])
  const owners = standing.map((place) => [
    `${place.unitNo}:${place.ordinal}`,
    `${place.booked ? 's' : 'p'}:${place.orderId}`,
  ])
  const taken = grouped(standing.map((place) => [place.unitNo, place.ordinal]))
  const left = capacities.map((capacity, unitNo) => capacity - (taken.get(unitNo)?.length ?? 0))
  const ordinals = capacities.map((capacity, unitNo) => {
    const gone = new Set(taken.get(unitNo))
    return range(1, capacity).filter((ordinal) => !gone.has(ordinal))
  })
  const accounts: Record<string, number> = {}
  const bought: Record<string, number> = {}
  for (const { accountId, nth, booked } of standing) {
    accounts[accountId] = (accounts[accountId] ?? 0) + 2 ** (nth - 1)
    if (booked) bought[accountId] = (bought[accountId] ?? 0) + 1
  }
  return {
    places: sorted(Object.fromEntries(owners) as Record<string, string>),
    left,
    ordinals,
    accounts: sorted(accounts),
    bought: sorted(bought),
    free: left.reduce((sum, count) => sum + count, 0),
    sold: standing.filter((place) => place.booked).length,
  }
}

/** The picture with the places of these holds taken. */
export function withHolds(picture: PlacesPicture, holds: readonly Hold[]): PlacesPicture {
  const places: Record<string, string> = { ...picture.places }
  const accounts: Record<string, number> = { ...picture.accounts }
  const held = holds.flatMap((hold) => hold.places.map((place) => ({ ...place, hold })))
  for (const { unitNo, ordinal, nth, hold } of held) {
    places[`${unitNo}:${ordinal}`] = `h:${hold.id}`
    accounts[hold.accountId] = (accounts[hold.accountId] ?? 0) + 2 ** (nth - 1)
  }
  const of = (unitNo: number) => held.filter((place) => place.unitNo === unitNo)
  return {
    ...picture,
    places: sorted(places),
    accounts: sorted(accounts),
    left: picture.left.map((left, unitNo) => left - of(unitNo).length),
    ordinals: picture.ordinals.map((ordinals, unitNo) =>
      ordinals.filter((ordinal) => !of(unitNo).some((place) => place.ordinal === ordinal)),
    ),
    free: picture.free - held.length,
  }
}

/** Ordinals by their unit. */
function grouped(pairs: readonly (readonly number[])[]): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const [unitNo = 0, ordinal = 0] of pairs) groups.set(unitNo, [...(groups.get(unitNo) ?? []), ordinal])
  return groups
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
}

function counted(texts: Readonly<Record<string, string>>): Record<string, number> {
  const numbers = Object.entries(texts).map(([name, text]) => [name, Number(text)] as const)
  return sorted(Object.fromEntries(numbers.filter(([, count]) => count !== 0)))
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** For sales that ask nothing of an account beyond their own number of places. */
export const nothingStands = async (): Promise<AccountStanding> => ({
  booked: [],
  inStore: { standing: 0, limit: null },
})
