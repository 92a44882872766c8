import { setTimeout as wait } from 'node:timers/promises'
import { drive, eachOf } from './drive.ts'
import type { Guest } from './guests.ts'
import { requestText } from './http-connection.ts'

/** Asks for the purchase token of each guest in a sale that all have joined, until all have theirs. */
export async function purchaseTokensOf(
  guests: readonly Guest[],
  asked: { readonly port: number; readonly connections: number; readonly sale: string },
): Promise<ReadonlyMap<Guest, string>> {
  const tokens = new Map<Guest, string>()
  const path = `/api/v1/sales/${asked.sale}/queue/me`
  for (let left = guests; left.length > 0; left = left.filter((guest) => !tokens.has(guest))) {
    await drive<Guest>({
      ...asked,
      seconds: 300,
      next: eachOf(left),
      work: async (send, guest) => {
        const headers = { Authorization: `Bearer ${guest.accessToken}` }
        const answer = await send(requestText(`GET ${path}`, headers, undefined))
        const token = purchaseTokenIn(answer.body())
        if (token !== undefined) tokens.set(guest, token)
      },
    })
    if (tokens.size < guests.length) await wait(100)
  }
  return tokens
}

function purchaseTokenIn(body: string): string | undefined {
  return /"purchaseToken":"([^"]+)"/.exec(body)?.[1]
}
