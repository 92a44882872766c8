import { setTimeout as wait } from 'node:timers/promises'
import type { Link } from './link.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

/** Something that is done to a world, and undone. What it does depends on `random` alone. */
export interface Fault {
  readonly name: string
  /** Redis is not what it was before: whoever held something may have lost it. */
  readonly forgets?: true
  run(world: World, random: () => number): Promise<void>
}

type Random = () => number

const seconds = (from: number, to: number, random: Random): number => 1_000 * (from + random() * (to - from))

function oneOf<T>(all: readonly T[], random: Random): T {
  const one = all[Math.floor(random() * all.length)]
  if (one === undefined) throw new Error('there is nothing to choose from')
  return one
}

async function killed(server: Server, random: Random): Promise<void> {
  await server.end('SIGKILL')
  await wait(seconds(0, 3, random))
  await server.start()
}

async function stopped(server: Server, ms: number): Promise<void> {
  server.signal('SIGSTOP')
  await wait(ms)
  server.signal('SIGCONT')
}

/** The process that writes to most of the sales. */
async function writerOf(world: World): Promise<Server> {
  const rows = await world.sql<{ port: number }[]>`
    with owner as (
      select lease_owner as id from sale_writers where lease_until > clock_timestamp()
      group by lease_owner order by count(*) desc limit 1)
    select client_port as port from pg_stat_activity join owner on application_name = 'openrun ' || owner.id`
  const ports = rows.map(({ port }) => port)
  const writer = world.backs.find(({ postgres }) => postgres.ports.some((port) => ports.includes(port)))
  return writer ?? oneOf(world.backs, () => 0)
}

async function weather(links: readonly Link[], begin: (link: Link) => void, ms: number): Promise<void> {
  links.forEach(begin)
  await wait(ms)
  links.forEach((link) => link.mend())
}

async function postgresKilled(world: World, random: Random): Promise<void> {
  await world.stores.killPostgres()
  await wait(seconds(0, 3, random))
  await world.stores.restartPostgres()
  await world.followPostgres()
}

async function redisKilled(world: World, random: Random): Promise<void> {
  await world.stores.redis.kill()
  await wait(seconds(0, 3, random))
  await world.stores.redis.restart()
}

const processFaults: readonly Fault[] = [
  { name: 'an edge is killed', run: (world, random) => killed(oneOf(world.edges, random), random) },
  { name: 'the writer is killed', run: async (world, random) => killed(await writerOf(world), random) },
  {
    name: 'payments and worker are killed, both of them',
    run: async (world, random) => {
      await Promise.all(world.backs.map((back) => killed(back, random)))
    },
  },
  {
    name: 'the writer sleeps past its lease',
    run: async (world, random) => stopped(await writerOf(world), seconds(4, 7, random)),
  },
  {
    name: 'an edge sleeps',
    run: (world, random) => stopped(oneOf(world.edges, random), seconds(2, 6, random)),
  },
  {
    name: 'all processes are begun anew, one after another',
    run: async (world) => {
      for (const server of world.servers) {
        await server.end('SIGTERM')
        await server.start()
      }
    },
  },
]

const storeFaults: readonly Fault[] = [
  { name: 'Redis is killed', forgets: true, run: redisKilled },
  {
    name: 'Redis forgets everything',
    forgets: true,
    run: async (world) => void (await world.redis.flushall()),
  },
  {
    name: 'Redis sleeps',
    run: async (world, random) => {
      world.stores.redis.signal('SIGSTOP')
      await wait(seconds(1, 5, random))
      world.stores.redis.signal('SIGCONT')
    },
  },
  {
    name: 'Redis is full',
    run: async (world, random) => {
      await world.redis.config('SET', 'maxmemory', '1')
      await wait(seconds(1, 4, random))
      await world.redis.config('SET', 'maxmemory', '0')
    },
  },
  { name: 'PostgreSQL is killed', run: postgresKilled },
  {
    name: 'connections to PostgreSQL are ended, again and again',
    run: async (world) => {
      for (let times = 0; times < 20; times++) {
        await world.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where pid <> pg_backend_pid() and application_name like 'openrun %' and random() < 0.3`
        await wait(100)
      }
    },
  },
  {
    name: 'everything is killed at once',
    forgets: true,
    run: async (world, random) => {
      await Promise.all([
        ...world.servers.map((server) => server.end('SIGKILL')),
        world.stores.redis.kill(),
        world.stores.killPostgres(),
      ])
      await wait(seconds(0, 2, random))
      await Promise.all([world.stores.redis.restart(), world.stores.restartPostgres()])
      await world.followPostgres()
      await Promise.all(world.servers.map((server) => server.start()))
    },
  },
]

const linkFaults: readonly Fault[] = [
  {
    name: 'a process is cut off from Redis',
    run: (world, random) =>
      weather([oneOf(world.servers, random).redis], (link) => link.cut(), seconds(1, 6, random)),
  },
  {
    name: 'a process is cut off from PostgreSQL',
    run: (world, random) =>
      weather([oneOf(world.servers, random).postgres], (link) => link.cut(), seconds(1, 6, random)),
  },
  {
    name: 'a way to Redis is frozen',
    run: (world, random) =>
      weather([oneOf(world.servers, random).redis], (link) => link.freeze(), seconds(1, 6, random)),
  },
  {
    name: 'a way to PostgreSQL is frozen',
    run: (world, random) =>
      weather([oneOf(world.servers, random).postgres], (link) => link.freeze(), seconds(1, 6, random)),
  },
  {
    name: 'all ways to the stores are slow',
    run: (world, random) =>
      weather(
        world.servers.flatMap(({ redis, postgres }) => [redis, postgres]),
        (link) => link.delay(20 + 180 * random()),
        seconds(2, 5, random),
      ),
  },
  {
    name: 'answers of PostgreSQL are lost, commits among them',
    run: (world, random) =>
      weather(
        world.servers.map(({ postgres }) => postgres),
        (link) => link.loseAnswers(),
        seconds(0.2, 1.5, random),
      ),
  },
  {
    name: 'answers of Redis are lost',
    run: (world, random) =>
      weather(
        world.servers.map(({ redis }) => redis),
        (link) => link.loseAnswers(),
        seconds(0.2, 1.5, random),
      ),
  },
  {
    name: 'answers to buyers are lost',
    run: (world, random) =>
      weather(
        world.edges.map(({ front }) => front),
        (link) => link.loseAnswers(),
        seconds(0.3, 2, random),
      ),
  },
  {
    name: 'all buyers are cut off',
    run: (world, random) =>
      weather(
        world.edges.map(({ front }) => front),
        (link) => link.cut(),
        seconds(0.1, 2, random),
      ),
  },
]

/** All that is done to a world, one after another or at once. */
export const faults: readonly Fault[] = [...processFaults, ...storeFaults, ...linkFaults]
