import type { Buyer } from './buyer.ts'
import type { Calls } from './calls.ts'
import { textAt, type Body } from './contract.ts'
import { atLast, lineUp } from './fleet.ts'

/** Somebody who has joined, and listens. */
export interface Waiter {
  readonly buyer: Buyer
  /** Resolves when the buyer is let in; within ten seconds of being asked. */
  readonly token: () => Promise<string>
}

/** People who join one after the other, at one server after the other. */
export async function come(saleId: string, count: number, servers: readonly Calls[]): Promise<Waiter[]> {
  const buyers = await lineUp(saleId, count, servers)
  return Promise.all(
    buyers.map(async (buyer) => {
      const { events } = await buyer.stream(saleId)
      let told: Promise<string> | undefined
      const next = async () => textAt((await events.next('admitted')).data, 'purchaseToken')
      return { buyer, token: () => (told ??= next()) }
    }),
  )
}

/** Waits for the token and books, asking again while that cannot be done for now. Resolves with the status. */
export async function bookInTurn(
  { buyer, token }: Waiter,
  saleId: string,
  wanted: Body = { best: { count: 1 } },
): Promise<number> {
  const purchaseToken = await token()
  return (await atLast(() => buyer.book(saleId, purchaseToken, wanted))).status
}
