import { World } from '../suite/world.ts'
import { besideStuck } from './beside-stuck.ts'
import { countsOf, tableOf, type Figure } from './figure.ts'
import { hallRebuilt } from './hall-rebuilt.ts'
import { heldReturned } from './held-returned.ts'
import { redisForgot } from './redis-forgot.ts'
import { postgresAway, redisAway } from './stores-away.ts'
import { stuckMemory } from './stuck-memory.ts'
import { tokenReturned } from './token-returned.ts'
import { writerKilled } from './writer-killed.ts'

const questions: readonly ((world: World) => Promise<Figure[]>)[] = [
  redisForgot,
  hallRebuilt,
  redisAway,
  postgresAway,
  heldReturned,
  tokenReturned,
  writerKilled,
  stuckMemory,
  besideStuck,
]

/**
 * Measures how long things take to be well again, and what the bad cost the good.
 * @returns how many goals were reached, and how many missed
 */
export async function measureTimes(options: {
  /** Only questions whose names contain this, or one of several: A|B. */
  readonly only: string | undefined
  readonly say: (line: string) => void
}): Promise<{ passed: number; failed: number }> {
  const { only = '', say } = options
  const texts = only.split('|')
  const wanted = questions.filter(({ name }) => texts.some((text) => name.includes(text)))
  if (wanted.length === 0) throw new Error(`no question has a name with ${only} in it`)
  const figures: Figure[] = []
  const world = await World.make({ log: say })
  try {
    for (const question of wanted) {
      say(`${question.name} …`)
      figures.push(...(await question(world)))
    }
  } finally {
    await world.end()
  }
  say('')
  tableOf(figures).forEach(say)
  return countsOf(figures)
}
