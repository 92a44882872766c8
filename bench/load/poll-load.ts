import { drive, type Driven } from './drive.ts'
import type { Guest } from './guests.ts'
import { requestText } from './http-connection.ts'
import type { LoadCalls } from './load-calls.ts'

/** Those who wait ask where they stand, one after the other, as fast as they are answered. */
export async function pollLine(guests: readonly Guest[], asked: LoadCalls['poll']['asked']): Promise<Driven> {
  const waiters = new Set(asked.waiters)
  const requests = guests
    .filter(({ id }) => waiters.has(id))
    .map(({ accessToken }) =>
      requestText(
        `GET /api/v1/sales/${asked.sale}/queue/me`,
        { Authorization: `Bearer ${accessToken}` },
        undefined,
      ),
    )
  let polls = 0
  return await drive({
    ...asked,
    next: () => requests[polls++ % requests.length],
    work: async (send, request) => void (await send(request)),
  })
}
