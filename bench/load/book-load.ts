import { drive, type Driven, type Send } from './drive.ts'
import type { Guest } from './guests.ts'
import { requestText } from './http-connection.ts'
import type { LoadCalls, Stock } from './load-calls.ts'
import { purchaseTokensOf } from './purchase-tokens.ts'

interface Held {
  readonly guest: Guest
  readonly hold: string
}

/** Buyers who were let in: they hold, and they order. */
export class BookLoad {
  readonly #guests: () => readonly Guest[]
  #purchaseTokens: ReadonlyMap<Guest, string> = new Map()
  readonly #held: Held[] = []
  #taken = 0

  constructor(guests: () => readonly Guest[]) {
    this.#guests = guests
  }

  async admission(asked: LoadCalls['admission']['asked']): Promise<{ admitted: number }> {
    this.#purchaseTokens = await purchaseTokensOf(this.#guests(), asked)
    this.#taken = 0
    return { admitted: this.#purchaseTokens.size }
  }

  async hold(asked: LoadCalls['hold']['asked']): Promise<Driven> {
    let missing = asked.count - this.#held.length
    return await drive({
      ...asked,
      seconds: 300,
      next: () => (missing-- > 0 ? this.#nextPlace(asked) : undefined),
      work: async (send, place) => {
        const held = await this.#takeHold(send, asked, place)
        if (held !== undefined) this.#held.push(held)
      },
    })
  }

  async order(asked: LoadCalls['order']['asked']): Promise<Driven & { booked: number }> {
    let booked = 0
    const driven = await drive({
      ...asked,
      next: () => this.#held.pop(),
      work: async (send, held) => {
        if (await placeOrder(send, held)) booked += 1
      },
    })
    return { ...driven, booked }
  }

  async holdAndOrder(asked: LoadCalls['holdAndOrder']['asked']): Promise<Driven & { booked: number }> {
    let booked = 0
    const driven = await drive({
      ...asked,
      next: () => this.#nextPlace(asked),
      work: async (send, place) => {
        const held = await this.#takeHold(send, asked, place)
        if (held !== undefined && (await placeOrder(send, held))) booked += 1
      },
    })
    return { ...driven, booked }
  }

  /** Accounts in turn, and each time round again until they have what they may have. */
  #nextPlace({ units, perAccount }: Stock): { guest: Guest; unit: string } | undefined {
    const guests = this.#guests()
    const [guest, unit] = [guests[this.#taken % guests.length], units[this.#taken % units.length]]
    if (this.#taken >= guests.length * perAccount || guest === undefined || unit === undefined)
      return undefined
    this.#taken += 1
    return { guest, unit }
  }

  async #takeHold(
    send: Send,
    { sale }: Stock,
    { guest, unit }: { guest: Guest; unit: string },
  ): Promise<Held | undefined> {
    const headers = { ...bearer(guest), 'Purchase-Token': this.#purchaseTokens.get(guest) ?? '' }
    const body = JSON.stringify({ units: [{ unit }] })
    const answer = await send(requestText(`POST /api/v1/sales/${sale}/holds`, headers, body))
    const hold = /"id":"(hol_\w+)"/.exec(answer.body())?.[1]
    return hold === undefined ? undefined : { guest, hold }
  }
}

async function placeOrder(send: Send, { guest, hold }: Held): Promise<boolean> {
  const answer = await send(requestText('POST /api/v1/orders', bearer(guest), JSON.stringify({ hold })))
  return answer.status === 201 && answer.body().includes('"status":"booked"')
}

function bearer({ accessToken }: Guest): Record<string, string> {
  return { Authorization: `Bearer ${accessToken}` }
}
