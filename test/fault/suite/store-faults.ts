import { setTimeout as wait } from 'node:timers/promises'
import { answersLate, lateAnswers } from './slow-provider.ts'
import { seconds, type Fault, type Random } from './fault.ts'
import type { World } from './world.ts'

async function postgresKilled(world: World, random: Random): Promise<void> {
  await world.inTurn([world.stores], async () => {
    await world.stores.killPostgres()
    await wait(seconds(0, 3, random))
    await world.stores.restartPostgres()
    await world.followPostgres()
  })
}

/** The operating system keeps what a killed process has written; what a power cut takes is the last second. */
async function redisKilled(world: World, random: Random, file: 'whole' | 'kept' | 'lost'): Promise<void> {
  const { redis } = world.stores
  await world.inTurn([redis], async () => {
    if (file === 'kept') {
      await redis.keepFile()
      await wait(seconds(0.5, 1, random))
    }
    // Also where it has its file, it is another life of it, and the state is built anew.
    await world.losing(async () => {
      await redis.kill()
      await wait(seconds(0, 3, random))
      await redis.restart({ file })
    })
  })
}

async function allKilled(world: World, random: Random): Promise<void> {
  const { stores, servers } = world
  await world.inTurn([stores.redis, stores, ...servers], async () => {
    await world.losing(async () => {
      await Promise.all([
        ...servers.map((server) => server.end('SIGKILL')),
        stores.redis.kill(),
        stores.killPostgres(),
      ])
      await wait(seconds(0, 2, random))
      await Promise.all([stores.redis.restart(), stores.restartPostgres()])
    })
    await world.followPostgres()
    await Promise.all(servers.map((server) => server.start()))
  })
}

/** Its books cannot be read or written: no call is answered, and what it has begun it finishes afterwards. */
async function providerAway({ sql }: World, ms: number): Promise<void> {
  const away = sql.unsafe(`do $$ begin
    lock table sandbox_charges in access exclusive mode;
    perform pg_sleep(${ms / 1_000});
  end $$`)
  // Where PostgreSQL is killed at the same time, everybody is away.
  await away.catch(() => undefined)
}

/** As if whoever relays had hung with its lease: what edges have told Redis by themselves comes once more, much later. */
async function outboxStill({ sql }: World, ms: number): Promise<void> {
  const held = sql`
    update outbox_positions set lease_owner = 'nobody', lease_until = clock_timestamp() + ${ms} * interval '1 ms'`
  // Where PostgreSQL is killed at the same time, it stands still anyway.
  await held.catch(() => undefined)
  await wait(ms)
}

export const storeFaults: readonly Fault[] = [
  {
    name: 'Redis is killed, and has its file',
    run: (world, random) => redisKilled(world, random, 'whole'),
  },
  {
    name: 'Redis is killed, and has lost its last second',
    run: (world, random) => redisKilled(world, random, 'kept'),
  },
  {
    name: 'Redis is killed, and has lost its file',
    run: (world, random) => redisKilled(world, random, 'lost'),
  },
  {
    name: 'Redis forgets everything',
    run: (world) => world.losing(() => world.redis.flushall()),
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
        const ended = world.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where pid <> pg_backend_pid() and application_name like 'openrun %' and random() < 0.3`
        // By another fault it may be gone altogether.
        await ended.catch(() => undefined)
        await wait(100)
      }
    },
  },
  { name: 'the outbox stands still', run: (world, random) => outboxStill(world, seconds(4, 8, random)) },
  {
    name: 'everything is killed at once',
    run: allKilled,
  },
  {
    name: 'the payment provider is away',
    run: (world, random) => providerAway(world, seconds(6, 9, random)),
  },
  {
    name: lateAnswers,
    run: (world, random) => answersLate(world, seconds(5, 8, random)),
  },
]
