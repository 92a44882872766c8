import type { World } from '../suite/world.ts'
import type { Figure } from './figure.ts'
import { WaitingLine } from './waiting-line.ts'
import { writerOfSale } from '../suite/sale-writer.ts'

const tries = 5

/** How long nobody is let in after the process that did it was killed. */
export async function writerKilled(world: World): Promise<Figure[]> {
  const values: number[] = []
  while (values.length < tries) {
    const line = await WaitingLine.form(world)
    const writer = await writerOfSale(world, line.sale)
    values.push(await line.silenceAfter('fence', () => writer.end('SIGKILL')))
    await writer.start()
    await line.close()
  }
  const what = 'from the kill of the writer to the first person let in by another process'
  return [{ what, unit: 'ms', values, goal: { atMost: 3_000 } }]
}
