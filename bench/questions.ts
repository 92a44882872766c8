import { admit } from './admit.ts'
import { book } from './book.ts'
import { chat } from './chat.ts'
import { growth } from './growth.ts'
import { join } from './join.ts'
import { map } from './map.ts'
import { pool } from './pool.ts'
import { positions } from './positions.ts'
import type { Question } from './question.ts'
import { rush } from './rush.ts'
import { start } from './start.ts'
import { stores } from './stores.ts'
import { storm } from './storm.ts'

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
