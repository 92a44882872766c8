import { setTimeout as wait } from 'node:timers/promises'
import { oneOf, seconds, type Fault } from './fault.ts'
import { garbledNotices } from './garbled-notices.ts'
import type { Link } from './link.ts'

async function weather(links: readonly Link[], begin: (link: Link) => void, ms: number): Promise<void> {
  links.forEach(begin)
  await wait(ms)
  links.forEach((link) => link.mend())
}

export const linkFaults: readonly Fault[] = [
  {
    name: 'a process is cut off from Redis',
    run: (world, random) =>
      weather([oneOf(world.servers, random).redis], (link) => link.cut(), seconds(1, 4.5, random)),
  },
  {
    name: 'a process is cut off from PostgreSQL',
    run: (world, random) =>
      weather([oneOf(world.servers, random).postgres], (link) => link.cut(), seconds(1, 4.5, random)),
  },
  {
    name: 'a way to Redis is frozen',
    run: (world, random) =>
      weather([oneOf(world.servers, random).redis], (link) => link.freeze(), seconds(1, 4.5, random)),
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
    name: 'connections to Redis are half open',
    run: (world, random) =>
      weather([oneOf(world.servers, random).redis], (link) => link.halfOpen(), seconds(1, 4.5, random)),
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
