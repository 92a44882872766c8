import type { World } from '../suite/world.ts'
import { besideKilledWriter } from './beside-killed-writer.ts'
import type { Figure } from './figure.ts'
import { OpenSlots } from './open-slots.ts'
import { found } from './patience.ts'

const tries = { quiet: 8, killed: 3 }
const ttlSeconds = 2
/** While a process begins anew some are let in whom nobody measures. */
const people = 60

/** How long after the end of a purchase token the next in line is let in, where the gate takes one at a time. */
export async function tokenReturned(world: World): Promise<Figure[]> {
  const slots = await OpenSlots.open(world, {
    title: 'In and out',
    queue: { ratePerMinute: 6_000, maxActive: 1, tokenTtlSeconds: ttlSeconds },
    connections: people + 5,
    capacity: people,
  })
  /** Of people who are let in one after another, and do nothing. */
  const stays: { readonly inMs: number; readonly endMs: number }[] = []
  for (let index = 0; index < people; index++)
    await slots.join(index, 'sse', ({ type, data }) => {
      if (type === 'admitted') stays.push({ inMs: Date.now(), endMs: Date.parse(data.expiresAt) })
    })
  const stay = (number: number) => found('somebody is let in', () => stays[number])
  const figures = await besideKilledWriter(
    world,
    {
      sale: slots.id,
      what: 'from the end of a token to the next person let in, where the gate takes one at a time',
      lateMs: async (breakIt) => {
        const at = stays.length
        const { endMs } = await stay(at)
        const mend = await breakIt(endMs)
        const { inMs } = await stay(at + 1)
        await mend()
        return inMs - endMs
      },
    },
    tries,
  )
  await slots.close()
  return figures
}
