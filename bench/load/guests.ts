import { drive } from './drive.ts'
import { requestText } from './http-connection.ts'
import type { LoadCalls } from './load-calls.ts'

export interface Guest {
  readonly id: string
  readonly accessToken: string
}

/** Throws when one could not be made. */
export async function makeGuests(asked: LoadCalls['guests']['asked']): Promise<Guest[]> {
  const guests: Guest[] = []
  const request = requestText(
    'POST /api/v1/auth/guest',
    { Authorization: `Bearer ${asked.organiserKey}` },
    undefined,
  )
  let begun = 0
  await drive({
    ...asked,
    seconds: 300,
    next: () => (begun++ < asked.count ? true : undefined),
    work: async (send) => {
      const answer = await send(request)
      if (answer.status !== 201) throw new Error(`no guest could be made: ${answer.status} ${answer.body()}`)
      const { accessToken, user } = JSON.parse(answer.body()) as { accessToken: string; user: { id: string } }
      guests.push({ id: user.id, accessToken })
    },
  })
  return guests
}
