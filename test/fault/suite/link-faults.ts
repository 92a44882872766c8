import { setTimeout as wait } from 'node:timers/promises'
import { awayInTurn } from './edges-in-turn.ts'
import { oneOf, seconds, type Fault, type Random } from './fault.ts'
import { garbledNotices } from './garbled-notices.ts'
import type { Link } from './link.ts'
import type { World } from './world.ts'

async function weather(links: readonly Link[], begin: (link: Link) => void, ms: number): Promise<void> {
  links.forEach(begin)
  await wait(ms)
  links.forEach((link) => link.mend())
}

/** One process and Redis; an edge that has no Redis says of nobody that they are there. */
async function withoutRedis(world: World, random: Random, begin: (link: Link) => void): Promise<void> {
  const server = oneOf(world.servers, random)
  await awayInTurn(world, server, () => weather([server.redis], begin, seconds(1, 4.5, random)))
}

export const linkFaults: readonly Fault[] = [
  {
    name: 'a process is cut off from Redis',
    run: (world, random) => withoutRedis(world, random, (link) => link.cut()),
  },
  {
    name: 'a process is cut off from PostgreSQL',
    run: (world, random) =>
      weather([oneOf(world.servers, random).postgres], (link) => link.cut(), seconds(1, 4.5, random)),
  },
  {
    name: 'a way to Redis is frozen',
    run: (world, random) => withoutRedis(world, random, (link) => link.freeze()),
  },
  {
    name: 'a way to PostgreSQL is frozen',
    run: (world, random) =>
      weather([oneOf(world.servers, random).postgres], (link) => link.freeze(), seconds(1, 4.5, random)),
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
  {
    name: 'the ways to the edges are slow',
    run: (world, random) =>
      weather(
        world.edges.map(({ front }) => front),
        (link) => link.delay(100 + 700 * random()),
        seconds(1, 4.5, random),
      ),
  },
  {
    name: 'the way to an edge is frozen',
    run: async (world, random) => {
      const edge = oneOf(world.edges, random)
      await awayInTurn(world, edge, () =>
        weather([edge.front], (link) => link.freeze(), seconds(1, 4.5, random)),
      )
    },
  },
  {
    name: 'connections to Redis are half open',
    run: (world, random) => withoutRedis(world, random, (link) => link.halfOpen()),
  },
  {
    name: 'connections to PostgreSQL are half open',
    run: (world, random) =>
      weather([oneOf(world.servers, random).postgres], (link) => link.halfOpen(), seconds(1, 4.5, random)),
  },
  {
    name: 'each COMMIT is held',
    run: (world, random) =>
      weather(
        world.servers.map(({ postgres }) => postgres),
        (link) => link.holdCommits(500 + 2_000 * random()),
        seconds(2, 4, random),
      ),
  },
  {
    name: 'notices of Redis are lost, repeated and turned round',
    run: (world, random) =>
      weather(
        world.servers.map(({ redis }) => redis),
        (link) => link.garble(garbledNotices(random)),
        seconds(3, 6, random),
      ),
  },
]
