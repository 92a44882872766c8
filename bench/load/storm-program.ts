import { serveParent } from '../stage/helper-process.ts'
import { makeGuests, type Guest } from './guests.ts'
import { joinSales } from './join-load.ts'
import type { StormCalls } from './storm-calls.ts'
import { StormCrowd } from './storm-crowd.ts'

/* The crowd that is cut off, in a process of its own. */

let guests: readonly Guest[] = []
const crowd = new StormCrowd(() => guests)

serveParent<StormCalls>({
  guests: async (asked) => {
    guests = await makeGuests(asked)
    return guests.map(({ id }) => id)
  },
  join: (asked) => joinSales(guests, asked),
  gather: (asked) => crowd.gather(asked),
  cut: async () => crowd.cut(),
  expectCut: async () => {
    crowd.expectCut()
    return undefined
  },
  back: (asked) => crowd.back(asked),
  judge: async (asked) => crowd.judge(asked),
  comparePositions: async (asked) => crowd.comparePositions(asked),
  compareMaps: (asked) => crowd.compareMaps(asked),
  admittedAll: (asked) => crowd.untilAdmitted(asked),
  leave: async () => {
    crowd.leave()
    return undefined
  },
})
