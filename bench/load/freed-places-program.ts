import { serveParent } from '../stage/helper-process.ts'
import type { FreedPlacesCalls } from './freed-places-calls.ts'
import { FreedPlaces } from './freed-places.ts'
import { makeGuests, type Guest } from './guests.ts'
import { joinSales } from './join-load.ts'

/* A crowd whose members give their places back, in a process of its own. */

let guests: readonly Guest[] = []
const places = new FreedPlaces(() => guests)

serveParent<FreedPlacesCalls>({
  guests: async (asked) => {
    guests = await makeGuests(asked)
    return guests.map(({ id }) => id)
  },
  join: ({ sale, ...target }) => joinSales(guests, { ...target, sales: [sale], seconds: 300 }),
  listen: (asked) => places.listen(asked),
  insideAre: (asked) => places.insideAre(asked),
  free: (asked) => places.free(asked),
  heard: async () => places.heard(),
  leave: async () => {
    places.leave()
    return undefined
  },
})
