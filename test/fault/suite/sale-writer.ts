import type { Server } from './server.ts'
import type { World } from './world.ts'

/** The process that writes to a sale, known by the port from which it reaches PostgreSQL. */
export async function writerOfSale({ sql, backs }: World, sale: string): Promise<Server> {
  const rows = await sql<{ port: number }[]>`
    select client_port as port from pg_stat_activity join sale_writers on application_name = 'openrun ' || lease_owner
    where sale_id = ${sale}`
  const writer = backs.find(({ postgres }) => rows.some(({ port }) => postgres.ports.includes(port)))
  if (writer === undefined) throw new Error(`nobody writes to ${sale}`)
  return writer
}
