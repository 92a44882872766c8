import { filter, type Observable, ReplaySubject } from 'rxjs'
import type { World } from '../suite/world.ts'
import { besideKilledWriter } from './beside-killed-writer.ts'
import type { Figure } from './figure.ts'
import { OpenSlots } from './open-slots.ts'
import { soon } from './patience.ts'

const tries = { quiet: 20, killed: 5 }
const ttlSeconds = 2

/** How long after its end what was held, and not used, is told to be free, to the last who is told. */
export async function heldReturned(world: World): Promise<Figure[]> {
  const slots = await OpenSlots.open(world, {
    title: 'Held and let go',
    queue: { ratePerMinute: 6_000, maxActive: 10, tokenTtlSeconds: 3_600, holdTtlSeconds: ttlSeconds },
    connections: 20,
    hours: ['10:00', '11:00'],
    capacity: 1,
  })
  const { client: buyer, purchaseToken } = await slots.letIn()
  const views = world.edges.flatMap((_, edge) =>
    (['sse', 'ws'] as const).map((transport) => {
      const view = new ReplaySubject<ReadonlyMap<string, number>>(1)
      slots.watch(edge, transport, ({ pools }) => view.next(new Map(pools)))
      return view
    }),
  )
  const what =
    'from the end of a hold until the last of four viewers, at both edges, is told that its place is free'
  const figures = await besideKilledWriter(
    world,
    {
      sale: slots.id,
      what,
      lateMs: async (breakIt) => {
        const { units, expiresAt } = await buyer.hold(slots.id, {
          purchaseToken,
          request: { best: { count: 1 } },
        })
        const endMs = Date.parse(expiresAt)
        const told = Promise.all(views.map((view) => heldAndFreed(view, units[0]?.unit ?? '')))
        const mend = await breakIt(endMs)
        const lateMs = Math.max(...(await told)) - endMs
        await mend()
        return lateMs
      },
    },
    tries,
  )
  await slots.close()
  return figures
}

/** Resolves with when it is told that the one place of a unit is free, after it was told that it is not. */
async function heldAndFreed(view: Observable<ReadonlyMap<string, number>>, unit: string): Promise<number> {
  await soon('a place is told to be held', view.pipe(filter((pools) => pools.get(unit) === 0)))
  await soon('it is told to be free', view.pipe(filter((pools) => pools.get(unit) === 1)))
  return Date.now()
}
