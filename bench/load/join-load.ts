import { drive, type Driven } from './drive.ts'
import type { Guest } from './guests.ts'
import { requestText } from './http-connection.ts'
import type { LoadCalls } from './load-calls.ts'

/** The requests are made ready before the clock starts, save for the name of the sale at their beginning. */
export async function joinSales(
  guests: readonly Guest[],
  asked: LoadCalls['join']['asked'],
): Promise<Driven> {
  const rests = guests.slice(0, asked.count).map(restOf)
  let joins = 0
  return await drive({
    ...asked,
    next: () => {
      const sale = asked.sales[Math.floor(joins / rests.length)]
      const rest = rests[joins % rests.length]
      joins += 1
      return sale === undefined || rest === undefined ? undefined : `POST /api/v1/sales/${sale}/queue${rest}`
    },
    work: async (send, request) => void (await send(request)),
  })
}

/** Our server goes by the token; the bare one, which knows no tokens, by the account that is named beside it. */
function restOf({ id, accessToken }: Guest): string {
  return requestText('', { Authorization: `Bearer ${accessToken}`, 'X-Account': id }, '{}')
}
