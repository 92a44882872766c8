import { serveParent } from '../helper-process.ts'
import { BookLoad } from './book-load.ts'
import { makeGuests, type Guest } from './guests.ts'
import { joinSales } from './join-load.ts'
import type { LoadCalls } from './load-calls.ts'

/* The crowd of the bench: a process of its own, because it costs as much as what it measures. */

let guests: readonly Guest[] = []
const book = new BookLoad(() => guests)

serveParent<LoadCalls>({
  guests: async (asked) => {
    guests = await makeGuests(asked)
    return guests.map(({ id }) => id)
  },
  join: (asked) => joinSales(guests, asked),
  admission: (asked) => book.admission(asked),
  hold: (asked) => book.hold(asked),
  order: (asked) => book.order(asked),
  holdAndOrder: (asked) => book.holdAndOrder(asked),
})
