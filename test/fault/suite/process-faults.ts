import { setTimeout as wait } from 'node:timers/promises'
import { claimMs } from '../../../src/domain/payments/payment.ts'
import { clockOff } from './clock-off.ts'
import { saleKeys } from '../../../src/domain/sale-state/sale-keys.ts'
import { leaseMs } from '../../../src/streams/lease.ts'
import { awayInTurn, inTurn } from './edges-in-turn.ts'
import { oneOf, seconds, type Fault, type Random } from './fault.ts'
import { lateWrites } from './late-writes.ts'
import { setGate, type RoundSale } from './sales.ts'
import { until } from './until.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

async function killed(world: World, server: Server, random: Random): Promise<void> {
  await inTurn(world, server, async () => {
    await server.end('SIGKILL')
    await wait(seconds(0, 3, random))
    await server.start()
  })
}

async function stopped(server: Server, ms: number): Promise<void> {
  server.signal('SIGSTOP')
  await wait(ms)
  server.signal('SIGCONT')
}

const narrow = 4

/** Whether the other one has heard of it; another fault may keep it from that. */
async function heardNarrow({ redis }: World, sales: readonly RoundSale[]): Promise<boolean> {
  const isNarrow = async ({ id }: RoundSale) =>
    Number(await redis.hget(saleKeys(id).state, 'max_active')) === narrow
  const areNarrow = async () => (await Promise.all(sales.map(isNarrow))).every(Boolean)
  return await until(areNarrow, { withinMs: 10_000 }).then(
    () => true,
    () => false,
  )
}

/** Another one writes when it wakes, and knows of settings that it has not heard of. */
async function narrowedMeanwhile(world: World, random: Random): Promise<void> {
  const writer = await writerOf(world)
  const narrowed: RoundSale[] = []
  let fromMs: number
  let isHeard: boolean
  writer.signal('SIGSTOP')
  try {
    await wait(leaseMs + seconds(0.5, 1, random))
    for (const sale of world.sales)
      await setGate(world, sale.id, narrow).then(
        () => narrowed.push(sale),
        () => undefined,
      )
    isHeard = await heardNarrow(world, narrowed)
    fromMs = Date.now()
    await wait(seconds(4, 5, random))
  } finally {
    writer.signal('SIGCONT')
  }
  await wait(seconds(1, 2, random))
  const toMs = Date.now()
  if (isHeard)
    for (const { id: sale } of narrowed) world.narrowings.push({ sale, maxActive: narrow, fromMs, toMs })
  for (const { id, maxActive } of narrowed) await setGate(world, id, maxActive)
  if (narrowed.length === 0) throw new Error('no gate could be narrowed')
}

/** As after a wrong setting of a machine; begun anew with the right one. */
async function withClockOff(world: World, server: Server, by: string, ms: number): Promise<void> {
  await inTurn(world, server, async () => {
    await server.end('SIGTERM')
    await server.start(await clockOff(by))
    await wait(ms)
    await server.end('SIGTERM')
    await server.start()
  })
}

/** The process that writes to most of the sales. */
async function writerOf(world: World): Promise<Server> {
  const asked = world.sql<{ port: number }[]>`
    with owner as (
      select lease_owner as id from sale_writers where lease_until > clock_timestamp()
      group by lease_owner order by count(*) desc limit 1)
    select client_port as port from pg_stat_activity join owner on application_name = 'openrun ' || owner.id`
  // Where PostgreSQL is away by another fault, nobody writes, and either will do.
  const rows = await asked.catch(() => [])
  const ports = rows.map(({ port }) => port)
  const writer = world.backs.find(({ postgres }) => postgres.ports.some((port) => ports.includes(port)))
  return writer ?? oneOf(world.backs, () => 0)
}

export const processFaults: readonly Fault[] = [
  { name: 'an edge is killed', run: (world, random) => killed(world, oneOf(world.edges, random), random) },
  {
    name: 'the writer is killed',
    run: async (world, random) => killed(world, await writerOf(world), random),
  },
  {
    name: 'payments and worker are killed, both of them',
    run: async (world, random) => {
      await Promise.all(world.backs.map((back) => killed(world, back, random)))
    },
  },
  {
    name: 'the writer sleeps past its lease',
    run: async (world, random) => stopped(await writerOf(world), seconds(4, 7, random)),
  },
  {
    name: 'the writer sleeps, and the gate is narrowed meanwhile',
    alone: true,
    run: narrowedMeanwhile,
  },
  {
    name: 'what the writer writes comes after its lease, and Redis forgets meanwhile',
    run: lateWrites,
  },
  {
    name: 'payments sleep past their claims',
    run: (world, random) => stopped(oneOf(world.backs, random), claimMs + seconds(1, 2, random)),
  },
  {
    name: 'an edge sleeps',
    run: async (world, random) => {
      const edge = oneOf(world.edges, random)
      await awayInTurn(world, edge, () => stopped(edge, seconds(2, 6, random)))
    },
  },
  {
    name: 'all processes are begun anew, one after another',
    run: async (world) => {
      for (const server of world.servers) {
        await inTurn(world, server, async () => {
          await server.end('SIGTERM')
          await server.start()
        })
      }
    },
  },
  {
    name: 'the clock of an edge is an hour fast',
    run: (world, random) => withClockOff(world, oneOf(world.edges, random), '+1h', seconds(3, 5, random)),
  },
  {
    name: 'the clock of the writer is an hour slow',
    run: async (world, random) => withClockOff(world, await writerOf(world), '-1h', seconds(3, 5, random)),
  },
]
