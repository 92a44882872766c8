import { drive, type Driven } from './drive.ts'
import type { Guest } from './guests.ts'
import { requestText } from './http-connection.ts'
import type { LoadCalls } from './load-calls.ts'

/** Accounts say one thing after the other, each in a room of its own choice, as fast as they are answered. */
export async function talkInRooms(
  guests: readonly Guest[],
  asked: LoadCalls['talkInRooms']['asked'],
): Promise<Driven> {
  const { stores, round, count = Infinity } = asked
  let said = 0
  return await drive({
    ...asked,
    next: () => {
      if (said >= count) return undefined
      const n = said++
      const guest = guests[n % guests.length]
      const body = JSON.stringify({ text: `Is there still one of number ${round} ${n} left?` })
      const headers = { Authorization: `Bearer ${guest?.accessToken}` }
      return requestText(`POST /api/v1/stores/${stores[n % stores.length]}/messages`, headers, body)
    },
    work: async (send, request) => void (await send(request)),
  })
}
