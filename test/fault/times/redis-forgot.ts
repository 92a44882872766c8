import { setTimeout as wait } from 'node:timers/promises'
import type { World } from '../suite/world.ts'
import { single } from './api.ts'
import type { Figure } from './figure.ts'
import { WaitingLine } from './waiting-line.ts'

const tries = 5

/** How long nobody is let in after Redis has forgotten everything, while edges live that knew the line. */
export async function redisForgot(world: World): Promise<Figure[]> {
  while (await isAnEdgeFresh(world)) await wait(500)
  const values: number[] = []
  while (values.length < tries) {
    const line = await WaitingLine.form(world)
    values.push(await line.silenceAfter('epoch', async () => void (await world.redis.flushall())))
    await line.close()
  }
  const what = 'from the loss of all that Redis held to the first person let in, with edges alive'
  return [{ what, unit: 'ms', values, goal: { atMost: 5_000 } }]
}

/** Whether an edge is too young to vouch for a line that is lost altogether. */
async function isAnEdgeFresh({ sql }: World): Promise<boolean> {
  const fresh = await sql<{ value: number }[]>`
    select count(*)::int as value from processes
    where 'edge' = any(roles) and started_at > clock_timestamp() - interval '11 seconds'`
  return single(fresh) > 0
}
