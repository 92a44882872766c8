import { setTimeout as wait } from 'node:timers/promises'
import type { OpenPools, PoolShape } from './pool-design.ts'
import { placesWithin, unwritten } from './pool-tally.ts'
import type { Stage } from '../stage/stage.ts'
import { check, type Check } from '../measure/turn.ts'

/** Kills the server that the crowd books at, in the middle of it: what it has answered must be there. */
export async function checkKilled(
  { sql }: Pick<Stage, 'sql'>,
  killed: { readonly pools: OpenPools; readonly shape: PoolShape; readonly pid: number },
): Promise<Check[]> {
  const { pools, shape, pid } = killed
  const taking = pools.take()
  let isTaking = true
  const ended = taking.finally(() => {
    isTaking = false
  })
  const enough = (shape.pools * shape.capacity) / 3
  for (let standing = 0; standing < enough && isTaking; await wait(20))
    standing = (await pools.standing()).length
  const wasTaking = isTaking
  process.kill(pid, 'SIGKILL')
  const taken = await ended
  await untilAlone(sql)
  const standing = await pools.standing()
  const given = taken.given.length
  return [
    {
      name: 'a server was killed while it gave places',
      ok: wasTaking && given > 0 && taken.unanswered > 0,
      detail: `${given} given, ${taken.unanswered} without an answer`,
    },
    check('killed: places that were given and are not in PostgreSQL', 0, unwritten(taken, standing)),
    check(
      'killed: different places within capacity',
      standing.length,
      placesWithin(standing, shape.capacity),
    ),
  ]
}

/** A transaction of the dead server may be under way for a moment longer. */
async function untilAlone(sql: Stage['sql']): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    const [busy] = await sql`
      select 1 from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' limit 1`
    if (busy === undefined) return
    await wait(20)
  }
}
