import { setTimeout as wait } from 'node:timers/promises'
import type { Server } from '../suite/server.ts'
import type { World } from '../suite/world.ts'
import { single } from './api.ts'

/** The process that writes to a sale, known by the port from which it reaches PostgreSQL. */
export async function writerOf({ sql, backs }: World, sale: string): Promise<Server> {
  const port = single(
    await sql<{ value: number }[]>`
      select client_port as value from pg_stat_activity join sale_writers on application_name = 'openrun ' || lease_owner
      where sale_id = ${sale} limit 1`,
  )
  const writer = backs.find(({ postgres }) => postgres.ports.includes(port))
  if (writer === undefined) throw new Error(`nobody writes to ${sale}`)
  return writer
}

/** Before an end the writer is killed so long, at the most. */
const killedBeforeMs = 800

/** @returns what kills the writer shortly before something ends, and answers how to begin it anew */
export function writerKilledBefore(world: World, sale: string) {
  return async (endMs: number): Promise<() => Promise<void>> => {
    const writer = await writerOf(world, sale)
    await wait(Math.max(0, endMs - Date.now() - Math.random() * killedBeforeMs))
    await writer.end('SIGKILL')
    return () => writer.start()
  }
}
