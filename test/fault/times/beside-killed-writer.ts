import { setTimeout as wait } from 'node:timers/promises'
import { writerOfSale } from '../suite/sale-writer.ts'
import type { World } from '../suite/world.ts'
import type { Figure } from './figure.ts'

/** Before an end the writer is killed so long, at the most. */
const killedBeforeMs = 800

/** Is told when something will end, and answers how to mend what it has broken. */
type Break = (endMs: number) => Promise<() => Promise<void>>

/** What has an end, after which something happens. */
interface Ending {
  readonly sale: string
  readonly what: string
  /** How long after its end it happens. `breakIt` is done before. */
  lateMs(breakIt: Break): Promise<number>
}

/** How late something is, while nothing else happens, and beside a writer that is killed shortly before its end. */
export async function besideKilledWriter(
  world: World,
  ending: Ending,
  tries: { readonly quiet: number; readonly killed: number },
): Promise<Figure[]> {
  const { sale, what } = ending
  const quiet: number[] = []
  while (quiet.length < tries.quiet) quiet.push(await ending.lateMs(async () => async () => undefined))
  const killed: number[] = []
  while (killed.length < tries.killed) killed.push(await ending.lateMs(killWriter(world, sale)))
  const beside = 'the same, where the writer is killed shortly before'
  return [
    { what, unit: 'ms', values: quiet, goal: { atMost: 1_000 } },
    { what: beside, unit: 'ms', values: killed, goal: { atMost: 4_000 } },
  ]
}

function killWriter(world: World, sale: string): Break {
  return async (endMs) => {
    const writer = await writerOfSale(world, sale)
    await wait(Math.max(0, endMs - Date.now() - Math.random() * killedBeforeMs))
    await writer.end('SIGKILL')
    return () => writer.start()
  }
}
