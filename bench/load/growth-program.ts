import { serveParent } from '../stage/helper-process.ts'
import type { GrowthCalls } from './growth-calls.ts'
import { GrowthLoad } from './growth-load.ts'
import { makeGuests, type Guest } from './guests.ts'

/* A crowd that is spread over servers, sales and halls, in a process of its own. */

let guests: readonly Guest[] = []
const load = new GrowthLoad(() => guests)

serveParent<GrowthCalls>({
  guests: async (asked) => {
    guests = await makeGuests(asked)
    return guests.map(({ id }) => id)
  },
  join: (asked) => load.join(asked),
  tokens: (asked) => load.tokens(asked),
  buy: (asked) => load.buy(asked),
  hold: (asked) => load.hold(asked),
  snapshots: (asked) => load.snapshots(asked),
})
