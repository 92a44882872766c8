import { serveParent } from '../stage/helper-process.ts'
import { makeGuests, type Guest } from './guests.ts'
import type { RushCalls } from './rush-calls.ts'
import { Rush } from './rush.ts'

/* The crowd that comes in a rush: a process of its own, because it costs as much as what it measures. */

let guests: readonly Guest[] = []

serveParent<RushCalls>({
  guests: async (asked) => {
    guests = await makeGuests(asked)
    return { made: guests.length }
  },
  rush: (asked) => new Rush(guests.slice(asked.firstGuest, asked.firstGuest + asked.users), asked).run(),
})
