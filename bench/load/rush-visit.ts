import { buyerPlan, type BuyerPlan } from '../../src/crowd/buyer-plan.ts'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import type { Guest } from './guests.ts'
import { requestText } from './http-connection.ts'
import type { RushAsked, RushStep, RushStore } from './rush-calls.ts'

/** What somebody asks next. */
export interface RushRequest {
  readonly step: RushStep
  readonly text: string
  /** What is looked for, where it is a search. */
  readonly search?: RushSearch | undefined
  readonly store: RushStore | undefined
}

export interface RushSearch {
  readonly word: string | undefined
  readonly category: string | undefined
}

/** Some words and some stores are on everybody's mind; the more, the closer to 0 this is. */
const fashion = 2.5
/** Of those who look at a store, so many look at one in which something is to be had. */
const shoppers = 0.6

/**
 * One user of a store front with an account and a connection: looks around, and again, joins the line of a sale, and
 * books when let in. What it does is decided by its plan and its own chance, so the same seed gives the same crowd.
 */
export class RushVisit {
  readonly guest: Guest
  readonly #asked: RushAsked
  readonly #plan: BuyerPlan
  readonly #random: () => number
  readonly #bearer: Readonly<Record<string, string>>
  readonly #joined = new Set<string>()
  #todo: RushStep[] = []
  #store: RushStore | undefined
  #purchaseToken = ''
  #triesLeft = 0

  constructor(guest: Guest, number: number, asked: RushAsked) {
    this.guest = guest
    this.#asked = asked
    this.#plan = buyerPlan(asked.seed, number)
    this.#random = seededRandom(asked.seed + 1, number)
    this.#bearer = { Authorization: `Bearer ${guest.accessToken}` }
  }

  next(): RushRequest {
    if (this.#todo.length === 0) this.#lookAround()
    const step = this.#todo.shift() ?? 'search'
    if (step === 'list') return this.#request(step, `GET /api/v1/stores${this.#order('?')}`)
    if (step === 'search') {
      const search = this.#someSearch()
      return this.#request(step, `GET /api/v1/stores?${queryOf(search)}${this.#order('&')}`, { search })
    }
    const store = this.#store?.id ?? ''
    if (step === 'detail') return this.#request(step, `GET /api/v1/stores/${store}`)
    if (step === 'sales') return this.#request(step, `GET /api/v1/stores/${store}/sales`)
    return this.#applying(step, `/api/v1/sales/${this.#store?.sale ?? ''}`)
  }

  heard(step: RushStep, status: number, body: string): void {
    const isBuyer = this.#plan.firstHold === 'order'
    if (step === 'join' && status === 201) {
      this.#triesLeft = this.#plan.tries
      this.#todo.unshift(
        ...(this.#plan.joinsTwice ? (['join', 'standing'] as const) : (['standing'] as const)),
      )
    }
    if (step === 'standing' && status === 200) {
      this.#purchaseToken = /"purchaseToken":"([^"]+)"/.exec(body)?.[1] ?? ''
      if (this.#purchaseToken !== '') {
        this.#triesLeft = this.#plan.tries
        this.#todo.unshift(isBuyer ? 'book' : 'leave')
      } else if (this.#triesLeft-- > 0) this.#todo.unshift('standing')
    }
    if (step === 'book' && status === 409 && body.includes('"fully_booked"') && --this.#triesLeft > 0)
      this.#todo.unshift('book')
  }

  #lookAround(): void {
    const { stores, lists } = this.#asked
    const withSale = this.#random() < shoppers
    const some = stores.filter(({ sale }) => (sale !== undefined) === withSale)
    this.#store = this.#oneOf(some)
    const sale = this.#store?.sale
    this.#todo = [...(lists ? (['list'] as const) : []), 'search', 'detail', 'sales']
    if (sale === undefined || this.#joined.has(sale)) return
    this.#joined.add(sale)
    this.#todo.push('join')
  }

  #applying(step: RushStep, path: string): RushRequest {
    if (step === 'join') return this.#request(step, `POST ${path}/queue`, { body: '{}' })
    if (step === 'standing') return this.#request(step, `GET ${path}/queue/me`)
    if (step === 'leave') return this.#request(step, `DELETE ${path}/queue/me`)
    const { units } = this.#asked
    const unit = units[Math.floor(this.#random() * units.length)]
    const body = JSON.stringify({ units: [{ unit }] })
    return this.#request(step, `POST ${path}/bookings`, { body, token: this.#purchaseToken })
  }

  #request(
    step: RushStep,
    line: string,
    more: { search?: RushSearch; body?: string; token?: string } = {},
  ): RushRequest {
    const headers =
      more.token === undefined ? this.#bearer : { ...this.#bearer, 'Purchase-Token': more.token }
    return { step, text: requestText(line, headers, more.body), search: more.search, store: this.#store }
  }

  /** Letters as they are typed, of a word that is on many minds, and sometimes a kind beside or instead. */
  #someSearch(): RushSearch {
    const { words, categories } = this.#asked
    const chance = this.#random()
    const letters = Array.from(this.#oneOf(words) ?? '')
    const typed = letters.slice(0, Math.max(2, Math.ceil(this.#random() * letters.length))).join('')
    return {
      word: chance < 0.85 ? typed : undefined,
      category: chance < 0.7 ? undefined : this.#oneOf(categories),
    }
  }

  #order(before: '?' | '&'): string {
    return this.#random() < 0.5 ? `${before}sort=popularity` : ''
  }

  #oneOf<T>(all: readonly T[]): T | undefined {
    return all[Math.floor(this.#random() ** fashion * all.length)]
  }
}

function queryOf({ word, category }: RushSearch): string {
  return [
    ...(word === undefined ? [] : [`q=${encodeURIComponent(word)}`]),
    ...(category === undefined ? [] : [`category=${category}`]),
  ].join('&')
}
