import { admit } from './questions/admit.ts'
import { book } from './questions/book.ts'
import { chat } from './questions/chat.ts'
import { growth } from './questions/growth.ts'
import { join } from './questions/join.ts'
import { map } from './questions/map.ts'
import { pool } from './questions/pool.ts'
import { positions } from './questions/positions.ts'
import type { Question } from './question.ts'
import { rush } from './questions/rush.ts'
import { start } from './questions/start.ts'
import { stores } from './questions/stores.ts'
import { storm } from './questions/storm.ts'

/** All that is asked, in the order in which it is asked and told. */
export const questions: readonly Question[] = [
  join,
  book,
  admit,
  pool,
  positions,
  map,
  stores,
  rush,
  start,
  chat,
  storm,
  growth,
]
