import { serveParent } from '../stage/helper-process.ts'
import type { PoolLoadCalls } from './pool-calls.ts'
import { PoolLoad } from './pool-load.ts'

const load = new PoolLoad()

serveParent<PoolLoadCalls>({
  guests: (asked) => load.guests(asked),
  enter: (asked) => load.enter(asked),
  book: (asked) => load.book(asked),
  draw: (asked) => load.draw(asked),
})
