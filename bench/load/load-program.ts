import { serveParent } from '../stage/helper-process.ts'
import { BookLoad } from './book-load.ts'
import { ChatCrowd } from './chat-crowd.ts'
import { talkInRooms } from './chat-load.ts'
import { makeGuests, type Guest } from './guests.ts'
import { joinSales } from './join-load.ts'
import { LineCrowd } from './line-crowd.ts'
import type { LoadCalls } from './load-calls.ts'
import { MapCrowd } from './map-crowd.ts'
import { pollLine } from './poll-load.ts'

/* The crowd of the bench: a process of its own, because it costs as much as what it measures. */

let guests: readonly Guest[] = []
const book = new BookLoad(() => guests)
const line = new LineCrowd(() => guests)
const map = new MapCrowd()
const chat = new ChatCrowd(() => guests)

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
  waitInLine: (asked) => line.open(asked),
  judgeLine: async (asked) => line.judge(asked),
  admittedAll: (asked) => line.untilAdmitted(asked),
  leaveLine: async () => {
    line.close()
    return undefined
  },
  poll: (asked) => pollLine(guests, asked),
  watchMap: (asked) => map.open(asked),
  beginMap: async () => {
    map.begin()
    return undefined
  },
  mapReached: (asked) => map.untilAt(asked),
  mapTold: async (asked) => map.summary(asked),
  compareMaps: async (asked) => map.compare(asked),
  leaveMap: async () => {
    map.close()
    return undefined
  },
  joinChat: (asked) => chat.open(asked),
  beginChat: async () => {
    chat.begin()
    return undefined
  },
  talkChat: (asked) => chat.talk(asked),
  chatReached: (asked) => chat.untilAt(asked),
  chatTold: async (asked) => chat.summary(asked),
  leaveChat: async () => {
    chat.close()
    return undefined
  },
  talkInRooms: (asked) => talkInRooms(guests, asked),
})
