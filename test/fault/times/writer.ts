import { setTimeout as wait } from 'node:timers/promises'
import { writerOfSale } from '../suite/sale-writer.ts'
import type { World } from '../suite/world.ts'

/** Before an end the writer is killed so long, at the most. */
const killedBeforeMs = 800

/** @returns what kills the writer shortly before something ends, and answers how to begin it anew */
export function writerKilledBefore(world: World, sale: string) {
  return async (endMs: number): Promise<() => Promise<void>> => {
    const writer = await writerOfSale(world, sale)
    await wait(Math.max(0, endMs - Date.now() - Math.random() * killedBeforeMs))
    await writer.end('SIGKILL')
    return () => writer.start()
  }
}
